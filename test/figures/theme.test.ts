// Colours that are read as text must stand out from the page, light and dark.
import { rgb } from "d3";
import { expect, it } from "vitest";
import { counterparts, inks, inksOf } from "../../examples/figures/theme.ts";

/** WCAG's contrast of two colours, 1 to 21. */
function contrast(a: string, b: string): number {
  const [high, low] = [a, b].map(luminance).sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}
function luminance(colour: string): number {
  const { r, g, b } = rgb(colour);
  const linear = [r, g, b].map((x) => (x <= 10.31 ? x / 3294.6 : ((x / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

const grounds = new Set([inks.paper, inks.low, inks.high, inks.rule, inks.contour]);
const read = [...counterparts].filter(([light]) => !grounds.has(light));

it("has some, and a contrast of 21 between black and white", () => {
  expect(read.length).toBeGreaterThan(10);
  expect(contrast("#000", "#fff")).toBeCloseTo(21);
});

it.each(read)("%s, dark %s: at least 4.5 : 1 on the page, and around a name", (light, dark) => {
  expect(contrast(light, inks.paper)).toBeGreaterThanOrEqual(4.5);
  expect(contrast(dark, inksOf("dark").paper)).toBeGreaterThanOrEqual(4.5);
});
