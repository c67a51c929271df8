import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { descend } from "../../examples/figures/descend.ts";
import { figures } from "../../examples/figures/figures.ts";
import { rules } from "../../examples/figures/rules.ts";
import { type Domain, type Point, type SurfaceKey, surfaces } from "../../examples/figures/surfaces.ts";
import { type DrawnPanel, parse } from "./svg.ts";

const names = Object.keys(figures);
const pictures = new Map(names.map((name) => [name, readPicture(name)]));

function readPicture(name: string): ReturnType<typeof parse> & { readonly svg: string } {
  const svg = figures[name]();
  return { svg, ...parse(svg) };
}

function pictureOf(name: string): ReturnType<typeof readPicture> {
  return pictures.get(name) ?? readPicture(name);
}

const withEveryRule = names.filter((name) => name.includes("paths-") || name === "losses.svg");

describe.each(names)("%s", (name) => {
  const { svg, root, panels } = pictureOf(name);

  it("is a small standalone file of finite numbers", () => {
    expect(root.getAttribute("xmlns")).toBe("http://www.w3.org/2000/svg");
    expect(root.querySelector("title")?.textContent).toBeTruthy();
    expect(svg).not.toMatch(/NaN|Infinity|undefined|\[object/);
    expect(svg).not.toMatch(/<script|href=|url\(/);
    expect(svg.length).toBeLessThan(150_000);
  });

  it("has curves, and everything drawn lies within its frame", () => {
    expect(panels.length).toBeGreaterThan(0);
    for (const { frame, drawn } of panels) {
      const [left, top, right, bottom] = frame;
      expect(drawn.some(({ label }) => label.startsWith("curve: "))).toBe(true);
      for (const { label, points } of drawn) {
        expect(points.length).toBeGreaterThan(0);
        const outside = points.filter(
          ([x, y]) => !(x >= left - 0.1 && x <= right + 0.1 && y >= top - 0.1 && y <= bottom + 0.1),
        );
        expect({ label, outside }).toEqual({ label, outside: [] });
      }
    }
  });

  it("has a place for each of its words", () => {
    const width = Number(root.getAttribute("width"));
    for (const { textContent, attributes } of [...root.children].filter(({ tagName }) => tagName === "text")) {
      const size = Number(attributes.getNamedItem("font-size")?.value);
      const left = Number(attributes.getNamedItem("x")?.value);
      expect(textContent.length).toBeGreaterThan(0);
      expect(left + textContent.length * size * 0.5).toBeLessThan(width);
    }
  });

  it("has each curve's name in its panel, in its colour", () => {
    const named = [...root.querySelectorAll("[data-frame]")].map((panel) => {
      const curves = [...panel.querySelectorAll('path[aria-label^="curve: "]')];
      const texts = [...panel.querySelectorAll("text[paint-order]")];
      return curves.map((curve) => {
        const [rule, colour] = [curve.getAttribute("aria-label")!.slice("curve: ".length), curve.closest("[stroke]")];
        const same = texts.filter((text) => text.getAttribute("fill") === colour?.getAttribute("stroke"));
        return same.some((text) => text.textContent.startsWith(rule)) || panel.textContent.includes(rule);
      });
    });
    expect(named.flat()).not.toContain(false);
  });

  it("has a dark counterpart of every colour", () => {
    const style = root.querySelector("style")?.textContent ?? "";
    const colours = [root, ...root.querySelectorAll("*")].flatMap((node) =>
      ["fill", "stroke", "color"].flatMap((name) => {
        const colour = node.getAttribute(name);
        return colour === null || /^(none|currentColor)$/.test(colour) ? [] : [`[${name}="${colour}"]{${name}:#`];
      }),
    );
    expect(colours.length).toBeGreaterThan(10);
    expect(colours.filter((rule) => !style.includes(rule))).toEqual([]);
    expect(style.startsWith("@media (prefers-color-scheme:dark){")).toBe(true);
    expect(svg).not.toMatch(/style="(?!animation:)/);
  });

  it("is the same when drawn again", () => {
    expect(figures[name]() === svg).toBe(true);
  });
});

it.each(withEveryRule)("%s names every rule and draws a curve of its colour for each", (name) => {
  const { root } = pictureOf(name);
  const words = [...root.querySelectorAll("text")].map(({ textContent }) => textContent);
  for (const { label, colour } of rules) {
    expect(words.some((word) => word === label || word.startsWith(`${label}, lr `))).toBe(true);
    const selector = `g[stroke="${colour}"] path[aria-label="curve: ${label}"]`;
    const having = [...root.querySelectorAll("[data-frame]")].filter((panel) => panel.querySelector(selector) !== null);
    expect(having).toHaveLength(name === "losses.svg" ? 3 : 1);
  }
});

/** How often a run goes from inside to outside. */
function leavings({ x, y }: Domain, points: readonly Point[]): number {
  const inside = points.map((p) => p.x >= x[0] && p.x <= x[1] && p.y >= y[0] && p.y <= y[1]);
  return inside.filter((now, i) => i > 0 && inside[i - 1] && !now).length;
}

const marks = (panels: readonly DrawnPanel[], label: string): number =>
  panels.flatMap((panel) => panel.drawn).filter((one) => one.label === `leaves the frame: ${label}`).length;

describe("what leaves a frame is marked", () => {
  it.each(Object.keys(surfaces) as SurfaceKey[])("paths on %s", (key) => {
    const { panels } = pictureOf(`paths-${key}.svg`);
    for (const rule of rules) {
      const visits = descend(surfaces[key], (params) => rule.make(params, rule.lr[key]));
      expect(marks(panels, rule.label)).toBe(leavings(surfaces[key].domain, visits));
    }
  });

  it("losses", () => {
    const { panels } = pictureOf("losses.svg");
    const steps = { quadratic: 150, rosenbrock: 1000, beale: 600 };
    for (const key of Object.keys(surfaces) as SurfaceKey[])
      for (const rule of rules) {
        const visits = descend(surfaces[key], (params) => rule.make(params, rule.lr[key]), steps[key]);
        const points = visits.map(({ step, loss }) => ({ x: step, y: loss }));
        const own = panels.filter(({ title }) => title.startsWith(surfaces[key].title));
        expect(marks(own, rule.label)).toBe(leavings({ x: [0, steps[key]], y: [1e-8, 1e3] }, points));
      }
  });

  it("the learning rate that is too large, in its path and in its loss", () => {
    const { panels } = pictureOf("learning-rates.svg");
    expect(panels.map((panel) => marks([panel], "too large: lr 0.082"))).toEqual([0, 0, 1, 1]);
  });
});

it.each(Object.keys(surfaces) as SurfaceKey[])(
  "the moving paths on %s end where the runs do, and stand still on request",
  (key) => {
    const { root, panels } = pictureOf(`moving-paths-${key}.svg`);
    const still = new Map(
      pictureOf(`paths-${key}.svg`)
        .panels.flatMap(({ drawn }) => drawn)
        .map(({ label, points }) => [label, points]),
    );
    for (const { label, points } of panels.flatMap(({ drawn }) => drawn)) {
      if (!label.startsWith("curve: ")) continue;
      const [[x, y], [endX, endY]] = [points, still.get(label)!].map((list) => list[list.length - 1]);
      expect(Math.hypot(x - endX, y - endY)).toBeLessThan(1);
    }
    expect(root.querySelectorAll("path[stroke-dasharray][style]")).toHaveLength(rules.length);
    expect(root.querySelectorAll("circle[style]")).toHaveLength(rules.length + 1); // and the clock's
    expect(root.querySelector("style")?.textContent).toContain("prefers-reduced-motion:reduce){*{animation:none");
  },
);

it("the committed pictures are these, as npm run figures draws them", () => {
  const folder = new URL("../../docs/figures/", import.meta.url);
  const drawn = readdirSync(folder).filter((name) => /^(?!speed-|race-|which-).*\.svg$/.test(name));
  expect(drawn.sort()).toEqual([...names].sort());
  const other = names.filter((name) => readFileSync(new URL(name, folder), "utf8") !== pictureOf(name).svg);
  expect(other).toEqual([]);
});

it("a rule has one colour, and no two rules share one", () => {
  expect(new Set(rules.map(({ colour }) => colour)).size).toBe(rules.length);
});
