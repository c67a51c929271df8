// The colours of paths, as people with each kind of colour vision see them.
import { lab, rgb } from "d3";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Places, type Theme, colours, lookOf } from "../../examples/playground/surfaces/palette.ts";
import { ruleKeys } from "../../examples/playground/surfaces/rules.ts";

type Triple = readonly [number, number, number];

/** What each kind makes of linear RGB: Machado, Oliveira and Fernandes (2009), severity 1. */
const visions: Readonly<Record<string, readonly [Triple, Triple, Triple]>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
/** CIELAB distances: 2.3 is just noticeable, 10 is a different colour at a glance. */
const LEAST = { normal: 40, other: 20 };

function linear(colour: string): number[] {
  const { r, g, b } = rgb(colour);
  return [r, g, b].map((value) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
}

function seen(colour: string, vision: string): { l: number; a: number; b: number } {
  const channels = linear(colour);
  const [r, g, b] = visions[vision].map((row) => {
    const value = Math.min(
      1,
      Math.max(
        0,
        row.reduce((sum, weight, i) => sum + weight * channels[i], 0),
      ),
    );
    return 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);
  });
  return lab(rgb(r, g, b));
}

function contrast(a: string, b: string): number {
  const [dark, light] = [a, b]
    .map((colour) => linear(colour).reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0))
    .sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function pageColour(theme: Theme, name: string): string {
  const css = readFileSync(new URL("../../examples/playground/page/theme.css", import.meta.url), "utf8");
  return new RegExp(`--${name}: (#\\w+)`).exec(css.split("@media")[theme === "light" ? 0 : 1])![1];
}

describe.each(["light", "dark"] as const)("%s", (theme) => {
  it.each(Object.keys(visions))("any two colours can be told apart with %s vision", (vision) => {
    const all = colours[theme].map((colour) => seen(colour, vision));
    const gaps = all.flatMap((a, i) => all.slice(i + 1).map((b) => Math.hypot(a.l - b.l, a.a - b.a, a.b - b.b)));
    expect(Math.min(...gaps)).toBeGreaterThan(vision === "normal" ? LEAST.normal : LEAST.other);
  });

  it("names stand out from their outline, and paths from any ground", () => {
    for (const colour of colours[theme]) {
      expect(contrast(colour, pageColour(theme, "paper"))).toBeGreaterThanOrEqual(4.5);
      for (const ground of ["low", "high"])
        expect(contrast(colour, pageColour(theme, ground))).toBeGreaterThanOrEqual(3);
    }
  });

  it("no two rules of a race of all look alike", () => {
    const looks = ruleKeys.map((_, place) => JSON.stringify(lookOf(place, theme)));
    expect(new Set(looks).size).toBe(ruleKeys.length);
  });
});

it("keeps the colours of those who stay, and gives newcomers free ones", () => {
  const places = new Places<string>();
  places.assign(["a", "b", "c"]);
  places.assign(["a", "c"]);
  places.assign(["c", "d", "a", "e"]);
  expect(["a", "c", "d", "e"].map((key) => places.of(key))).toEqual([0, 2, 1, 3]);
});
