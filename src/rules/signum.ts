// Signum: moves every element by lr in the direction of the sign of its momentum, or of the gradient (signSGD).
import { belowOne } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, setDecay, signed } from "../optimizer/rule.js";

/** Options of {@link Signum}. */
export interface SignumOptions extends CommonOptions {
  /** Learning rate, >= 0: how far every element moves. Default 1e-3. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0. Default 0. */
  weightDecay?: number | undefined;
  /** μ of the average of the gradients, in [0, 1); 0: signSGD, without state. Default 0.9. */
  momentum?: number | undefined;
}

/** A tensor's state under {@link Signum}. `momentumBuffer` exists with a momentum. */
export type SignumState = TensorState<Partial<Record<"momentumBuffer", Vector>>>;

const rule: Rule<SignumOptions> = {
  name: "Signum",
  kinds: { ...commonKinds, momentum: belowOne },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, momentum: 0.9 } },
  slots: (o) => ({ momentumBuffer: o.momentum > 0 ? signed() : undefined }),
  coefficients(c, o) {
    setDecay(c, o, true);
    c[OWN] = c[OWN + 2] = o.momentum;
    c[OWN + 1] = c[OWN + 3] = 1 - o.momentum;
    c[OWN + 4] = o.lr;
  },
  sweep({ signum }, { at, c }) {
    signum(at[0], at[1], at[2], at[3], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
  },
};

/**
 * Signum: b = μb + (1 − μ)g, θ −= lr·λ·θ + lr·sign(b). Every element moves by lr; without a momentum it is signSGD.
 *
 * State: none; with a momentum `momentumBuffer`, 4 bytes per parameter.
 * @see Bernstein et al. (2018), https://arxiv.org/abs/1802.04434
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Signum(params, { lr: 1e-4, momentum: 0.9 });
 * optimizer.step();
 */
export class Signum<Name extends string = string> extends StepOptimizer<SignumOptions, Name, SignumState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<SignumOptions, Name> = {}) {
    super(rule, params, options);
  }
}
