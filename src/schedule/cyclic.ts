// Rates that rise and fall in cycles without an end.
import { belowOne, flag, nonNegative, oneOf, wholeFrom } from "../util/check.js";
import { wholePower } from "../util/exact.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { absolute } from "./curve.js";
import type { CommonScheduleOptions, Definition, PerGroup } from "./definition.js";
import { momentumCycle, perGroup, valueAt } from "./definition.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link CyclicLR}. */
export interface CyclicLROptions extends CommonScheduleOptions {
  /** The lowest rate, >= 0; or an array, one for each group. */
  baseLr: PerGroup<number>;
  /** The highest rate, >= 0; or an array. */
  maxLr: PerGroup<number>;
  /** Calls of `step()` from the lowest to the highest, a whole number >= 1. Default 2000. */
  stepSizeUp?: number | undefined;
  /** Calls of `step()` from the highest to the lowest. Default: `stepSizeUp`. */
  stepSizeDown?: number | undefined;
  /** The height of cycles: constant, "triangular" (default); halved each time, "triangular2"; or gammaᵉ, "exp_range". */
  mode?: "triangular" | "triangular2" | "exp_range" | undefined;
  /** The base of "exp_range", >= 0. Default 1. */
  gamma?: number | undefined;
  /** Whether `momentum`, or `betas[0]`, cycles in the opposite direction. Default true. */
  cycleMomentum?: boolean | undefined;
  /** The lowest momentum, in [0, 1), where the rate is highest; or an array. Default 0.8. */
  baseMomentum?: PerGroup<number> | undefined;
  /** The highest momentum, in [0, 1); or an array. Default 0.9. */
  maxMomentum?: PerGroup<number> | undefined;
}

const UP = 2000;

const definition: Definition<CyclicLROptions> = {
  name: "CyclicLR",
  kinds: {
    baseLr: perGroup(nonNegative),
    maxLr: perGroup(nonNegative),
    stepSizeUp: wholeFrom(1),
    stepSizeDown: wholeFrom(1),
    mode: oneOf(["triangular", "triangular2", "exp_range"]),
    gamma: nonNegative,
    cycleMomentum: flag,
    baseMomentum: perGroup(belowOne),
    maxMomentum: perGroup(belowOne),
  },
  perGroup: ["baseLr", "maxLr", "baseMomentum", "maxMomentum"],
  defaults: {
    stepSizeUp: UP,
    mode: "triangular",
    gamma: 1,
    cycleMomentum: true,
    baseMomentum: 0.8,
    maxMomentum: 0.9,
  },
  complete: (given) => ({ ...given, stepSizeDown: given.stepSizeDown ?? given.stepSizeUp ?? UP }),
  rates: ["baseLr", "maxLr"],
  curve(options) {
    const { stepSizeUp, stepSizeDown, mode, gamma } = options;
    const period = stepSizeUp + stepSizeDown;
    const height = (e: number): number => {
      const cycle = Math.floor(e / period);
      const c = e - cycle * period;
      const h = c <= stepSizeUp ? c / stepSizeUp : (period - c) / stepSizeDown;
      if (mode === "triangular") return h;
      return h * (mode === "triangular2" ? wholePower(0.5, cycle) : wholePower(gamma, e));
    };
    return absolute(
      (_, e, g) => {
        const low = valueAt(options.baseLr, g);
        return low + (valueAt(options.maxLr, g) - low) * height(e);
      },
      momentumCycle(options, (low, high, e) => high - (high - low) * height(e)),
    );
  },
};

/**
 * lr = baseLr + (maxLr − baseLr)·h, where h rises from 0 to 1 in stepSizeUp steps and falls back in stepSizeDown, scaled
 * by `mode`. The momentum moves in the opposite direction. Base rates are not used.
 *
 * @see Smith (2017), https://arxiv.org/abs/1506.01186
 * @throws TypeError, RangeError for a wrong argument, and for cycleMomentum with an optimizer without a momentum.
 * @example
 * const schedule = new CyclicLR(optimizer, { baseLr: 1e-4, maxLr: 1e-2, stepSizeUp: 500 });
 */
export class CyclicLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Those without a default are required.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: CyclicLROptions) {
    super(definition, optimizer, options);
  }
}
