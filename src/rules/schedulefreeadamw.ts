import { belowOne, epsilon, pair } from "../util/check.js";
import { raise } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import { OWN, type Rule, setDecay, exact, positive } from "../optimizer/rule.js";
import {
  LEAST_BETA,
  type ScheduleFreeOptions,
  advanceScheduleFree,
  scheduleFreeDefaults,
  scheduleFreeKinds,
  scheduleFreeStart,
  setScheduleFree,
} from "./schedulefreesgd.js";

/** Options of {@link ScheduleFreeAdamW}. */
export interface ScheduleFreeAdamWOptions extends ScheduleFreeOptions {
  /** Learning rate, >= 0. Default 0.0025: schedule-free rules take larger ones. */
  lr?: number | undefined;
  /** λ, >= 0: λθ is added to the scaled gradient. Default 0. */
  weightDecay?: number | undefined;
  /** β₁ in (0, 1), how far from z to the average gradients are taken; decay rate of the second moment in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-8. */
  eps?: number | undefined;
}

const rule: Rule<ScheduleFreeAdamWOptions> = {
  name: "ScheduleFreeAdamW",
  kinds: { ...scheduleFreeKinds, betas: pair(belowOne), eps: epsilon },
  defaults: { torch: { ...scheduleFreeDefaults, lr: 0.0025, betas: [0.9, 0.999], eps: 1e-8 } },
  conflict: ({ betas }) =>
    betas[0] < LEAST_BETA
      ? { option: "betas", expected: "a first rate > 0, without which there is no average" }
      : undefined,
  slots: () => ({ expAvgSq: positive(), z: exact("parameters") }),
  shared: { by: "group", start: scheduleFreeStart },
  advance: advanceScheduleFree,
  evaluation: { slot: "z", toEval: ({ betas }) => 1 - 1 / betas[0], toTrain: ({ betas }) => 1 - betas[0] },
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
 * Schedule-free AdamW: needs no decay of the learning rate. As `ScheduleFreeSGD`, with the gradient over the root of its
 * second moment, plus λθ. Call `eval()` to evaluate at the average, and `train()` before the next `step()`.
 *
 * State: `expAvgSq`, `z`, and by group `k`, `weightSum`, `lrMax`, `scheduledLr` and `share`; 8 bytes a parameter.
 *
 * @see Defazio et al. (2024), https://arxiv.org/abs/2405.15682
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new ScheduleFreeAdamW(params, { warmupSteps: 100, weightDecay: 0.01 });
 * optimizer.step();
 * optimizer.eval(); // the average
 * optimizer.train();
 */
export class ScheduleFreeAdamW<Name extends string = string> extends StepOptimizer<ScheduleFreeAdamWOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<ScheduleFreeAdamWOptions, Name> = {}) {
    super(rule, params, options);
  }
}
