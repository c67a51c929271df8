// Rates from a function of your own.
import { type Kind, nonNegative, wrongType } from "../util/check.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { absolute, recursive } from "./curve.js";
import { type CommonScheduleOptions, type Definition, type PerGroup, perGroup, valueAt } from "./definition.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link LambdaLR}. */
export interface LambdaLROptions extends CommonScheduleOptions {
  /** Returns a factor, finite and >= 0, for the number of calls of `step()`; or an array of functions, one for each group. */
  lrLambda: PerGroup<(e: number) => number>;
}

const functionKind: Kind<(e: number) => number> = {
  live: false,
  read(owner, name, value) {
    if (typeof value !== "function") throw wrongType(owner, name, "a function", value);
    return value as (e: number) => number;
  },
};

const common = {
  kinds: { lrLambda: perGroup(functionKind) },
  perGroup: ["lrLambda"],
  rates: ["lrLambda"],
  unsaved: ["lrLambda"],
  defaults: {},
} as const;

const factorAt = (name: string, lrLambda: LambdaLROptions["lrLambda"], e: number, g: number): number =>
  nonNegative.read(name, `lrLambda(${e})`, valueAt(lrLambda, g)(e));

const lambda: Definition<LambdaLROptions> = {
  ...common,
  name: "LambdaLR",
  curve: ({ lrLambda }) => absolute((base, e, g) => base * factorAt("LambdaLR", lrLambda, e, g)),
};

/**
 * lr = base·lrLambda(e). The function must return the same factor for the same e. It is not in `stateDict()`: make the
 * schedule with the same function before you load.
 *
 * @throws TypeError, RangeError for a wrong argument, or a wrong factor from the function.
 * @example
 * const schedule = new LambdaLR(optimizer, { lrLambda: (e) => 1 / (1 + 0.1 * e) });
 */
export class LambdaLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options The function, or one for each group.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: LambdaLROptions) {
    super(lambda, optimizer, options);
  }
}

/** Options of {@link MultiplicativeLR}. */
export type MultiplicativeLROptions = LambdaLROptions;

const multiplicative: Definition<MultiplicativeLROptions> = {
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
 * lr ← lr·lrLambda(e): each call of `step()` multiplies the present rate. The function is not in `stateDict()`: make the
 * schedule with the same function before you load.
 *
 * @throws TypeError, RangeError for a wrong argument, or a wrong factor from the function.
 * @example
 * const schedule = new MultiplicativeLR(optimizer, { lrLambda: () => 0.95 });
 */
export class MultiplicativeLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are multiplied at each {@link step}.
   * @param options The function, or one for each group.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: MultiplicativeLROptions) {
    super(multiplicative, optimizer, options);
  }
}
