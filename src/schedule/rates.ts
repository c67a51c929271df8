import { Optimizer } from "../base.js";
import { wrongType, wrongValue } from "../check.js";
import { SCHEDULABLE } from "../schedulable.js";
import type { Curve } from "./curve.js";

/** Any optimizer, TensorFlow.js's form of one too: whatever its options and the names of its tensors. */
export type AnyOptimizer = Pick<Optimizer, "dispose"> & {
  /** The groups whose rates a schedule sets, in order. */
  readonly paramGroups: readonly {
    /** The group's learning rate, which the optimizer checks when it is set. */
    lr: number;
  }[];
};

/** Throws for what is no optimizer. */
export function checkOptimizer(owner: string, optimizer: unknown): void {
  const marked = typeof optimizer === "object" && optimizer !== null && SCHEDULABLE in optimizer;
  if (!marked && !(optimizer instanceof Optimizer)) throw wrongType(owner, "optimizer", "an optimizer", optimizer);
}

/** What the groups of an optimizer started from, and the rates that a schedule set last. */
const known = new WeakMap<AnyOptimizer, { readonly bases: readonly number[]; readonly rates: readonly number[] }>();

interface WithMomentum {
  lr: number;
  momentum?: number;
  betas?: readonly number[];
}

/**
 * Whether a schedule set the group's rate: its base rate is then that schedule's, so that one built after another starts
 * from the same. A rate that the user has set since is a base rate itself.
 */
export function knownBase(optimizer: AnyOptimizer, g: number): number | undefined {
  const entry = known.get(optimizer);
  return entry?.rates[g] === optimizer.paramGroups[g].lr ? entry.bases[g] : undefined;
}

/** The base rate from which the curve is at `lr` now: a rate is linear in its base rate. */
export function baseBehind(curve: Curve, lr: number, e: number, g: number): number {
  const low = curve.rate(0, e, g);
  const base = (lr - low) / (curve.rate(1, e, g) - low);
  return base >= 0 && base < Infinity ? base : lr;
}

/** The rate and the momentum of every group at e. */
export interface Evaluated {
  readonly rates: readonly number[];
  readonly momenta: readonly (number | undefined)[];
}

export function evaluate(owner: string, curve: Curve, bases: readonly number[], e: number): Evaluated {
  const rates = bases.map((base, g) => curve.rate(base, e, g));
  for (const rate of rates)
    if (!(rate >= 0 && rate < Infinity)) throw wrongValue(owner, "lr", "a finite number >= 0", rate);
  return { rates, momenta: bases.map((_, g) => curve.momentum?.(e, g)) };
}

/** Sets the groups' rates, and momenta where they are cycled: all of them, or when the optimizer refuses one, none. */
export function write(
  owner: string,
  optimizer: AnyOptimizer,
  { rates, momenta }: Evaluated,
  bases?: readonly number[],
): void {
  const groups: readonly WithMomentum[] = optimizer.paramGroups;
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
  if (bases) known.set(optimizer, { bases, rates });
}

/** Throws for an optimizer that was made without a momentum to cycle. */
export function needMomentum(owner: string, optimizer: AnyOptimizer): void {
  const groups: readonly WithMomentum[] = optimizer.paramGroups;
  if (!groups.every(({ betas, momentum }) => betas !== undefined || (momentum !== undefined && momentum > 0)))
    throw withoutMomentum(owner, optimizer);
}

function withoutMomentum(owner: string, optimizer: AnyOptimizer): RangeError {
  const name = optimizer instanceof Optimizer ? optimizer.rule.name : "an optimizer";
  return wrongValue(owner, "cycleMomentum", `false for ${name} without a momentum`, true);
}
