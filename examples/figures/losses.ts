import { descend } from "./descend.ts";
import type { Frame } from "./frame.ts";
import { widthOf } from "./paths.ts";
import { WIDTH, figure } from "./figure.ts";
import { curve, panel, powerOfTen } from "./plot.ts";
import { families, familyTitles, rules } from "./rules.ts";
import { type SurfaceKey, surfaces } from "./surfaces.ts";

/** Longer than the paths, so that each rule's end is seen. */
const steps: Readonly<Record<SurfaceKey, number>> = { quadratic: 150, rosenbrock: 1000, beale: 600 };

/** Loss against steps, a row a surface: the runs of the path pictures, continued. */
export function losses(): string {
  const ofFamily = families.map((family) => rules.filter((rule) => rule.family === family));
  return figure({
    title: "Loss against steps, every rule on three surfaces",
    subtitle: [
      "The runs of the path pictures, continued at the same learning rates. Late jumps of Adadelta, RMSprop and NAdam:",
      "where gradients stay small, the averages they divide by fade, and the steps grow past what the curvature bears.",
      "AdamW’s weight decay holds it off a minimum that is not the origin.",
    ],
    rows: (Object.keys(surfaces) as SurfaceKey[]).map((key) => {
      const surface = surfaces[key];
      const frame: Frame = { x: [0, steps[key]], y: [1e-8, 1e3], logY: true };
      return ofFamily.map((members, i) => {
        const runs = members.map((rule, k) => {
          const visits = descend(surface, (params) => rule.make(params, rule.lr[key]), steps[key]);
          return {
            look: { ...rule, width: widthOf(k) },
            points: visits.map(({ step, loss }) => ({ x: step, y: loss })),
          };
        });
        return panel({
          title: `${surface.title}: ${familyTitles[families[i]].toLowerCase()}`,
          width: (WIDTH - 16) / 2,
          height: 260,
          frame,
          xLabel: "steps",
          yLabel: "loss f − f(minimum)",
          options: { y: { ticks: [1e-8, 1e-6, 1e-4, 1e-2, 1, 1e2], tickFormat: powerOfTen, grid: true } },
          marks: (pixels) => runs.flatMap(({ look, points }) => curve(pixels, points, look)),
          names: runs,
        });
      });
    }),
    notes: ["A triangle marks where a curve leaves the frame."],
  });
}
