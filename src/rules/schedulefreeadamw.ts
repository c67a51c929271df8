// Schedule-free AdamW: averages the iterates instead of decaying the learning rate.
import { belowOne, epsilon, pair } from "../util/check.js";
import { raise } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import { OWN, type Rule, setDecay, exact, positive } from "../optimizer/rule.js";
import type { ScheduleFreeOptions } from "./schedulefreesgd.js";
import { MIN_BETA, scheduleFree, scheduleFreeDefaults, scheduleFreeKinds, setScheduleFree } from "./schedulefreesgd.js";

/** Options of {@link ScheduleFreeAdamW}. */
export interface ScheduleFreeAdamWOptions extends ScheduleFreeOptions {
  /** Learning rate, >= 0; schedule-free rules need larger ones. Default 0.0025. */
  lr?: number | undefined;
  /** λ, >= 0: λθ is added to the scaled gradient. Default 0. */
  weightDecay?: number | undefined;
  /** β₁ in (0, 1): gradients are taken at (1 − β₁)z + β₁x; decay rate of the second moment in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-8. */
  eps?: number | undefined;
}

/** A tensor's state under {@link ScheduleFreeAdamW}. */
export type ScheduleFreeAdamWState = TensorState<
  Record<"expAvgSq" | "z", Vector> & Record<"k" | "weightSum" | "lrMax" | "scheduledLr" | "share", number>
>;

const rule: Rule<ScheduleFreeAdamWOptions> = {
  name: "ScheduleFreeAdamW",
  kinds: { ...scheduleFreeKinds, betas: pair(belowOne), eps: epsilon },
  defaults: { torch: { ...scheduleFreeDefaults, lr: 0.0025, betas: [0.9, 0.999], eps: 1e-8 } },
  conflict: ({ betas }) =>
    betas[0] < MIN_BETA
      ? { option: "betas", expected: "a first rate > 0, without which there is no average" }
      : undefined,
  slots: () => ({ expAvgSq: positive(), z: exact() }),
  ...scheduleFree<ScheduleFreeAdamWOptions>("ScheduleFreeAdamW", 1, ({ betas }) => betas[0]),
  coefficients(c, o, _, __, shared) {
    setDecay(c, o, false);
    c[OWN] = o.betas[1];
    c[OWN + 1] = 1 - o.betas[1];
    c[OWN + 2] = o.betas[1];
    raise(c, OWN + 2, shared[0]);
    c[OWN + 2] = 1 / Math.sqrt(1 - c[OWN + 2]);
    c[OWN + 3] = o.eps;
    c[OWN + 5] = o.betas[0];
    setScheduleFree(c, OWN + 4, shared);
  },
  sweep({ schedulefreeadamw }, { at, c }) {
    // prettier-ignore
    schedulefreeadamw(
      at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9],
    );
  },
};

/**
 * Schedule-free AdamW: `ScheduleFreeSGD` with the gradient divided by the root of its second moment, plus λθ. Call `eval()`
 * to evaluate at the average x, and `train()` before the next `step()`.
 *
 * State: `expAvgSq` and `z`; per group `k`, `weightSum`, `lrMax`, `scheduledLr` and `share`; 8 bytes per parameter.
 * @see Defazio et al. (2024), https://arxiv.org/abs/2405.15682
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new ScheduleFreeAdamW(params, { warmupSteps: 100, weightDecay: 0.01 });
 * optimizer.step();
 * optimizer.eval(); // the average
 * optimizer.train();
 */
export class ScheduleFreeAdamW<Name extends string = string> extends StepOptimizer<
  ScheduleFreeAdamWOptions,
  Name,
  ScheduleFreeAdamWState
> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<ScheduleFreeAdamWOptions, Name> = {}) {
    super(rule, params, options);
  }
}
