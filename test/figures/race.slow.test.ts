// The animated race of the README: small, standalone, from a run of the library, and at its end where motion is not wanted.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { race } from "../../examples/figures/race.ts";
import { FIRST_RULES, rules } from "../../examples/playground/surfaces/rules.ts";

const committed = (theme: string): string =>
  readFileSync(new URL(`../../docs/figures/race-${theme}.svg`, import.meta.url), "utf8");

describe.each(["light", "dark"] as const)("%s", (theme) => {
  const svg = race(theme);
  const root = new JSDOM(svg, { contentType: "image/svg+xml" }).window.document.documentElement;

  it("is the committed picture, which npm run figures draws", () => {
    expect(svg === committed(theme)).toBe(true);
  });

  it("is a small standalone file of finite numbers, as wide as a README", () => {
    expect(root.getAttribute("width")).toBe("830");
    expect(root.querySelector("title")?.textContent).toContain("gradstep");
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<script|href=|https?:(?!\/\/www.w3.org)/);
    expect(svg.length).toBeLessThan(200_000);
  });

  it("names every rule at its head and in the ranking, with the steps to its arrival", () => {
    const words = [...root.querySelectorAll("text")].map(({ textContent }) => textContent);
    for (const rule of FIRST_RULES) expect(words.filter((word) => word === rules[rule].label)).toHaveLength(2);
    const arrivals = [...root.querySelectorAll("[data-arrival]")].map((row) =>
      Number(row.getAttribute("data-arrival")),
    );
    expect(arrivals).toHaveLength(FIRST_RULES.length);
    expect(arrivals.every((steps, i) => steps > (arrivals[i - 1] ?? 0))).toBe(true);
    for (const steps of arrivals) expect(words).toContain(steps.toLocaleString("en-GB"));
  });

  it("repeats all its movements without end, and shows the end of the race without them", () => {
    const animated = [...root.querySelectorAll("[style]")].map((element) => element.getAttribute("style")!);
    const names = [...svg.matchAll(/@keyframes (\w+)/g)].map(([, name]) => name);
    expect(animated.map((style) => /^animation:(\w+) [\d.]+s linear infinite$/.exec(style)?.[1]).sort()).toEqual(
      names.sort(),
    );
    expect(svg).toContain("@media (prefers-reduced-motion:reduce){*{animation:none!important}}");
    const paths = [...root.querySelectorAll("[data-rule]")];
    expect(paths.map((path) => path.getAttribute("data-rule"))).toEqual(FIRST_RULES);
    for (const path of paths) expect(path.hasAttribute("stroke-dashoffset")).toBe(false);
  });
});
