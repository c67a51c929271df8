// MADGRAD: dual averaging with momentum, scaled by the cube root of the sum of squares.
import { belowOne, epsilon } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { copyIn } from "../step/copied-slot.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import { type CommonOptions, OWN, type Rule, commonDefaults, commonKinds, setDecay, exact } from "../optimizer/rule.js";

/** Options of {@link MADGRAD}. */
export interface MADGRADOptions extends CommonOptions {
  /** Learning rate, >= 0; at 0 nothing moves. Default 1e-2. */
  lr?: number | undefined;
  /** Momentum, in [0, 1). Default 0.9. */
  momentum?: number | undefined;
  /** Added to the cube root and to lr, >= 0. Default 1e-6. */
  eps?: number | undefined;
}

/** A tensor's state under {@link MADGRAD}. */
export type MADGRADState = TensorState<Record<"gradSumSq" | "s" | "x0", Vector>>;

const rule: Rule<MADGRADOptions> = {
  name: "MADGRAD",
  kinds: { ...commonKinds, momentum: belowOne, eps: epsilon },
  defaults: { torch: { ...commonDefaults, lr: 1e-2, momentum: 0.9, eps: 1e-6 } },
  slots: () => ({ gradSumSq: exact(), s: exact(), x0: exact() }),
  copied: copyIn(2),
  coefficients(c, o, t) {
    setDecay(c, o, false);
    const frozen = Math.fround(o.lr) === 0;
    c[OWN] = frozen ? 0 : (o.lr + o.eps) * Math.sqrt(t);
    c[OWN + 1] = o.eps;
    c[OWN + 2] = frozen ? 0 : 1 - o.momentum;
  },
  sweep({ madgrad }, { at, c }) {
    madgrad(at[0], at[1], at[2], at[3], at[4], at[5], c[0], c[1], c[2], c[3], c[4], c[5]);
  },
};

/**
 * MADGRAD: sums S of λₜg² and s of λₜg with λₜ = (lr + ε)·√t; θ += (1 − momentum)·(θ₀ − s/(∛S + ε) − θ), where θ₀ is the
 * initial θ. Use less weight decay than with SGD.
 *
 * State: `gradSumSq` (S), `s` and `x0` (θ₀); 12 bytes per parameter.
 * @see Defazio, Jelassi (2021), https://arxiv.org/abs/2101.11075
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new MADGRAD(params, { lr: 1e-2 });
 * optimizer.step();
 */
export class MADGRAD<Name extends string = string> extends StepOptimizer<MADGRADOptions, Name, MADGRADState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<MADGRADOptions, Name> = {}) {
    super(rule, params, options);
  }
}
