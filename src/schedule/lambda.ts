import { type Kind, nonNegative, wrongType } from "../util/check.js";
import { recursive, setting } from "./curve.js";
import { type CommonScheduleOptions, type Definition, type PerGroup, perGroup, valueAt } from "./definition.js";
import type { AnyOptimizer } from "./rates.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link LambdaLR}. */
export interface LambdaLROptions extends CommonScheduleOptions {
  /** From the number of calls of `step()` to a factor, finite and >= 0; or an array of such functions, one for each group. */
  lrLambda: PerGroup<(e: number) => number>;
}

type Factors = PerGroup<(e: number) => number>;

const lambda: Kind<(e: number) => number> = {
  live: false,
  read(owner, name, value) {
    if (typeof value !== "function") throw wrongType(owner, name, "a function", value);
    return value as (e: number) => number;
  },
};

const common = {
  kinds: { lrLambda: perGroup(lambda) },
  perGroup: ["lrLambda"],
  rates: ["lrLambda"],
  unsaved: ["lrLambda"],
  defaults: {},
} as const;

/** What group g's function gives at e. */
const factorAt = (name: string, lrLambda: Factors, e: number, g: number): number =>
  nonNegative.read(name, `lrLambda(${e})`, valueAt(lrLambda, g)(e));

const ofBase: Definition<LambdaLROptions> = {
  ...common,
  name: "LambdaLR",
  curve: ({ lrLambda }) => setting((base, e, g) => base * factorAt("LambdaLR", lrLambda, e, g)),
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
    super(ofBase, optimizer, options);
  }
}

/** Options of {@link MultiplicativeLR}. */
export interface MultiplicativeLROptions extends CommonScheduleOptions {
  /** From the number of calls of `step()` to a factor, finite and >= 0; or an array of such functions, one for each group. */
  lrLambda: PerGroup<(e: number) => number>;
}

const ofPresent: Definition<MultiplicativeLROptions> = {
  ...common,
  name: "MultiplicativeLR",
  curve({ lrLambda }) {
    const factor = (e: number, g: number): number => factorAt("MultiplicativeLR", lrLambda, e, g);
    return recursive({
      rate(base, e, g) {
        let lr = base;
        for (let at = 1; at <= e; at++) lr *= factor(at, g);
        return lr;
      },
      chain: (lr, _, e, g) => (e === 0 ? lr : lr * factor(e, g)),
      enter: (lr, _, g) => lr * factor(0, g),
      continues: true,
    });
  },
};

/**
 * lr ← lr·lrLambda(e): each call of `step()` multiplies the rate that is there. The function is not in `stateDict()`: make
 * the schedule with the same function before you load.
 *
 * @throws TypeError, RangeError for a wrong argument, and for what the function gives.
 * @example
 * const schedule = new MultiplicativeLR(optimizer, { lrLambda: () => 0.95 });
 */
export class MultiplicativeLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates it multiplies at each {@link step}.
   * @param options The function, or one for each group.
   */
  constructor(optimizer: AnyOptimizer, options: MultiplicativeLROptions) {
    super(ofPresent, optimizer, options);
  }
}
