// Rates that fall by a factor gamma repeatedly.
import { list, nonNegative, whole, wholeFrom } from "../util/check.js";
import { wholePower } from "../util/exact.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { scaling } from "./curve.js";
import type { CommonScheduleOptions, Definition } from "./definition.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link StepLR}. */
export interface StepLROptions extends CommonScheduleOptions {
  /** Calls of `step()` between falls, a whole number >= 1. */
  stepSize: number;
  /** Factor of each fall, >= 0. Default 0.1. */
  gamma?: number | undefined;
}

const step: Definition<StepLROptions> = {
  name: "StepLR",
  kinds: { stepSize: wholeFrom(1), gamma: nonNegative },
  defaults: { gamma: 0.1 },
  curve: ({ stepSize, gamma }) =>
    scaling({
      factor: (e) => wholePower(gamma, Math.floor(e / stepSize)),
      ratio: (e) => (e % stepSize === 0 ? gamma : 1),
    }),
};

/**
 * lr = base·γ^⌊e/stepSize⌋.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new StepLR(optimizer, { stepSize: 30 });
 * schedule.step(); // after each epoch
 */
export class StepLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Those without a default are required.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: StepLROptions) {
    super(step, optimizer, options);
  }
}

/** Options of {@link MultiStepLR}. */
export interface MultiStepLROptions extends CommonScheduleOptions {
  /** When the rate falls, in calls of `step()`: whole numbers >= 0 in any order; it falls twice at a repeated one. */
  milestones: readonly number[];
  /** Factor of each fall, >= 0. Default 0.1. */
  gamma?: number | undefined;
}

const multiStep: Definition<MultiStepLROptions> = {
  name: "MultiStepLR",
  kinds: { milestones: list(whole, "an array of whole numbers"), gamma: nonNegative },
  defaults: { gamma: 0.1 },
  curve({ milestones, gamma }) {
    const falls = (which: (m: number) => boolean): number => wholePower(gamma, milestones.filter(which).length);
    return scaling({ factor: (e) => falls((m) => m <= e), ratio: (e) => falls((m) => m === e) });
  },
};

/**
 * lr = base·γⁿ, where n is the number of milestones ≤ e.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new MultiStepLR(optimizer, { milestones: [60, 80] });
 */
export class MultiStepLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Those without a default are required.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: MultiStepLROptions) {
    super(multiStep, optimizer, options);
  }
}

/** Options of {@link ExponentialLR}. */
export interface ExponentialLROptions extends CommonScheduleOptions {
  /** Factor at each call of `step()`, >= 0. */
  gamma: number;
}

const exponential: Definition<ExponentialLROptions> = {
  name: "ExponentialLR",
  kinds: { gamma: nonNegative },
  defaults: {},
  curve: ({ gamma }) => scaling({ factor: (e) => wholePower(gamma, e), ratio: () => gamma }),
};

/**
 * lr = base·γᵉ.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new ExponentialLR(optimizer, { gamma: 0.95 });
 */
export class ExponentialLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Those without a default are required.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: ExponentialLROptions) {
    super(exponential, optimizer, options);
  }
}
