import { counted, wholeFrom } from "../util/check.js";
import { type Curve, closed } from "./curve.js";
import { type CommonScheduleOptions, type Definition, list } from "./definition.js";
import type { AnyOptimizer } from "./rates.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link SequentialLR}. */
export interface SequentialLROptions extends CommonScheduleOptions {
  /** Schedules of the same optimizer, in order. */
  schedulers: readonly LRScheduler[];
  /** Calls of `step()` at which the next one takes over: whole numbers >= 1 that increase, one less than schedules. */
  milestones: readonly number[];
}

/** Which schedule is at work at e. */
const active = (milestones: readonly number[], e: number): number => milestones.filter((m) => m <= e).length;
const startOf = (milestones: readonly number[], i: number): number => (i > 0 ? milestones[i - 1] : 0);

const definition: Definition<Omit<SequentialLROptions, "schedulers">> = {
  name: "SequentialLR",
  kinds: { milestones: list(wholeFrom(1), "an array of whole numbers") },
  shorthands: ["schedulers"],
  defaults: {},
  conflict({ milestones }, inner) {
    const rising = milestones.every((m, i) => i === 0 || m > milestones[i - 1]);
    if (rising && milestones.length === inner - 1) return undefined;
    return {
      option: "milestones",
      expected: `${counted(inner - 1, "increasing whole number")}, for ${counted(inner, "schedule")}`,
    };
  },
  curve({ milestones }, inner): Curve {
    /** The phase at e, its curve, and where this is. */
    const phase = (e: number): { curve: Curve; at: number } => {
      const i = active(milestones, e);
      return { curve: inner[i], at: e - startOf(milestones, i) };
    };
    const begins = (e: number): boolean => milestones.includes(e);
    const rate = (base: number, e: number, g: number): number => {
      const { curve, at } = phase(e);
      const from = e > at && curve.continues ? curve.enter(rate(base, e - at - 1, g), base, g) : base;
      return curve.rate(from, at, g);
    };
    const move = (way: "next" | "chain") => (lr: number, base: number, e: number, g: number) => {
      const { curve, at } = phase(e);
      if (e === 0) return curve.rate(base, 0, g);
      return begins(e) ? curve.enter(lr, base, g) : curve[way](lr, base, at, g);
    };
    return closed({
      rate,
      chain: move("chain"),
      next: move("next"),
      outright: true,
      since(e, g) {
        const { curve, at } = phase(e);
        return curve.continues ? 0 : e - at + (curve.since?.(at, g) ?? 0);
      },
      check(e) {
        const { curve, at } = phase(e);
        curve.check?.(at);
      },
      ...(inner.some(({ momentum }) => momentum) && {
        momentum(e: number, g: number) {
          const { curve, at } = phase(e);
          return curve.momentum?.(at, g);
        },
      }),
    });
  },
  schedulers: {
    together: false,
    active: ({ milestones }, i, e) => active(milestones, e) === i,
    counter({ milestones }, i, e) {
      const last = i < milestones.length ? milestones[i] - 1 : Infinity;
      return Math.max(0, Math.min(e, last) - startOf(milestones, i));
    },
  },
};

/**
 * One schedule after another: the i-th begins, from the base rate, at the milestone before it. Make them first, on the
 * same optimizer; from then on they are stepped, saved and loaded with the whole.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedulers = [new LinearLR(optimizer, { totalIters: 100 }), new CosineAnnealingLR(optimizer, { tMax: 900 })];
 * const schedule = new SequentialLR(optimizer, { schedulers, milestones: [100] });
 */
export class SequentialLR extends LRScheduler {
  /**
   * @param optimizer The optimizer that the inner schedules were made on. Its rates are set for e = 0.
   * @param options The schedules, and when each but the first begins.
   */
  constructor(optimizer: AnyOptimizer, options: SequentialLROptions) {
    super(definition, optimizer, options);
  }
}
