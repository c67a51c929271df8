import * as Plot from "@observablehq/plot";
import { WIDTH, figure } from "../../examples/figures/figure.ts";
import { type Look, curve, dots, panel } from "../../examples/figures/plot.ts";
import { hue, inks } from "../../examples/figures/theme.ts";
import type { Rule } from "./contender.ts";
import type { Results } from "./results.ts";
import { digits, isAbsent, ruleNames } from "./text.ts";

/** One colour for a contender in all pictures; what is no library is dashed. */
const looks: Readonly<Record<string, Omit<Look, "label">>> = {
  gradstep: { colour: hue("red"), width: 2.6 },
  dense: { colour: hue("magenta") },
  traffic: { colour: hue("grey"), dash: "2 3" },
  gcc: { colour: hue("grey"), dash: "6 3" },
  loop: { colour: hue("amber") },
  jax: { colour: hue("sky") },
  ruvector: { colour: hue("violet") },
  "tfjs-wasm": { colour: hue("green") },
  "tfjs-cpu": { colour: hue("teal") },
  brain: { colour: hue("grey") },
};

const counts = (results: Results): string =>
  `${results.machine.processor}, one core; Node ${results.versions.node}; ${results.date}`;

/** Nanoseconds an element against the number of elements, a panel a rule. */
export function stepsChart(results: Results): string {
  const drawn = Object.keys(looks).filter((name) =>
    results.steps.some(({ cells }) => name in cells && !isAbsent(cells[name])),
  );
  const flat = results.steps.filter(({ layout }) => layout.count === 1);
  const most = Math.max(...flat.map(({ layout }) => layout.length));
  const frame = { x: [800, most * 1.25], y: [0.05, 700], logX: true, logY: true } as const;
  const look = (name: string): Look => ({ ...looks[name], label: results.labels[name].replace(", no arithmetic", "") });
  const panels = (["adam", "momentum"] as const satisfies Rule[]).map((rule) => {
    const curves = drawn.map((name) => ({
      look: look(name),
      points: flat.flatMap((one) => {
        const cell = one.rule === rule ? one.cells[name] : undefined;
        if (cell === undefined || isAbsent(cell)) return [];
        return [{ x: one.layout.length, y: cell.nanosecondsPerElement.median }];
      }),
    }));
    return panel({
      title: ruleNames[rule],
      width: (WIDTH - 16) / 2,
      height: 360,
      frame: { ...frame, x: [...frame.x], y: [...frame.y] },
      xLabel: "parameters, in one tensor",
      yLabel: "ns a parameter and step",
      options: {
        x: { ticks: [1e3, 1e4, 1e5, 1e6, 1e7], tickFormat: short },
        y: { ticks: [0.1, 1, 10, 100], tickFormat: String, grid: true },
      },
      marks: (pixels) =>
        curves
          .toReversed()
          .flatMap((one) => [
            ...curve(pixels, one.points, one.look),
            dots(pixels, one.points, { r: 2.4, fill: one.look.colour }),
          ]),
      names: curves.filter(({ points }) => points.length > 0),
    });
  });
  return figure({
    title: "A step of each optimizer, one core",
    subtitle: ["Lower is better. Contenders in turns, each in its own process; medians. Both axes are logarithmic."],
    rows: [panels],
    notes: [counts(results)],
  });
}

const short = (value: number): string => (value >= 1e6 ? `${value / 1e6} M` : `${value / 1e3} k`);

/** Samples a second while training, a bar a contender. */
export function mnistChart(results: Results): string {
  const bars = Object.entries(results.mnist)
    .flatMap(([name, cell]) =>
      isAbsent(cell)
        ? []
        : [
            {
              name,
              rate: cell.samplesPerSecond.median,
              text: `${results.labels[name]}: ${digits(cell.samplesPerSecond.median)} samples/s, test accuracy ${cell.accuracy.toFixed(3)}${
                cell.samples < 50_000 ? ` after ${cell.samples.toLocaleString("en")} samples` : ""
              }`,
            },
          ],
    )
    .sort((a, b) => b.rate - a.rate);
  const most = Math.max(...bars.map(({ rate }) => rate));
  const row = panel({
    title: "samples a second",
    width: WIDTH - 16,
    height: 80 + bars.length * 42,
    frame: { x: [0, most * 1.02], y: [0, 1] },
    xLabel: "samples a second",
    yLabel: "",
    options: {
      x: { tickFormat: (value: number) => value.toLocaleString("en"), grid: true },
      y: { type: "band", domain: bars.map(({ name }) => name), ticks: [], padding: 0.1 },
    },
    marks: () => [
      Plot.barX(bars, { x: "rate", y: "name", fill: ({ name }: { name: string }) => looks[name].colour, insetTop: 18 }),
      Plot.text(bars, {
        x: 0,
        y: "name",
        text: "text",
        textAnchor: "start",
        frameAnchor: "top",
        dx: 4,
        dy: -12,
        fill: inks.ink,
      }),
    ],
  });
  return figure({
    title: "Training 784-128-10 on MNIST, batch 64, Adam, one core",
    subtitle: [
      "One epoch from the same start and in the same order, in turns. brain.js steps at every sample, by plain descent.",
    ],
    rows: [[row]],
    notes: [counts(results)],
  });
}
