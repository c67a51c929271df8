// Rates that go from one factor of the base rate to another in `totalIters` calls of `step()`: warm-up and decay.
import { fraction, nonNegative, number, wholeFrom } from "../util/check.js";
import { pow } from "../util/exact.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { scaling } from "./curve.js";
import type { CommonScheduleOptions, Definition } from "./definition.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link ConstantLR}. */
export interface ConstantLROptions extends CommonScheduleOptions {
  /** Factor before `totalIters`, in [0, 1]. Default 1/3. */
  factor?: number | undefined;
  /** Calls of `step()` to the base rate, a whole number >= 1. Default 5. */
  totalIters?: number | undefined;
}

const constant: Definition<ConstantLROptions> = {
  name: "ConstantLR",
  kinds: { factor: fraction, totalIters: wholeFrom(1) },
  defaults: { factor: 1 / 3, totalIters: 5 },
  curve: ({ factor, totalIters }) =>
    scaling({ factor: (e) => (e < totalIters ? factor : 1), ratio: (e) => (e === totalIters ? 1 / factor : 1) }),
};

/**
 * lr = base·factor while e < totalIters, then base.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new ConstantLR(optimizer, { factor: 0.1, totalIters: 100 });
 */
export class ConstantLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Default: all defaults.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: ConstantLROptions = {}) {
    super(constant, optimizer, options);
  }
}

/** Options of {@link LinearLR}. */
export interface LinearLROptions extends CommonScheduleOptions {
  /** Factor at the start, in (0, 1]. Default 1/3. */
  startFactor?: number | undefined;
  /** Factor from `totalIters` on, in [0, 1]. Default 1. */
  endFactor?: number | undefined;
  /** Calls of `step()` from the first factor to the last, a whole number >= 1. Default 5. */
  totalIters?: number | undefined;
}

const linear: Definition<LinearLROptions> = {
  name: "LinearLR",
  kinds: {
    startFactor: number("a number in (0, 1]", (x) => x > 0 && x <= 1),
    endFactor: fraction,
    totalIters: wholeFrom(1),
  },
  defaults: { startFactor: 1 / 3, endFactor: 1, totalIters: 5 },
  curve({ startFactor, endFactor, totalIters }) {
    const factor = (e: number): number =>
      e < totalIters ? startFactor + ((endFactor - startFactor) * e) / totalIters : endFactor;
    return scaling({ factor, ratio: (e) => (e > totalIters ? 1 : factor(e) / factor(e - 1)) });
  },
};

/**
 * lr = base·(startFactor + (endFactor − startFactor)·min(e, totalIters)/totalIters).
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new LinearLR(optimizer, { startFactor: 0.01, totalIters: 500 });
 */
export class LinearLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Default: all defaults.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: LinearLROptions = {}) {
    super(linear, optimizer, options);
  }
}

/** Options of {@link PolynomialLR}. */
export interface PolynomialLROptions extends CommonScheduleOptions {
  /** Calls of `step()` to 0, a whole number >= 1. Default 5. */
  totalIters?: number | undefined;
  /** The exponent, >= 0. Default 1. */
  power?: number | undefined;
}

const polynomial: Definition<PolynomialLROptions> = {
  name: "PolynomialLR",
  kinds: { totalIters: wholeFrom(1), power: nonNegative },
  defaults: { totalIters: 5, power: 1 },
  curve({ totalIters, power }) {
    const left = (e: number): number => 1 - Math.min(e, totalIters) / totalIters;
    return scaling({
      factor: (e) => pow(left(e), power),
      ratio: (e) => (e > totalIters ? 1 : pow(left(e) / left(e - 1), power)),
    });
  },
};

/**
 * lr = base·(1 − min(e, totalIters)/totalIters)^power.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new PolynomialLR(optimizer, { totalIters: 1000, power: 2 });
 */
export class PolynomialLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Default: all defaults.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: PolynomialLROptions = {}) {
    super(polynomial, optimizer, options);
  }
}
