// Several schedules, one after another.
import { counted, list, wholeFrom } from "../util/check.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { type Curve, closed } from "./curve.js";
import type { CommonScheduleOptions, Definition } from "./definition.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link SequentialLR}. */
export interface SequentialLROptions extends CommonScheduleOptions {
  /** Schedules of the same optimizer, in order. */
  schedulers: readonly LRScheduler[];
  /** Calls of `step()` after which the next schedule starts: increasing whole numbers >= 1, one fewer than schedules. */
  milestones: readonly number[];
}

/** The index of the schedule that is active at e. */
const activeAt = (milestones: readonly number[], e: number): number => milestones.filter((m) => m <= e).length;
const startOf = (milestones: readonly number[], i: number): number => (i > 0 ? milestones[i - 1] : 0);

const definition: Definition<Omit<SequentialLROptions, "schedulers">> = {
  name: "SequentialLR",
  kinds: { milestones: list(wholeFrom(1), "an array of whole numbers") },
  shorthands: ["schedulers"],
  defaults: {},
  conflictWith({ milestones }, inner) {
    const increasing = milestones.every((m, i) => i === 0 || m > milestones[i - 1]);
    if (increasing && milestones.length === inner - 1) return undefined;
    return {
      option: "milestones",
      expected: `${counted(inner - 1, "increasing whole number")}, for ${counted(inner, "schedule")}`,
    };
  },
  curve({ milestones }, inner): Curve {
    /** The active curve at e, and its own position. */
    const activeCurve = (e: number): { curve: Curve; at: number } => {
      const i = activeAt(milestones, e);
      return { curve: inner[i], at: e - startOf(milestones, i) };
    };
    const rate = (base: number, e: number, g: number): number => {
      const { curve, at } = activeCurve(e);
      const from = e > at && curve.continues ? curve.enter(rate(base, e - at - 1, g), base, g) : base;
      return curve.rate(from, at, g);
    };
    const move = (form: "next" | "chain") => (lr: number, base: number, e: number, g: number) => {
      const { curve, at } = activeCurve(e);
      if (e === 0) return curve.rate(base, 0, g);
      return milestones.includes(e) ? curve.enter(lr, base, g) : curve[form](lr, base, at, g);
    };
    return closed({
      rate,
      chain: move("chain"),
      next: move("next"),
      absolute: true,
      replayFrom(e, g) {
        const { curve, at } = activeCurve(e);
        return curve.continues ? 0 : e - at + (curve.replayFrom?.(at, g) ?? 0);
      },
      check(e) {
        const { curve, at } = activeCurve(e);
        curve.check?.(at);
      },
      ...(inner.some(({ momentum }) => momentum) && {
        momentum(e: number, g: number) {
          const { curve, at } = activeCurve(e);
          return curve.momentum?.(at, g);
        },
      }),
    });
  },
  schedulers: {
    together: false,
    active: ({ milestones }, i, e) => activeAt(milestones, e) === i,
    counter({ milestones }, i, e) {
      const last = i < milestones.length ? milestones[i] - 1 : Infinity;
      return Math.max(0, Math.min(e, last) - startOf(milestones, i));
    },
  },
};

/**
 * One schedule after another: each starts at the milestone before it, from the base rate. Make the inner schedules first,
 * on the same optimizer. The sequence then steps, saves and loads them.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedulers = [new LinearLR(optimizer, { totalIters: 100 }), new CosineAnnealingLR(optimizer, { tMax: 900 })];
 * const schedule = new SequentialLR(optimizer, { schedulers, milestones: [100] });
 */
export class SequentialLR extends LRScheduler {
  /**
   * @param optimizer The optimizer of the inner schedules. Its rates are set for e = 0.
   * @param options The schedules, and when each but the first starts.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: SequentialLROptions) {
    super(definition, optimizer, options);
  }
}
