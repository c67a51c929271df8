// The plain mean of the parameters over all updates (SWA).
import { Average } from "./average.js";
import { knownOnly, record } from "../util/check.js";
import type { ParameterDict } from "../memory/parameters.js";

/**
 * The plain mean of the parameters over all updates (stochastic weight averaging): avg ← avg + (θ − avg)/(k + 1) at update
 * k from 0.
 *
 * State: 4 bytes a parameter, in the arena of the parameters.
 *
 * @see Izmailov et al. (2018), https://arxiv.org/abs/1803.05407
 * @throws TypeError for a wrong argument, RangeError when the arena has no room for the average.
 * @example
 * const swa = new WeightAverage(params);
 * optimizer.step();
 * swa.update();
 */
export class WeightAverage<Name extends string = string> extends Average<Name> {
  /**
   * @param params The parameters to average: a dictionary or a subset. The average takes memory in their arena at once.
   * @param options None so far.
   */
  constructor(params: ParameterDict<Name>, options: Readonly<Record<string, never>> = {}) {
    knownOnly("WeightAverage", "", record("WeightAverage", "options", options), []);
    super("WeightAverage", "gradstep/weight-average", params);
  }

  /** @internal */
  protected override setNextWeight(k: number): void {
    this.nextWeight[0] = 1 / (k + 1);
  }
}
