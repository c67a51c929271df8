// Reads and sets the rates and momenta of an optimizer's groups.
import { wrongType, wrongValue } from "../util/check.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { RESTORED } from "../optimizer/groups.js";
import type { Curve } from "./curve.js";

/** What a schedule needs of an optimizer. `Lookahead`, `SAM` and TensorFlow.js's form of an optimizer have it too. */
type Groups = Pick<AnyOptimizer, "paramGroups">;

/** A group as schedules see it. */
type Group = AnyOptimizer["paramGroups"][number] & {
  momentum?: number;
  betas?: readonly number[];
  readonly [RESTORED]?: boolean;
};

export function checkOptimizer(owner: string, optimizer: unknown): void {
  if (!Array.isArray((optimizer as Partial<Groups> | null | undefined)?.paramGroups))
    throw wrongType(owner, "optimizer", "an optimizer", optimizer);
}

/** Throws for arguments that a `step()` does not use. */
export function refuseArguments(owner: string, given: readonly unknown[], expected: string): void {
  const used = given.findIndex((value) => value !== undefined);
  if (used >= 0) throw wrongType(owner, "step()", expected, given[used]);
}

/** The rate of a group after the last step of a schedule. */
const stepped = new WeakMap<object, number>();

/** The rate that a new schedule gives to a group at e. */
export function startRate(curve: Curve, optimizer: Groups, base: number, e: number, g: number): number {
  const group: Group = optimizer.paramGroups[g];
  const { lr, initialLr } = group;
  if (curve.absolute || initialLr === undefined || group[RESTORED]) return curve.rate(base, e, g);
  // Another schedule is at work: this one changes the rate that the other one set.
  return e === 0 ? curve.chain(lr, base, 0, g) : curve.rate(stepped.get(group) === lr ? lr : base, e, g);
}

/** The base rate for which the curve is at `lr` now: a rate is linear in its base rate. */
export function baseRateFor(curve: Curve, lr: number, e: number, g: number): number {
  const low = curve.rate(0, e, g);
  const base = (lr - low) / (curve.rate(1, e, g) - low);
  return base >= 0 && base < Infinity ? base : lr;
}

/** The rate of every group, and its momentum if it is cycled. */
export interface Values {
  readonly rates: readonly number[];
  readonly momenta: readonly (number | undefined)[];
}

/** Checks rates, raises those below 0 (which PyTorch would set) to 0, and adds the momenta. */
export function valuesAt(owner: string, curve: Curve, rates: readonly number[], e: number): Values {
  const raised = rates.map((rate) => Math.max(0, rate));
  for (const rate of raised) if (!(rate < Infinity)) throw wrongValue(owner, "lr", "a finite number >= 0", rate);
  return { rates: raised, momenta: rates.map((_, g) => curve.momentum?.(e, g)) };
}

/** Sets the groups' rates and momenta: all of them or, when the optimizer refuses one, none. */
export function setValues(owner: string, optimizer: Groups, { rates, momenta }: Values, byStep: boolean): void {
  const groups: readonly Group[] = optimizer.paramGroups;
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
    for (const restore of undo.reverse()) restore();
    throw error;
  }
  groups.forEach((group, g) => {
    if (byStep) stepped.set(group, rates[g]);
    else stepped.delete(group);
  });
}

/** Writes base rates into the groups, for other schedules and for checkpoints. */
export function writeBases(optimizer: Groups, bases: readonly number[], overwrite = false): void {
  optimizer.paramGroups.forEach((group, g) => {
    if (overwrite || group.initialLr === undefined) group.initialLr = bases[g];
  });
}

export const momentaOf = (optimizer: Groups): (number | undefined)[] =>
  optimizer.paramGroups.map(({ betas, momentum }: Group) => betas?.[0] ?? momentum);

/** Throws for an optimizer without a momentum to cycle. */
export function checkMomentum(owner: string, optimizer: Groups): void {
  const groups: readonly Group[] = optimizer.paramGroups;
  if (!groups.every(({ betas, momentum }) => betas !== undefined || (momentum !== undefined && momentum > 0)))
    throw withoutMomentum(owner, optimizer);
}

function withoutMomentum(owner: string, optimizer: Groups & { rule?: { readonly name?: string } }): RangeError {
  const name = optimizer.rule?.name ?? "an optimizer";
  return wrongValue(owner, "cycleMomentum", `false for ${name} without a momentum`, true);
}
