// What must hold on the built site, in each browser.
import { setTimeout } from "node:timers/promises";
import { sections } from "../../docs/.vitepress/pages.ts";
import type { Page } from "../playground/browser/page.ts";
import { expect } from "../playground/browser/steps/step.ts";
import type { Site } from "./serve.ts";

/** One thing that must hold; tells what was seen. */
export interface Step {
  readonly name: string;
  run(page: Page, site: Site): Promise<string>;
}

const guide = ["index.html", ...sections.flatMap(({ items }) => items.map(({ link }) => `${link.slice(1)}.html`))];
const reference = ["api/index.html", "api/modules/gradstep.html", "api/classes/gradstep.AdamW.html"];
/** TypeDoc puts links into the headings that open and close a section, which no option changes. */
const TYPEDOC = "nested-interactive";
/** More than the controls of a page. */
const MOST_TABS = 500;

/** Each page opens without a fault, fits the window, and axe-core finds nothing: contrast, names, roles, order. */
export const pages: readonly Step[] = [...guide, ...reference].map((name) => ({
  name,
  async run(page, site) {
    await visit(page, site, name);
    const all = (await page.evaluate("probe.inspect()")) as string[];
    const violations = all.filter((violation) => !(name.startsWith("api/") && violation.startsWith(TYPEDOC)));
    expect(violations.length === 0, violations.join("; "));
    const { width, scroll, wide } = (await page.evaluate("probe.width()")) as Width;
    expect(scroll <= width, `${scroll} of ${width} wide: ${wide.slice(0, 5).join(", ")}`);
    await expectQuiet(page);
    return "no fault";
  },
}));

interface Width {
  readonly width: number;
  readonly scroll: number;
  readonly wide: readonly string[];
}

export const playground: Step = {
  name: "the playground opens",
  async run(page, site) {
    await visit(page, site, "playground/index.html");
    await until(page, `document.documentElement.dataset.ready === "true"`);
    await expectQuiet(page);
    return "ready";
  },
};

export const links: Step = {
  name: "no dead link, and every page of the guide is linked",
  async run(page, site) {
    await visit(page, site, "index.html");
    const { pages, dead } = (await page.evaluate("look.links()")) as { pages: string[]; dead: string[] };
    expect(dead.length === 0, dead.slice(0, 20).join("\n"));
    const lost = [...guide, ...reference, "playground/index.html"].filter((name) => !pages.includes(name));
    expect(lost.length === 0, `no link to ${lost.join(", ")}`);
    return `${pages.length} pages`;
  },
};

export const search: Step = {
  name: "the guide's search finds a page, and leads to it",
  async run(page, site) {
    await visit(page, site, "index.html");
    await page.evaluate(`look.click(".VPNavBarSearchButton")`);
    await until(page, `look.count(".VPLocalSearchBox input") > 0`);
    await page.evaluate(`look.type(".VPLocalSearchBox input", "warm-up plateau")`);
    await until(page, `look.count(".VPLocalSearchBox .results a") > 0`);
    const found = (await page.evaluate(`look.count(".VPLocalSearchBox .results a")`)) as number;
    await page.evaluate(`look.click(".VPLocalSearchBox .results a")`);
    await until(page, `location.pathname.endsWith("/schedules.html") && look.count("h1") > 0`);
    await expectQuiet(page);
    return `${found} results`;
  },
};

export const searchReference: Step = {
  name: "the reference's search finds a class",
  async run(page, site) {
    await visit(page, site, "api/index.html");
    await page.evaluate(`look.click("#tsd-search-trigger")`);
    await page.evaluate(`look.type("#tsd-search-input", "CosineAnnealing")`);
    await until(page, `look.count("#tsd-search-results a") > 0`);
    await expectQuiet(page);
    return `${String(await page.evaluate(`look.count("#tsd-search-results a")`))} results`;
  },
};

/** By the guide's own router, without loading a page anew. */
export const walk: Step = {
  name: "the sidebar leads through all pages",
  async run(page, site) {
    await visit(page, site, guide[1]);
    for (const name of guide.slice(2)) {
      await page.evaluate(`look.click('.VPSidebar a[href$="${name}"]')`);
      await until(page, `location.pathname.endsWith("/${name}") && look.count("h1") === 1`);
    }
    await expectQuiet(page);
    return `${guide.length - 1} pages`;
  },
};

export const keyboard: Step = {
  name: "every control by keyboard",
  async run(page, site) {
    const seen: string[] = [];
    for (const name of ["index.html", "getting-started.html", "migration.html"]) {
      await visit(page, site, name);
      await page.evaluate("probe.focusFirst()");
      let left = (await page.evaluate("probe.unreached()")) as string[];
      for (let pressed = 0; pressed < MOST_TABS && left.length > 0; pressed += left.length) {
        await page.press("Tab", left.length); // no more, lest the focus leaves the page
        left = (await page.evaluate("probe.unreached()")) as string[];
      }
      expect(left.length === 0, `${name}: Tab does not reach ${left.join(", ")}`);
      seen.push(String(await page.evaluate("probe.controls()")));
    }
    return `${seen.join(", ")} controls`;
  },
};

/** By a person, against what the system prefers. */
export const appearance: Step = {
  name: "light and dark",
  async run(page, site) {
    await visit(page, site, "getting-started.html");
    const background = `getComputedStyle(document.body).backgroundColor`;
    const before = await page.evaluate(background);
    await page.evaluate(`look.click(".VPSwitchAppearance")`);
    await until(page, `${background} !== ${JSON.stringify(before)}`);
    const after = await page.evaluate(background);
    await page.evaluate(`look.click(".VPSwitchAppearance")`);
    return `${String(before)}, ${String(after)}`;
  },
};

/** Loads a page anew, and waits until its scripts are at work. */
async function visit(page: Page, site: Site, name: string): Promise<void> {
  await page.evaluate(`void (window.left = location.assign(${JSON.stringify(site.url + name)}))`);
  const ready = name.startsWith("api/")
    ? `document.body.style.display !== "none" && "app" in window`
    : name.startsWith("playground/") || `document.querySelector("#app").__vue_app__ !== undefined`;
  await until(page, `!("left" in window) && document.readyState === "complete" && ${ready}`);
}

const POLL_MS = 50;
const MOST_MS = 30_000;

/** Waits until an expression holds; between two pages there is none to evaluate it. */
async function until(page: Page, expression: string): Promise<void> {
  const end = Date.now() + MOST_MS;
  while ((await page.evaluate(expression).catch(() => false)) !== true) {
    if (Date.now() > end) throw new Error(`after ${MOST_MS / 1000} s still not: ${expression}`);
    await setTimeout(POLL_MS);
  }
}

async function expectQuiet(page: Page): Promise<void> {
  const faults = (await page.evaluate("probe.faults")) as string[];
  expect(faults.length === 0, faults.join("; "));
}

/** At the end: what the browser and the server have complained of. */
export const quiet: Step = {
  name: "no request failed or went to another host",
  run(page, site) {
    const faults = [...page.faults(), ...site.faults];
    expect(faults.length === 0, faults.join("; "));
    return Promise.resolve("none");
  },
};
