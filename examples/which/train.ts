// One run: a network from its start, trained by one contender at one learning rate, then tested.
import { CosineAnnealingLR, type LRScheduler, LinearLR, SequentialLR } from "gradstep/schedule";
import { type AnyOptimizer } from "../mnist/all-rules.ts";
import { type ContenderName, contender } from "./contenders.ts";
import { type Plan, type Task, type TaskName, plans } from "./tasks.ts";

/** What decides about the bits of a run. */
export interface Run {
  readonly task: TaskName;
  readonly contender: ContenderName;
  readonly lr: number;
  readonly seed: number;
}

/** What a run came to: less is better; null where the loss was no longer finite. */
export type Score = number | null;

/** Trains and tests. A run has the same bits everywhere. It may compute `most` gradients. */
export function train(
  { task: name, contender: who, lr, seed }: Run,
  task: Task,
  most: number = plans[name].gradients,
): Score {
  const plan: Plan = plans[name];
  const { gradients, scheduleFree, slots, make } = contender(who);
  const network = task.make({ seed, slots });
  const stepper = make(network.params, lr, plan.clipNorm);
  const { optimizers } = stepper;
  const steps = Math.floor(most / gradients);
  const schedules = optimizers.flatMap((optimizer) => schedule(optimizer, steps, plan.warmUp, scheduleFree));
  const next = task.batches(seed);
  let finite = true;
  for (let i = 0; i < steps && finite; i++) {
    const [x, y] = next();
    finite = Number.isFinite(stepper.step(() => network.trainBatch(x, y)));
    for (const one of schedules) one.step();
  }
  optimizers[0].eval(); // a schedule-free rule's parameters are others for evaluation
  const score = finite ? task.test(network) : NaN;
  for (const optimizer of optimizers) optimizer.dispose();
  network.dispose();
  return Number.isFinite(score) ? score : null;
}

/** A linear warm-up, then a cosine down to 0; a schedule-free rule keeps its rate after the warm-up. */
function schedule(optimizer: AnyOptimizer, steps: number, warmUp: number, scheduleFree: boolean): LRScheduler[] {
  const rising = Math.ceil(steps * warmUp);
  const rise = rising === 0 ? [] : [new LinearLR(optimizer, { startFactor: 1 / rising, totalIters: rising })];
  if (scheduleFree) return rise;
  const fall = new CosineAnnealingLR(optimizer, { tMax: steps - rising });
  return rise.length === 0
    ? [fall]
    : [new SequentialLR(optimizer, { schedulers: [...rise, fall], milestones: [rising] })];
}
