import * as Plot from "@observablehq/plot";
import { ParameterDict, SGD } from "gradstep";
import type { Frame } from "./frame.ts";
import { landmarkNames, landmarks, landmarksOf } from "./paths.ts";
import { WIDTH, figure } from "./figure.ts";
import { contourColours, contours, curve, panel, powerOfTen } from "./plot.ts";
import { random, shuffled } from "./random.ts";
import type { Point } from "./surfaces.ts";
import { hue, inks } from "./theme.ts";

const samples = 1024;
const passes = 10;
const lr = 0.05;
const start: Point = { x: -1.5, y: -1 };

/** Points around the line y = 1.5x + 0.5, x uniform in [−1, 2], noise of variance 0.25. */
function makeData(): readonly Point[] {
  const { uniform, normal } = random(3);
  return Array.from({ length: samples }, () => {
    const x = 3 * uniform() - 1;
    return { x, y: 1.5 * x + 0.5 + 0.5 * normal() };
  });
}

const data = makeData();

/** Half the mean squared error of the line with slope `w` and intercept `b` over the whole set. */
export function lossOf(w: number, b: number): number {
  return data.reduce((sum, { x, y }) => sum + (w * x + b - y) ** 2, 0) / (2 * samples);
}

/** The best line, by the normal equations. */
export function bestLine(): Point {
  const mean = (f: (p: Point) => number): number => data.reduce((sum, p) => sum + f(p), 0) / samples;
  const [mx, my] = [mean((p) => p.x), mean((p) => p.y)];
  const w = mean((p) => (p.x - mx) * (p.y - my)) / mean((p) => (p.x - mx) ** 2);
  return { x: w, y: my - w * mx };
}

/** Where the line stands after a share of the passes: x is the slope, y the intercept. */
export interface Stage extends Point {
  readonly pass: number;
}

/** Descends over shuffled batches; every stage but the start follows a step. */
export function train(batch: number): Stage[] {
  const order = random(5);
  const params = new ParameterDict({ w: [1], b: [1] });
  params.assign({ w: [start.x], b: [start.y] });
  const { data: values, grad } = params;
  const optimizer = new SGD(params, { lr });
  const stages: Stage[] = [{ pass: 0, ...start }];
  for (let pass = 0; pass < passes; pass++) {
    const indices = shuffled(samples, order);
    for (let from = 0; from < samples; from += batch) {
      optimizer.zeroGrad();
      for (const i of indices.slice(from, from + batch)) {
        const error = values.w[0] * data[i].x + values.b[0] - data[i].y;
        grad.w[0] += (error * data[i].x) / batch;
        grad.b[0] += error / batch;
      }
      optimizer.step();
      stages.push({ pass: pass + (from + batch) / samples, x: values.w[0], y: values.b[0] });
    }
  }
  optimizer.dispose();
  params.dispose();
  return stages;
}

const kinds = [
  { batch: 1, label: "stochastic: batch 1", colour: hue("sky"), width: 1 },
  { batch: 64, label: "mini-batch: 64", colour: hue("red"), width: 2 },
  { batch: samples, label: `batch: all ${samples.toLocaleString("en")}`, colour: inks.ink, width: 2.4 },
];

/** Batch, mini-batch and stochastic descent over the same passes. */
export function batches(): string {
  const best = bestLine();
  const least = lossOf(best.x, best.y);
  const runs = kinds.map((look) => ({
    look: { ...look, label: `${look.label}, ${((samples / look.batch) * passes).toLocaleString("en")} steps` },
    stages: train(look.batch),
  }));
  const excesses = runs.map(({ look, stages }) => ({
    look,
    points: stages
      .filter((_, i) => i % (look.batch === 1 ? 16 : 1) === 0)
      .map(({ pass, x, y }) => ({ x: pass, y: lossOf(x, y) - least })),
  }));
  const pathFrame: Frame = { x: [-1.8, 2.4], y: [-1.4, 1.6] };
  const lossFrame: Frame = { x: [0, passes], y: [1e-7, 1e1], logY: true };
  return figure({
    title: "Batch, mini-batch and stochastic gradient descent",
    subtitle: [
      `A line fitted to ${samples.toLocaleString("en")} points, lr ${lr}, ${passes} passes over the data each. The whole set makes ${passes} steps, exact but few; single`,
      "points come near within a tenth of a pass, then wander; batches of 64 are slower at first and end nearest.",
    ],
    rows: [
      [
        panel({
          title: "Paths over the loss of the whole set",
          width: (WIDTH - 16) / 2,
          height: 380,
          frame: pathFrame,
          xLabel: "slope w",
          yLabel: "intercept b",
          options: { color: contourColours([-2, 1]) },
          marks: (frame) => [
            contours(frame, (w, b) => lossOf(w, b) - least, [-2, 1]),
            ...landmarks(start, best),
            ...runs.flatMap(({ look, stages }) => curve(frame, stages, look, 2)),
            ...runs.slice(2).map(({ look, stages }) => Plot.dot(stages, { x: "x", y: "y", r: 2.6, fill: look.colour })),
            ...landmarkNames(start, best),
          ],
          names: runs.map(({ look, stages }) => ({ look, points: stages })),
          landmarks: landmarksOf(start, best),
        }),
        panel({
          title: "Loss above the least possible",
          width: (WIDTH - 16) / 2,
          height: 380,
          frame: lossFrame,
          xLabel: "passes over the data",
          yLabel: "loss − least loss",
          options: { y: { ticks: 6, tickFormat: powerOfTen, grid: true } },
          marks: (frame) => excesses.flatMap(({ look, points }) => curve(frame, points, look)),
          names: excesses,
        }),
      ],
    ],
    notes: [
      "Contours: two a decade of the loss above the least possible. Of the stochastic loss, every 16th step is drawn.",
    ],
  });
}
