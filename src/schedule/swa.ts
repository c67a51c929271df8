// A schedule for the end of a run in which weights are averaged.
import { nonNegative, oneOf, whole } from "../util/check.js";
import { sin } from "../util/exact.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { closed } from "./curve.js";
import { type CommonScheduleOptions, type Definition, type PerGroup, perGroup, valueAt } from "./definition.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link SWALR}. */
export interface SWALROptions extends CommonScheduleOptions {
  /** The final rate, >= 0; or an array, one for each group. */
  swaLr: PerGroup<number>;
  /** Calls of `step()` to the final rate, a whole number >= 0. Default 10. */
  annealEpochs?: number | undefined;
  /** The shape: half a cosine, "cos" (default), or a line, "linear". */
  annealStrategy?: "cos" | "linear" | undefined;
}

const definition: Definition<SWALROptions> = {
  name: "SWALR",
  kinds: { swaLr: perGroup(nonNegative), annealEpochs: whole, annealStrategy: oneOf(["cos", "linear"]) },
  perGroup: ["swaLr"],
  rates: ["swaLr"],
  defaults: { annealEpochs: 10, annealStrategy: "cos" },
  fromPresent: true,
  curve({ swaLr, annealEpochs, annealStrategy }) {
    /** The fraction of the distance to the final rate that is left at e. */
    const left = (e: number): number => {
      const t = annealEpochs === 0 ? 0 : Math.max(0, annealEpochs - e) / annealEpochs;
      if (annealStrategy === "linear") return t;
      const root = sin((Math.PI / 2) * t);
      return root * root;
    };
    const end = (g: number): number => valueAt(swaLr, g);
    return closed({
      rate: (base, e, g) => interpolate(end(g), base, left(e)),
      chain(lr, _, e, g) {
        const before = e === 0 ? 1 : left(e - 1);
        return before === 0 ? end(g) : interpolate(end(g), lr, left(e) / before);
      },
      enter: (lr, _, g) => interpolate(end(g), lr, left(0)),
      continues: true,
      replayFrom: (e) => (e > annealEpochs ? e : 0),
    });
  },
};

/** `from` where `left` is 1, `to` where it is 0. */
const interpolate = (to: number, from: number, left: number): number =>
  left === 1 ? from : to * (1 - left) + from * left;

/**
 * From the present rate to swaLr in `annealEpochs` calls of `step()`, then swaLr: for the last part of a run, in which a
 * `WeightAverage` averages the weights.
 *
 * @see Izmailov et al. (2018), https://arxiv.org/abs/1803.05407
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new SWALR(optimizer, { swaLr: 0.05 });
 */
export class SWALR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set at each {@link step}.
   * @param options Those without a default are required.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: SWALROptions) {
    super(definition, optimizer, options);
  }
}
