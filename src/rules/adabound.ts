// AdaBound: Adam whose rate of each element stays between bounds that close in on a rate of SGD.
import { above0, belowOne, epsilon, nonNegative, pair } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { perGroup } from "../optimizer/shared-numbers.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, fixedFlag, positive, setDecay, signed } from "../optimizer/rule.js";
import { setAdam } from "./adam.js";

/** Options of {@link AdaBound}. */
export interface AdaBoundOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-8. */
  eps?: number | undefined;
  /** The rate of SGD at the end, while lr is what it was when the group was made; it changes as lr does. >= 0. Default 0.1. */
  finalLr?: number | undefined;
  /** γ, how fast the bounds close in, > 0: at step t they are finalLr·(1 − 1/(γt + 1)) and finalLr·(1 + 1/(γt)). Default 1e-3. */
  gamma?: number | undefined;
  /** AMSBound: divide by the largest second moment so far. Default false. */
  amsbound?: boolean | undefined;
  /** AdaBoundW: decoupled weight decay, lr·λ·θ. Default false: λθ is added to the gradient. */
  decoupledWeightDecay?: boolean | undefined;
}

/** A tensor's state under {@link AdaBound}. `maxExpAvgSq` exists with `amsbound`; `baseLr` is the lr that its group was made with. */
export type AdaBoundState = TensorState<
  Record<"expAvg" | "expAvgSq", Vector> & Partial<Record<"maxExpAvgSq", Vector>> & Record<"baseLr", number>
>;

const rule: Rule<AdaBoundOptions> = {
  name: "AdaBound",
  kinds: {
    ...commonKinds,
    betas: pair(belowOne),
    eps: epsilon,
    finalLr: nonNegative,
    gamma: above0,
    amsbound: fixedFlag,
    decoupledWeightDecay: fixedFlag,
  },
  defaults: {
    torch: {
      ...commonDefaults,
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      finalLr: 0.1,
      gamma: 1e-3,
      amsbound: false,
      decoupledWeightDecay: false,
    },
  },
  slots: (o) => ({ expAvg: signed(), expAvgSq: positive(), maxExpAvgSq: o.amsbound ? positive() : undefined }),
  shared: perGroup(({ lr }) => ({ baseLr: lr })),
  coefficients(c, o, t, _, shared) {
    setDecay(c, o, o.decoupledWeightDecay);
    setAdam(c, o, t, true);
    const last = Math.fround(shared[0]) === 0 ? 0 : (o.finalLr * o.lr) / shared[0];
    c[OWN + 5] = o.eps;
    c[OWN + 6] = last * (1 - 1 / (o.gamma * t + 1));
    c[OWN + 7] = last * (1 + 1 / (o.gamma * t));
  },
  sweep({ adabound }, { at, c }) {
    // prettier-ignore
    adabound(at[0], at[1], at[2], at[3], at[4], at[5], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10]);
  },
};

/**
 * AdaBound: θ −= η·m, η = lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)/(√v + ε), kept between bounds that start at 0 and ∞ and close in on
 * `finalLr`: it begins as Adam and ends as SGD.
 *
 * State: `expAvg` and `expAvgSq`; `maxExpAvgSq` with `amsbound`; 8 (12) bytes per parameter. Per group `baseLr`, the lr that
 * it was made with.
 * @see Luo, Xiong, Liu, Sun (2019), https://arxiv.org/abs/1902.09843
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new AdaBound(params, { lr: 1e-3, finalLr: 0.1 });
 * optimizer.step();
 */
export class AdaBound<Name extends string = string> extends StepOptimizer<AdaBoundOptions, Name, AdaBoundState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdaBoundOptions, Name> = {}) {
    super(rule, params, options);
  }
}
