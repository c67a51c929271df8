import { type Kind, nonNegative, wrongType } from "../check.js";
import { setting } from "./curve.js";
import { type Definition, type PerGroup, perGroup, valueAt } from "./definition.js";
import type { AnyOptimizer } from "./rates.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link LambdaLR}. */
export interface LambdaLROptions {
  /** From the number of calls of `step()` to a factor, finite and >= 0; or an array of such functions, one for each group. */
  lrLambda: PerGroup<(e: number) => number>;
}

const NAME = "LambdaLR";

const lambda: Kind<(e: number) => number> = {
  live: false,
  read(owner, name, value) {
    if (typeof value !== "function") throw wrongType(owner, name, "a function", value);
    return value as (e: number) => number;
  },
};

const definition: Definition<LambdaLROptions> = {
  name: NAME,
  kinds: { lrLambda: perGroup(lambda) },
  perGroup: ["lrLambda"],
  unsaved: ["lrLambda"],
  defaults: {},
  curve: ({ lrLambda }) =>
    setting((base, e, g) => {
      const factor = valueAt(NAME, "lrLambda", lrLambda, g)(e);
      return base * nonNegative.read(NAME, `lrLambda(${e})`, factor);
    }),
};

/**
 * lr = base·lrLambda(e). The function must give the same for the same e. It is not in `stateDict()`, which has the counter
 * and base rates alone: make the schedule with the same function before you load.
 *
 * @throws TypeError, RangeError for a wrong argument, and for what the function gives.
 * @example
 * const schedule = new LambdaLR(optimizer, { lrLambda: (e) => 1 / (1 + 0.1 * e) });
 */
export class LambdaLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates it sets: now for e = 0, then at each {@link step}.
   * @param options The function, or one for each group.
   */
  constructor(optimizer: AnyOptimizer, options: LambdaLROptions) {
    super(definition, optimizer, options);
  }
}
