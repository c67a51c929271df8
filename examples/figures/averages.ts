import * as Plot from "@observablehq/plot";
import { ParameterDict, SGD } from "gradstep";
import type { Frame } from "./frame.ts";
import { WIDTH, figure } from "./figure.ts";
import { curve, panel } from "./plot.ts";
import { random } from "./random.ts";
import { ruleOf } from "./rules.ts";
import type { Point } from "./surfaces.ts";
import { hue, inks } from "./theme.ts";

const betas = [0.5, 0.9, 0.98];
const count = 100;

/** A slow wave around 10, with noise: far from zero, where the average begins. */
export function signal(): number[] {
  const noise = random(7);
  return Array.from({ length: count }, (_, i) => 10 + 4 * wave(i / count) + 1.5 * noise.normal());
}

/** A parabola up, then down, over a period of 1; −1 to 1. */
function wave(t: number): number {
  return t < 0.5 ? 16 * t * (0.5 - t) : 16 * (t - 0.5) * (t - 1);
}

/**
 * The moving average of a signal as SGD's momentum forms it. Each number is given as the gradient of a parameter at 0
 * with lr 1, so that the step is minus the average.
 */
export function movingAverage(values: readonly number[], beta: number, biasCorrection: boolean): number[] {
  const params = new ParameterDict({ w: [1] });
  const optimizer = new SGD(params, { lr: 1, momentum: beta, momentumForm: "ema", biasCorrection });
  const averages = values.map((value) => {
    params.data.w[0] = 0;
    params.grad.w[0] = value;
    optimizer.step();
    return -params.data.w[0];
  });
  optimizer.dispose();
  params.dispose();
  return averages;
}

const corrected = { label: "with bias correction", colour: ruleOf("EMA 0.9").colour, width: 2.6 };
const plain = { label: "without", colour: inks.ink, dash: "5 3", width: 1.6 };
const dotted = { label: "signal g, a dot a step", colour: hue("grey") };

/** The moving average of a noisy signal for three β, with and without bias correction. */
export function averages(): string {
  const values = signal();
  const frame: Frame = { x: [0, count], y: [0, 18] };
  const byStep = (list: readonly number[]): Point[] => list.map((y, i) => ({ x: i + 1, y }));
  const first = betas.map((beta) => movingAverage(values, beta, false)[0].toFixed(1));
  return figure({
    title: "The moving average, with and without bias correction",
    subtitle: [
      "V = βV + (1 − β)g from V = 0, and V / (1 − βᵗ). The larger β, the smoother and later the average, and the longer",
      `the plain one stays too low: the first value is ${first.join(", ")} where the signal is ${values[0].toFixed(1)}.`,
    ],
    rows: betas.map((beta) => [
      panel({
        title: `β = ${beta}: a window of about ${Math.round(1 / (1 - beta))} steps`,
        width: WIDTH - 16,
        height: 205,
        frame,
        xLabel: "step",
        yLabel: "gradient",
        options: { y: { ticks: 4, grid: true } },
        marks: (pixels) => [
          Plot.dot(byStep(values), {
            x: "x",
            y: "y",
            r: 2.2,
            fill: dotted.colour,
            fillOpacity: 0.7,
            ariaLabel: () => "signal",
          }),
          ...curve(pixels, byStep(movingAverage(values, beta, true)), corrected, 0),
          ...curve(pixels, byStep(movingAverage(values, beta, false)), plain, 0),
        ],
        names: [
          { look: corrected, points: byStep(movingAverage(values, beta, true)) },
          { look: plain, points: byStep(movingAverage(values, beta, false)) },
          { look: dotted, points: byStep(values), dotted: true },
        ],
      }),
    ]),
    notes: ['The averages are steps of SGD with momentumForm: "ema", lr 1 and the signal as the gradient.'],
  });
}
