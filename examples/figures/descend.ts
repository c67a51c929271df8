import { ParameterDict } from "gradstep";
import type { Stepper } from "./rules.ts";
import type { Point, Surface } from "./surfaces.ts";

/** Where a descent stands after `step` steps, and the loss there. */
export interface Visit extends Point {
  readonly step: number;
  readonly loss: number;
}

/** Runs an optimizer on a surface from its start; gives `steps + 1` visits, the start first. */
export function descend(
  surface: Surface,
  make: (params: ParameterDict) => Stepper,
  steps: number = surface.steps,
): Visit[] {
  const params = new ParameterDict({ point: [2] });
  const { point } = params.data;
  point.set([surface.start.x, surface.start.y]);
  const optimizer = make(params);
  const visits: Visit[] = [];
  for (let step = 0; ; step++) {
    const [x, y] = point;
    visits.push({ step, x, y, loss: surface.loss(x, y) });
    if (step === steps) break;
    params.grad.point.set(surface.gradient(x, y));
    optimizer.step();
  }
  optimizer.dispose();
  params.dispose();
  return visits;
}
