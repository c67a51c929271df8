import { belowOne, epsilon, float, nonNegative, number, pair, wrongValue } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import { type CommonOptions, GS, type Rule, commonDefaults, commonKinds, exact } from "../optimizer/rule.js";

/** Options of {@link Prodigy}. Those of the first group that has tensors count where all are taken together. */
export interface ProdigyOptions extends CommonOptions {
  /** A factor of the step size that is found, >= 0; the same in all groups, or 0 in those that are to stay. Default 1. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, times d, >= 0. Default 1e-8. */
  eps?: number | undefined;
  /** What d starts at, > 0. Default 1e-6. */
  d0?: number | undefined;
  /** A factor of the estimate of d, >= 0. Default 1. */
  dCoef?: number | undefined;
  /** How many times larger d may get in a step once it has left d0, >= 1, also Infinity (default). */
  growthRate?: number | undefined;
}

// What the optimizer's tensors have in common.
const [D, MAX, NUMERATOR] = [0, 1, 2];
/** Of the step at hand: the old d, the numerator and the denominator of the estimate. */
const pass = new Float64Array(3);
const [OLD, N, SUM] = [0, 1, 2];

const rule: Rule<ProdigyOptions> = {
  name: "Prodigy",
  kinds: {
    ...commonKinds,
    betas: pair(belowOne),
    eps: epsilon,
    d0: float("a finite number > 0", (x) => x > 0 && x < Infinity),
    dCoef: nonNegative,
    growthRate: number("a number >= 1", (x) => x >= 1),
  },
  defaults: {
    torch: { ...commonDefaults, lr: 1, betas: [0.9, 0.999], eps: 1e-8, d0: 1e-6, dCoef: 1, growthRate: Infinity },
  },
  scope: "tensor",
  slots: () => ({ expAvg: exact(), expAvgSq: exact(), s: exact(), p0: exact("parameters") }),
  shared: { by: "optimizer", start: ({ d0 }) => ({ d: d0, dMax: d0, dNumerator: 0 }) },
  ready(groups) {
    let first = 0;
    for (let g = 0; g < groups.length; g++) {
      const { lr } = groups[g].options;
      if (!groups[g].occupied) continue;
      if (first === 0) first = lr;
      else if (lr !== 0 && lr !== first)
        throw wrongValue("Prodigy", `paramGroups[${g}].lr`, `${first}, as other groups have, or 0`, lr);
    }
  },
  gather: {
    before({ betas }, shared) {
      pass[OLD] = shared[D];
      pass[N] = shared[NUMERATOR] * Math.sqrt(betas[1]);
      pass[SUM] = 0;
    },
    visit({ dotDifference, prodigyMoments, sumOfAbs }, { at, c, size }, { lr, betas, d0 }) {
      if (lr === 0) return;
      const d = pass[OLD];
      const weight = (d / d0) * (d * lr);
      const b1 = betas[0];
      const b2 = betas[1];
      pass[N] += weight * c[GS] * dotDifference(size, at[2], at[6], at[1]);
      // prettier-ignore
      prodigyMoments(at[0], at[2], at[3], at[4], at[5], c[GS], b1, d * (1 - b1), b2, d * d * (1 - b2), Math.sqrt(b2), weight);
      pass[SUM] += sumOfAbs(size, at[5]);
    },
    between({ d0, dCoef, growthRate }, shared) {
      if (pass[SUM] === 0) return false;
      const estimate = (dCoef * pass[N]) / pass[SUM];
      // A NaN is no estimate: d stays.
      if (estimate > shared[MAX]) shared[MAX] = estimate;
      const from = pass[OLD] === d0 && estimate > d0 ? estimate : pass[OLD];
      shared[D] = Math.min(shared[MAX], from * growthRate);
      shared[NUMERATOR] = pass[N];
      return true;
    },
  },
  sweep({ prodigy }, { at, shared }, { lr, eps, weightDecay }) {
    const rate = pass[OLD] * lr;
    if (rate !== 0) prodigy(at[0], at[1], at[3], at[4], weightDecay * rate, rate, shared[D] * eps);
  },
};

/**
 * Prodigy: Adam that finds its step size d, from how far the gradients say the start is from the solution. With the
 * moments of d·g: θ −= d·lr·m/(√v + d·ε); d rises towards dCoef·Σ⟨g, θ₀ − θ⟩/‖s‖₁, both weighted sums over all steps and
 * tensors. Weight decay is decoupled. While all gradients are 0, nothing moves, and nothing decays. Leave lr at 1, with or
 * without a schedule.
 *
 * State: `expAvg`, `expAvgSq`, `s`, `p0`, and of the optimizer `d`, `dMax`, `dNumerator`; 16 bytes a parameter.
 *
 * @see Mishchenko, Defazio (2024), https://arxiv.org/abs/2306.06101
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors. `step()` throws a
 * RangeError when groups differ in lr, other than by 0.
 * @example
 * const optimizer = new Prodigy(params, { weightDecay: 0.01 });
 * optimizer.step();
 */
export class Prodigy<Name extends string = string> extends StepOptimizer<ProdigyOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<ProdigyOptions, Name> = {}) {
    super(rule, params, options);
  }
}
