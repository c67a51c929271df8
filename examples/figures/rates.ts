import { SGD } from "gradstep";
import { type Visit, descend } from "./descend.ts";
import type { Frame } from "./frame.ts";
import { landmarkNames, landmarks } from "./paths.ts";
import { WIDTH, figure } from "./figure.ts";
import { contourColours, contours, curve, dots, panel, powerOfTen } from "./plot.ts";
import { surfaces } from "./surfaces.ts";
import { hue, inks } from "./theme.ts";

/** The quadratic's larger curvature is 25: from lr = 2/25 = 0.08 on, plain descent diverges. */
const cases = [
  { label: "too small: lr 0.003", lr: 0.003, colour: hue("grey") },
  { label: "right: lr 0.07", lr: 0.07, colour: inks.ink },
  { label: "too large: lr 0.082", lr: 0.082, colour: hue("red") },
];
const steps = 60;

/** A learning rate too small, right and too large, for plain gradient descent on the quadratic. */
export function rates(): string {
  const surface = surfaces.quadratic;
  const runs = cases.map((look) => {
    const visits = descend(surface, (params) => new SGD(params, { lr: look.lr }), steps);
    const gone = firstOutside(visits);
    return { look, visits, gone, shown: visits.slice(0, gone === undefined ? visits.length : gone + 1) };
  });
  const lossFrame: Frame = { x: [0, steps], y: [1e-3, 1e4], logY: true };
  return figure({
    title: "A learning rate too small, right and too large",
    subtitle: [
      `Plain gradient descent on f(x, y) = ${surface.formula}, ${steps} steps, a dot a step. Each step multiplies y by 1 − 25·lr:`,
      `beyond lr = 0.08 that is below −1, and y grows until step ${runs[2].gone} leaves the frame, where the path is cut off.`,
    ],
    rows: [
      runs.map(({ look, shown }) =>
        panel({
          title: look.label,
          width: (WIDTH - 16) / 3,
          height: 300,
          frame: surface.domain,
          xLabel: "x",
          yLabel: "y",
          options: { color: contourColours(surface.contours), x: { ticks: 5 } },
          marks: (frame) => [
            contours(frame, (x, y) => surface.loss(x, y), surface.contours),
            ...landmarks(surface.start, surface.minimum),
            ...curve(frame, shown, look, 0),
            dots(frame, shown.slice(1), { r: 2, fill: look.colour, ariaLabel: () => `steps: ${look.label}` }),
            ...landmarkNames(surface.start, surface.minimum),
          ],
        }),
      ),
      [
        panel({
          title: "Loss",
          width: WIDTH - 16,
          height: 250,
          frame: lossFrame,
          xLabel: "steps",
          yLabel: "loss",
          options: { y: { ticks: 4, tickFormat: powerOfTen, grid: true } },
          marks: (frame) =>
            runs.flatMap(({ look, visits }) =>
              curve(
                frame,
                visits.map(({ step, loss }) => ({ x: step, y: loss })),
                look,
                0,
              ),
            ),
          names: runs.map(({ look, visits }) => ({
            look,
            points: visits.map(({ step, loss }) => ({ x: step, y: loss })),
          })),
        }),
      ],
    ],
    notes: ["Contours: two a decade of f, darker is higher. A triangle marks where a curve leaves its frame."],
  });
}

/** The first step that ends outside the frame. */
function firstOutside(visits: readonly Visit[]): number | undefined {
  const { x, y } = surfaces.quadratic.domain;
  return visits.find((v) => v.x < x[0] || v.x > x[1] || v.y < y[0] || v.y > y[1])?.step;
}
