import { Optimizer } from "../optimizer/optimizer.js";
import { wrongType, wrongValue } from "../util/check.js";
import { RESTORED } from "../optimizer/groups.js";
import { SCHEDULABLE } from "../optimizer/schedulable.js";
import type { Curve } from "./curve.js";

/** Any optimizer, TensorFlow.js's form of one and a `Lookahead` too: whatever its options and the names of its tensors. */
export type AnyOptimizer = Pick<Optimizer, "dispose"> & {
  /** The groups whose rates a schedule sets, in order. */
  readonly paramGroups: readonly {
    /** The group's learning rate, which the optimizer checks when it is set. */
    lr: number;
    /** The rate before a schedule set it, which the first schedule writes. */
    initialLr?: number | undefined;
  }[];
};

/** A group as schedules see it. */
type ScheduledGroup = AnyOptimizer["paramGroups"][number] & {
  momentum?: number;
  betas?: readonly number[];
  readonly [RESTORED]?: boolean;
};

/** Throws for what is no optimizer. */
export function checkOptimizer(owner: string, optimizer: unknown): void {
  const marked = typeof optimizer === "object" && optimizer !== null && SCHEDULABLE in optimizer;
  if (!marked && !(optimizer instanceof Optimizer)) throw wrongType(owner, "optimizer", "an optimizer", optimizer);
}

/** Throws for arguments that a `step()` does not use. */
export function refuseArguments(owner: string, given: readonly unknown[], expected: string): void {
  const used = given.findIndex((value) => value !== undefined);
  if (used >= 0) throw wrongType(owner, "step()", expected, given[used]);
}

/** By group: the rate that a schedule came to last by a call of its own. */
const cameTo = new WeakMap<object, number>();

/** The rate that a new schedule gives to a group, at e. */
export function startRate(curve: Curve, optimizer: AnyOptimizer, base: number, e: number, g: number): number {
  const group: ScheduledGroup = optimizer.paramGroups[g];
  const { lr, initialLr } = group;
  if (curve.outright || initialLr === undefined || group[RESTORED]) return curve.rate(base, e, g);
  // Where another schedule is at work, this one moves what that one has come to.
  return e === 0 ? curve.chain(lr, base, 0, g) : curve.rate(cameTo.get(group) === lr ? lr : base, e, g);
}

/** The base rate from which the curve is at `lr` now: a rate is linear in its base rate. */
export function baseBehind(curve: Curve, lr: number, e: number, g: number): number {
  const low = curve.rate(0, e, g);
  const base = (lr - low) / (curve.rate(1, e, g) - low);
  return base >= 0 && base < Infinity ? base : lr;
}

/** The rate of every group, and its momentum where it is cycled. */
export interface Evaluated {
  readonly rates: readonly number[];
  readonly momenta: readonly (number | undefined)[];
}

/** Checks rates: those below 0, which PyTorch sets, are 0. */
export function evaluate(owner: string, curve: Curve, rates: readonly number[], e: number): Evaluated {
  const raised = rates.map((rate) => Math.max(0, rate));
  for (const rate of raised) if (!(rate < Infinity)) throw wrongValue(owner, "lr", "a finite number >= 0", rate);
  return { rates: raised, momenta: rates.map((_, g) => curve.momentum?.(e, g)) };
}

/**
 * Sets the groups' rates, and momenta where they are cycled: all of them, or when the optimizer refuses one, none.
 * `arrived`: whether a schedule has come to the rates by itself.
 */
export function write(owner: string, optimizer: AnyOptimizer, { rates, momenta }: Evaluated, arrived: boolean): void {
  const groups: readonly ScheduledGroup[] = optimizer.paramGroups;
  const undo: (() => void)[] = [];
  try {
    rates.forEach((rate, g) => {
      const group = groups[g];
      const { lr } = group;
      group.lr = rate;
      undo.push(() => (group.lr = lr));
      const momentum = momenta[g];
      if (momentum === undefined) return;
      const { betas, momentum: before } = group;
      if (betas) {
        group.betas = [momentum, ...betas.slice(1)];
        undo.push(() => (group.betas = betas));
      } else if (before !== undefined) {
        group.momentum = momentum;
        undo.push(() => (group.momentum = before));
      } else {
        throw withoutMomentum(owner, optimizer);
      }
    });
  } catch (error) {
    for (const back of undo.reverse()) back();
    throw error;
  }
  groups.forEach((group, g) => {
    if (arrived) cameTo.set(group, rates[g]);
    else cameTo.delete(group);
  });
}

/** Writes down what the groups started from, where nobody has: for other schedules, and for checkpoints. */
export function keepBases(optimizer: AnyOptimizer, bases: readonly number[], replace = false): void {
  optimizer.paramGroups.forEach((group, g) => {
    if (replace || group.initialLr === undefined) group.initialLr = bases[g];
  });
}

/** The momenta as they are. */
export const momentaOf = (optimizer: AnyOptimizer): (number | undefined)[] =>
  optimizer.paramGroups.map(({ betas, momentum }: ScheduledGroup) => betas?.[0] ?? momentum);

/** Throws for an optimizer that was made without a momentum to cycle. */
export function needMomentum(owner: string, optimizer: AnyOptimizer): void {
  const groups: readonly ScheduledGroup[] = optimizer.paramGroups;
  if (!groups.every(({ betas, momentum }) => betas !== undefined || (momentum !== undefined && momentum > 0)))
    throw withoutMomentum(owner, optimizer);
}

function withoutMomentum(owner: string, optimizer: AnyOptimizer): RangeError {
  const name = optimizer instanceof Optimizer ? optimizer.rule.name : "an optimizer";
  return wrongValue(owner, "cycleMomentum", `false for ${name} without a momentum`, true);
}
