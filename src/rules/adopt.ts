// ADOPT: Adam that scales each gradient by the second moment of the step before.
import { belowOne, epsilon, nonNegative, pair } from "../util/check.js";
import { exponentiate, logarithm } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, positive, setDecay, setMoments, signed } from "../optimizer/rule.js";

/** Options of {@link ADOPT}. */
export interface ADOPTOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3; optax: must be given. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.9999]. */
  betas?: readonly [number, number] | undefined;
  /** Lower bound of the divisor of a gradient, >= 0. Default 1e-6. */
  eps?: number | undefined;
  /** Scaled gradients are clamped to ±(t − 1)^clipExponent, >= 0. Default 0.333, about ∛(t − 1), as in timm; optax 0.25. */
  clipExponent?: number | undefined;
}

/** A tensor's state under {@link ADOPT}. */
export type ADOPTState = TensorState<Record<"expAvg" | "expAvgSq", Vector>>;

const defaults = { ...commonDefaults, betas: [0.9, 0.9999] as const, eps: 1e-6 };

const rule: Rule<ADOPTOptions> = {
  name: "ADOPT",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon, clipExponent: nonNegative },
  defaults: { torch: { ...defaults, lr: 1e-3, clipExponent: 0.333 }, optax: { ...defaults, clipExponent: 0.25 } },
  later: ["clipExponent"],
  slots: () => ({ expAvg: signed(), expAvgSq: positive() }),
  coefficients(c, o, t) {
    setDecay(c, o, false);
    setMoments(c, o.betas);
    if (t === 1) {
      c[OWN + 2] = 0;
      c[OWN + 3] = 1;
      c[OWN + 4] = 0;
    } else {
      c[OWN + 4] = t - 1;
      logarithm(c, OWN + 4);
      c[OWN + 4] *= o.clipExponent;
      exponentiate(c, OWN + 4);
    }
    c[OWN + 5] = o.eps;
    c[OWN + 6] = o.lr;
  },
  sweep({ adopt }, { at, c }) {
    adopt(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9]);
  },
};

/**
 * ADOPT: m is the moving average of g/max(√v, ε), with the previous step's v, clamped to ±(t − 1)^clipExponent; θ −= lr·m.
 * It converges for any β₂. A tensor's first step only sets v = g².
 *
 * State: `expAvg` and `expAvgSq`; 8 bytes per parameter.
 * @see Taniguchi et al. (2024), https://arxiv.org/abs/2411.02853
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new ADOPT(params, { lr: 1e-3 });
 * optimizer.step();
 */
export class ADOPT<Name extends string = string> extends StepOptimizer<ADOPTOptions, Name, ADOPTState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<ADOPTOptions, Name> = {}) {
    super(rule, params, options);
  }
}
