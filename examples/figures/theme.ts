// The look that all pictures share: the colours of the playground's page, on a light and on a dark page.
import { interpolateRgb, rgb } from "d3";
import { readFileSync } from "node:fs";
import { element } from "./svg.ts";

const names = ["ink", "paper", "muted", "rule", "low", "high", "contour"] as const;
export type Inks = Readonly<Record<(typeof names)[number], string>>;

/** The colours of the playground's page. */
export function inksOf(theme: "light" | "dark"): Inks {
  const css = readFileSync(new URL("../playground/page/theme.css", import.meta.url), "utf8");
  const block = css.split("@media")[theme === "light" ? 0 : 1];
  return Object.fromEntries(
    names.map((name) => [name, new RegExp(`--${name}: (#\\w+);`).exec(block)![1]]),
  ) as unknown as Inks;
}

/** What a picture is drawn in. {@link adapt} gives it the other colours where the page is dark. */
export const inks = inksOf("light");
const dark = inksOf("dark");

/** Colours of curves and of their names: on a light page, and on a dark one. test/figures/theme.test.ts checks the contrast. */
const hues = {
  amber: ["#a56803", "#f6e195"],
  blue: ["#4d36fa", "#a2b4fe"],
  magenta: ["#be22b2", "#d4659d"],
  red: ["#be3e3f", "#ff7b57"],
  teal: ["#137a75", "#71f7fb"],
  sky: ["#1f70b4", "#6cb6ff"],
  wine: ["#51152d", "#f0a6c0"],
  olive: ["#5d6800", "#a9f831"],
  violet: ["#7a2fd0", "#b668f9"],
  green: ["#1a7f37", "#4fc777"],
  grey: ["#5d6878", "#97a3b5"],
} as const;
export type Hue = keyof typeof hues;
export const hue = (name: Hue): string => hues[name][0];
/** Every colour that something is drawn in, with the one that it has on a dark page. */
export const counterparts: ReadonlyMap<string, string> = new Map([
  ...names.map((name) => [inks[name], dark[name]] as const),
  ...Object.values(hues),
]);

const attributes = ["fill", "stroke", "color"];

/** Adds the colours of a dark page, and other styles. A picture in an `<img>` follows the colour scheme that its page has there. */
export function adapt(root: Element, css = ""): void {
  const used = new Set<string>();
  for (const node of [root, ...root.querySelectorAll("*")])
    for (const name of attributes) {
      const colour = node.getAttribute(name);
      if (colour !== null && !/^(none|currentColor)$/.test(colour))
        used.add(`[${name}="${colour}"]{${name}:${darkOf(colour)}}`);
    }
  const style = element("style", {});
  style.textContent = `@media (prefers-color-scheme:dark){${[...used].sort().join("")}}${css}`;
  root.prepend(style);
}

function darkOf(colour: string): string {
  const known = counterparts.get(colour);
  if (known !== undefined) return known;
  // a contour is filled with a colour between the lowest and the highest
  const [at, low, high] = [colour, inks.low, inks.high].map((one) => rgb(one));
  const share = (at.r - low.r) / (high.r - low.r);
  const expected = rgb(interpolateRgb(inks.low, inks.high)(share));
  if (Math.abs(expected.g - at.g) + Math.abs(expected.b - at.b) > 2)
    throw new RangeError(`no dark counterpart of ${colour}`);
  return rgb(interpolateRgb(dark.low, dark.high)(share)).formatHex();
}
