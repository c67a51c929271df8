// What concerns the page as a whole.
import { type Step, click, expect, text, textOf, until } from "./step.ts";

/** More than the controls of the page. */
const MOST_TABS = 250;

export const opens: Step = {
  name: "opens",
  async run({ page }) {
    await until(page, `document.documentElement.dataset.ready === "true"`, 30);
    await until(page, `${textOf("learn-status")} === "Ready to train."`, 30);
    return text(page, "learn-status");
  },
};

export const keyboard: Step = {
  name: "every control by keyboard",
  async run({ page }) {
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
    await click(page, "train");
    await click(page, "measure");
    await until(page, `${textOf("learn-status")}.startsWith("Trained")`, 120);
    await click(page, "example");
    await until(page, `${textOf("guess")}.endsWith(", rightly.")`, 5);
    await until(page, `${textOf("speed-status")}.startsWith("gradstep steps")`, 60);
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
