// AdaBelief: Adam whose second moment measures how far gradients are from their moving average.
import { belowOne, epsilon, pair } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { commonDefaults, commonKinds, positive, setDecay, signed } from "../optimizer/rule.js";
import { setAdam } from "./adam.js";

/** Options of {@link AdaBelief}. */
export interface AdaBeliefOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the second moment at every step and to its root, >= 0. Default 1e-16. */
  eps?: number | undefined;
}

/** A tensor's state under {@link AdaBelief}. */
export type AdaBeliefState = TensorState<Record<"mu" | "nu", Vector>>;

const rule: Rule<AdaBeliefOptions> = {
  name: "AdaBelief",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.999], eps: 1e-16 } },
  slots: () => ({ mu: signed(), nu: positive() }),
  coefficients(c, o, t) {
    setDecay(c, o, false);
    setAdam(c, o, t);
  },
  sweep({ adabelief }, { at, c }) {
    adabelief(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9]);
  },
};

/**
 * AdaBelief: Adam whose second moment averages (g − m)² + ε, so that steps are long where the gradient is as predicted.
 *
 * State: `mu`, `nu`, under their names in optax; 8 bytes per parameter.
 * @see Zhuang et al. (2020), https://arxiv.org/abs/2010.07468
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new AdaBelief(params, { lr: 1e-3 });
 * optimizer.step();
 */
export class AdaBelief<Name extends string = string> extends StepOptimizer<AdaBeliefOptions, Name, AdaBeliefState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdaBeliefOptions, Name> = {}) {
    super(rule, params, options);
  }
}
