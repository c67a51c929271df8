// One cycle of the rate over a run of known length.
import { belowOne, flag, fraction, nonNegative, number, oneOf, wholeFrom, wrongValue } from "../util/check.js";
import { cos } from "../util/exact.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { absolute } from "./curve.js";
import type { CommonScheduleOptions, Definition, PerGroup } from "./definition.js";
import { momentumCycle, perGroup, valueAt } from "./definition.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link OneCycleLR}. */
export interface OneCycleLROptions extends CommonScheduleOptions {
  /** The highest rate, >= 0; or an array, one for each group. */
  maxLr: PerGroup<number>;
  /** Calls of `step()` in total, a whole number >= 1. Or give `epochs` and `stepsPerEpoch`. */
  totalSteps?: number | undefined;
  /** With `stepsPerEpoch`, instead of `totalSteps`. */
  epochs?: number | undefined;
  /** With `epochs`, instead of `totalSteps`. */
  stepsPerEpoch?: number | undefined;
  /** The fraction of the steps in which the rate rises, in [0, 1]. Default 0.3. */
  pctStart?: number | undefined;
  /** The shape of each phase: half a cosine, "cos" (default), or a line, "linear". */
  annealStrategy?: "cos" | "linear" | undefined;
  /** Whether `momentum`, or `betas[0]`, cycles in the opposite direction. Default true. */
  cycleMomentum?: boolean | undefined;
  /** The lowest momentum, in [0, 1), where the rate is highest; or an array. Default 0.85. */
  baseMomentum?: PerGroup<number> | undefined;
  /** The highest momentum, in [0, 1); or an array. Default 0.95. */
  maxMomentum?: PerGroup<number> | undefined;
  /** The first rate is maxLr/divFactor. Default 25. */
  divFactor?: number | undefined;
  /** The last rate is the first/finalDivFactor. Default 1e4. */
  finalDivFactor?: number | undefined;
  /** Whether to fall to the first rate as fast as it rose, then to the last one. Default false: one fall. */
  threePhase?: boolean | undefined;
}

type Own = Omit<OneCycleLROptions, "epochs" | "stepsPerEpoch">;

const NAME = "OneCycleLR";
const steps = wholeFrom(1);
const divisor = number("a finite number > 0", (x) => x > 0 && x < Infinity);

const definition: Definition<Own> = {
  name: NAME,
  kinds: {
    maxLr: perGroup(nonNegative),
    totalSteps: steps,
    pctStart: fraction,
    annealStrategy: oneOf(["cos", "linear"]),
    cycleMomentum: flag,
    baseMomentum: perGroup(belowOne),
    maxMomentum: perGroup(belowOne),
    divFactor: divisor,
    finalDivFactor: divisor,
    threePhase: flag,
  },
  perGroup: ["maxLr", "baseMomentum", "maxMomentum"],
  defaults: {
    pctStart: 0.3,
    annealStrategy: "cos",
    cycleMomentum: true,
    baseMomentum: 0.85,
    maxMomentum: 0.95,
    divFactor: 25,
    finalDivFactor: 1e4,
    threePhase: false,
  },
  shorthands: ["epochs", "stepsPerEpoch"],
  complete(given) {
    const { epochs, stepsPerEpoch, ...rest } = given;
    if (epochs === undefined && stepsPerEpoch === undefined) return rest;
    if (rest.totalSteps !== undefined)
      throw wrongValue(NAME, "totalSteps", "nothing beside epochs and stepsPerEpoch", rest.totalSteps);
    return {
      ...rest,
      totalSteps: steps.read(NAME, "epochs", epochs) * steps.read(NAME, "stepsPerEpoch", stepsPerEpoch),
    };
  },
  rates: ["maxLr"],
  curve(options) {
    const { totalSteps, pctStart, divFactor, finalDivFactor, threePhase } = options;
    const top = pctStart * totalSteps - 1;
    const end = totalSteps - 1;
    const ends = threePhase ? [top, 2 * top, end] : [top, end];
    const check = (e: number): void => {
      if (e > totalSteps) throw new RangeError(`${NAME}: step() past the end: "totalSteps" is ${totalSteps}`);
    };
    /** The value at e, from values[phase] to values[phase + 1] in each phase. */
    const valueOf = (e: number, values: readonly number[]): number => {
      check(e);
      let phase = 0;
      while (phase < ends.length - 1 && e > ends[phase]) phase++;
      const from = phase > 0 ? ends[phase - 1] : 0;
      const part = ends[phase] > from ? (e - from) / (ends[phase] - from) : 1;
      return between(options.annealStrategy, values[phase], values[phase + 1], part);
    };
    const curve = absolute(
      (_, e, g) => {
        const high = valueAt(options.maxLr, g);
        const first = high / divFactor;
        const last = first / finalDivFactor;
        return valueOf(e, threePhase ? [first, high, first, last] : [first, high, last]);
      },
      momentumCycle(options, (low, high, e) => valueOf(e, [high, low, high, high])),
    );
    return { ...curve, check };
  },
};

/**
 * Interpolates. At the last step, e = totalSteps, `part` is a little above 1: PyTorch continues along the cosine, or along
 * the line to a rate below 0. Here the line stays at `to`.
 */
function between(strategy: "cos" | "linear", from: number, to: number, part: number): number {
  if (strategy === "cos") return to + ((from - to) / 2) * (1 + cos(Math.PI * part));
  return part < 1 ? from + (to - from) * part : to;
}

/**
 * One cycle: from maxLr/divFactor up to maxLr in the first pctStart·totalSteps steps, then down to
 * maxLr/divFactor/finalDivFactor. The momentum moves in the opposite direction. Base rates are not used.
 *
 * A `step()` after the totalSteps-th is an error.
 *
 * @see Smith, Topin (2018), https://arxiv.org/abs/1708.07120
 * @throws TypeError, RangeError for a wrong argument, and for cycleMomentum with an optimizer without a momentum.
 * @example
 * const schedule = new OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 1000 });
 */
export class OneCycleLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Those without a default are required.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: OneCycleLROptions) {
    super(definition, optimizer, options);
  }
}
