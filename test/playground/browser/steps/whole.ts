// What concerns the page as a whole.
import { setTimeout } from "node:timers/promises";
import { type Step, click, expect, text, textOf, until } from "./step.ts";

/** More than the controls of the page. */
const MOST_TABS = 250;
const MOST_KILOBYTES = 400;
/** Pixels. */
const FIRST_SCREEN = 720;

export const opens: Step = {
  name: "opens",
  async run({ page }) {
    await until(page, `document.documentElement.dataset.ready === "true"`, 30);
    await until(page, `parseInt(${textOf("steps")}) > 10`, 10);
    return `the race is at step ${await text(page, "steps")}`;
  },
};

/** To be asked before anything else is: the images of the digits come with their part. */
export const firstLoad: Step = {
  name: "first load under 400 KB gzipped",
  async run({ site }) {
    await setTimeout(500);
    const kilobytes = site.loaded() / 1000;
    expect(kilobytes > 50 && kilobytes < MOST_KILOBYTES, `${kilobytes.toFixed(0)} KB`);
    return `${kilobytes.toFixed(0)} KB`;
  },
};

export const fold: Step = {
  name: "stage and Play within the first screen",
  async run({ page, picture }) {
    await page.evaluate("scrollTo({ top: 0, behavior: 'instant' })");
    const ends = (await page.evaluate(
      `["stage", "play"].map((id) => document.getElementById(id).getBoundingClientRect().bottom)`,
    )) as number[];
    const least = (await page.evaluate(`document.getElementById("stage").clientHeight`)) as number;
    await picture("first", "guide");
    expect(
      Math.max(...ends) <= FIRST_SCREEN && least >= 200,
      `they end at ${ends.join(", ")}; the stage is ${least} high`,
    );
    return `they end at ${ends.map(Math.round).join(", ")}`;
  },
};

export const links: Step = {
  name: "links to guide, source and package",
  async run({ page, site }) {
    const seen = (await page.evaluate(
      `["guide", "source", "package"].map((id) => document.getElementById(id).href)`,
    )) as string[];
    const [guide, source, npm] = seen;
    expect(guide === new URL("../", site.url).href, `the guide is at ${guide}`);
    expect(/^https:\/\/[\w.]+\/.*gradstep/.test(source), `the source is at ${source}`);
    expect(npm === "https://www.npmjs.com/package/gradstep", `the package is at ${npm}`);
    return seen.join(" ");
  },
};

export const copies: Step = {
  name: "copies the install line and the link",
  async run({ page }) {
    for (const id of ["copy-install", "copy-link"]) {
      await page.evaluate(`document.getElementById("${id}").focus()`);
      await page.press(" ");
      await until(page, `${textOf(id)} === "Copied"`, 5);
      expect((await page.evaluate("document.activeElement.id")) === id, "the focus has gone elsewhere");
    }
    return text(page, "install");
  },
};

export const keyboard: Step = {
  name: "every control by keyboard",
  async run({ page }) {
    await click(page, "few");
    await page.evaluate(`document.getElementById("step").focus()`);
    const steps = await text(page, "steps");
    await page.press(" ");
    await until(page, `${textOf("steps")} !== ${JSON.stringify(steps)}`, 5);
    await page.evaluate(`document.getElementById("stage").focus()`);
    const start = await text(page, "race-status");
    await page.press("ArrowLeft");
    await until(page, `${textOf("race-status")} !== ${JSON.stringify(start)}`, 5);
    await page.evaluate("probe.focusFirst()");
    let left: string[] = [];
    for (let pressed = 0; pressed < MOST_TABS; pressed += 25) {
      await page.press("Tab", 25);
      left = (await page.evaluate("probe.unreached()")) as string[];
      if (left.length === 0) break;
    }
    expect(left.length === 0, `Tab does not reach ${left.join(", ")}`);
    return `${String(await page.evaluate("probe.controls()"))} controls`;
  },
};

export const accessible: Step = {
  name: "accessible: contrast, names, roles",
  async run({ page }) {
    const violations = (await page.evaluate("probe.inspect()")) as string[];
    expect(violations.length === 0, violations.join("; "));
    return "nothing found by axe-core";
  },
};

/** To be asked last but for the policy, which is broken on purpose. */
export const quiet: Step = {
  name: "no error, no request to another host",
  async run({ page, site }) {
    const faults = [...((await page.evaluate("probe.faults")) as string[]), ...page.faults(), ...site.faults];
    expect(faults.length === 0, faults.join("; "));
    return "none";
  },
};

export const policy: Step = {
  name: "content security policy",
  async run({ page, site }) {
    const done = (await page.evaluate(`probe.misbehave(${JSON.stringify(site.otherHost)})`)) as string[];
    const came = site.faults.length;
    expect(done.length === 0 && came === 0, `allowed: ${[...done, ...site.faults].join(", ")}`);
    return "no eval, inline script or other host";
  },
};

/** A page with all that it can show: a race, open settings, a trained network, measurements. */
export const full: Step = {
  name: "does all on a phone",
  async run({ page, picture }) {
    await click(page, "all");
    await page.evaluate(`document.querySelectorAll(".settings").forEach((button) => button.click())`);
    await page.evaluate(`probe.place("train").top`);
    await until(page, `${textOf("learn-status")} === "Ready to train."`, 30);
    expect((await text(page, "threads")) === "1", "threads without isolation");
    await click(page, "train");
    await click(page, "measure");
    await until(page, `${textOf("learn-status")}.startsWith("Trained")`, 120);
    await click(page, "example");
    await until(page, `${textOf("guess")}.endsWith(", correctly.")`, 5);
    await until(page, `${textOf("speed-status")}.startsWith("gradstep is")`, 60);
    for (const [name, id] of Object.entries({ surfaces: "stage", rules: "rules", digits: "train", pad: "pad" }))
      await picture(name, id);
    await picture("speed", "speed-chart");
    return text(page, "learn-status");
  },
};

export const narrow: Step = {
  name: "fits in 360 pixels",
  async run({ page }) {
    const seen = (await page.evaluate("probe.width()")) as { width: number; scroll: number; wide: string[] };
    const { width, scroll, wide } = seen;
    expect(width <= 360 && scroll <= width, `${scroll} of ${width}: ${wide.join(", ")}`);
    return `${scroll} wide`;
  },
};

export const dark: Step = {
  name: "is dark where the system is",
  async run({ page }) {
    const colour = (await page.evaluate("getComputedStyle(document.body).backgroundColor")) as string;
    expect(colour === "rgb(15, 20, 29)", `the page is ${colour}`);
    return colour;
  },
};
