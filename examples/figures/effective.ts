import * as Plot from "@observablehq/plot";
import { Adadelta, Adagrad, ParameterDict, RMSprop, type StepOptimizer, type TensorState } from "gradstep";
import type { Frame } from "./frame.ts";
import { WIDTH, figure } from "./figure.ts";
import { curve, panel, powerOfTen } from "./plot.ts";
import { random } from "./random.ts";
import { ruleOf } from "./rules.ts";

const steps = 3000;
/** Parameters with noise of their own, to show the middle one and the spread. */
const size = 101;
const middle = 50;
const lr = 0.01;

type Slots = Readonly<Record<string, ArrayLike<number>>>;

/** A rule, and its multiplier of the gradient at parameter i from the state before and after the step. */
interface Case {
  readonly label: string;
  readonly legend: string;
  readonly make: (params: ParameterDict) => Pick<StepOptimizer, "step" | "state" | "dispose">;
  readonly multiplier: (before: Slots, after: Slots, i: number) => number;
}

export const cases: readonly Case[] = [
  {
    label: "Adagrad",
    legend: `Adagrad, lr ${lr}`,
    make: (params) => new Adagrad(params, { lr }),
    multiplier: (_, { sum }, i) => lr / (Math.sqrt(sum[i]) + 1e-10),
  },
  {
    label: "RMSprop",
    legend: `RMSprop, lr ${lr}, α 0.99`,
    make: (params) => new RMSprop(params, { lr }),
    multiplier: (_, { squareAvg }, i) => lr / (Math.sqrt(squareAvg[i]) + 1e-8),
  },
  {
    label: "Adadelta",
    legend: "Adadelta, lr 1, ρ 0.9, ε 10⁻⁶",
    make: (params) => new Adadelta(params, { lr: 1 }),
    // The average of squared updates is the one before this step's.
    multiplier: ({ accDelta }, { squareAvg }, i) => Math.sqrt(accDelta[i] + 1e-6) / Math.sqrt(squareAvg[i] + 1e-6),
  },
];

/** Copies of a state's slots. */
export function slotsOf(state: TensorState): Slots {
  const slots: Record<string, ArrayLike<number>> = {};
  for (const [name, value] of Object.entries(state)) if (typeof value !== "number") slots[name] = value.slice();
  return slots;
}

/** The multipliers of all parameters at every step under normal gradients: rows of sorted numbers. */
export function multipliers({ make, multiplier }: Case, count = steps): number[][] {
  const noise = random(11);
  const params = new ParameterDict({ w: [size] });
  const optimizer = make(params);
  const rows: number[][] = [];
  for (let t = 1; t <= count; t++) {
    for (let i = 0; i < size; i++) params.grad.w[i] = noise.normal();
    const before = slotsOf(optimizer.state("w"));
    optimizer.step();
    const after = slotsOf(optimizer.state("w"));
    rows.push(Array.from({ length: size }, (_, i) => multiplier(before, after, i)).sort((a, b) => a - b));
  }
  optimizer.dispose();
  params.dispose();
  return rows;
}

/** What each rule multiplies the gradient by, over steps. */
export function effective(): string {
  const frame: Frame = { x: [1, steps], y: [1e-4, 1], logX: true, logY: true };
  const runs = cases.map((one) => ({
    look: { ...ruleOf(one.label), label: one.legend, width: 2.2 },
    rows: multipliers(one),
  }));
  const last = runs.map(({ rows }) => Number(rows[steps - 1][middle].toPrecision(2)));
  return figure({
    title: "The effective step: what a rule multiplies the gradient by",
    subtitle: [
      "Gradients drawn anew each step, with mean 0 and variance 1. Adagrad sums their squares: its multiplier falls as 1/√t,",
      `here to ${last[0]}. RMSprop and Adadelta average over a window and level off, here at ${last[1]} and ${last[2]}.`,
    ],
    rows: [
      [
        panel({
          title: "Median of 101 parameters, with the middle 80 %",
          width: WIDTH - 16,
          height: 400,
          frame,
          xLabel: "step (logarithmic)",
          yLabel: "multiplier of the gradient (logarithmic)",
          options: {
            x: { ticks: 4, tickFormat: (x: number) => x.toLocaleString("en") },
            y: { ticks: [1e-4, 1e-3, 1e-2, 1e-1, 1], tickFormat: powerOfTen, grid: true },
          },
          marks: (pixels) => [
            ...runs.map(({ look, rows }) => band(rows, look.colour, look.label)),
            ...runs.flatMap(({ look, rows }) =>
              curve(
                pixels,
                rows.map((row, i) => ({ x: i + 1, y: row[middle] })),
                look,
                1.5,
              ),
            ),
          ],
          names: runs.map(({ look, rows }) => ({ look, points: rows.map((row, i) => ({ x: i + 1, y: row[middle] })) })),
        }),
      ],
    ],
    notes: ["From optimizer.state(): lr / (√sum + ε); lr / (√squareAvg + ε); lr · √(accDelta + ε) / √(squareAvg + ε)."],
  });
}

/** The middle 80 % of the parameters, at about forty steps a decade. */
function band(rows: readonly (readonly number[])[], colour: string, label: string): Plot.Markish {
  const shown = new Set(Array.from({ length: 160 }, (_, i) => Math.min(steps, Math.round(10 ** (i / 45)))));
  const data = [...shown].map((t) => ({ t, low: rows[t - 1][10], high: rows[t - 1][90] }));
  return Plot.areaY(data, {
    x: "t",
    y1: "low",
    y2: "high",
    fill: colour,
    fillOpacity: 0.18,
    ariaLabel: () => `band: ${label}`,
  });
}
