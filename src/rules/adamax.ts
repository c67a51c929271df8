// Adamax: Adam with the largest recent gradient in place of the root mean square.
import { belowOne, epsilon, pair } from "../util/check.js";
import { raise } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, positive, setDecay, signed } from "../optimizer/rule.js";

/** Options of {@link Adamax}. */
export interface AdamaxOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 2e-3; Keras, optax 1e-3. */
  lr?: number | undefined;
  /** Decay rates of the first moment and of the maximum, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to |g|, >= 0; in Keras's dialect added to the maximum. Default 1e-8; Keras 1e-7. */
  eps?: number | undefined;
}

/** A tensor's state under {@link Adamax}. */
export type AdamaxState = TensorState<Record<"expAvg" | "expInf", Vector>>;

const defaults = { ...commonDefaults, betas: [0.9, 0.999] as const };

const rule: Rule<AdamaxOptions> = {
  name: "Adamax",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon },
  defaults: {
    torch: { ...defaults, lr: 2e-3, eps: 1e-8 },
    keras: { ...defaults, lr: 1e-3, eps: 1e-7 },
    optax: { ...defaults, lr: 1e-3, eps: 1e-8 },
  },
  slots: () => ({ expAvg: signed(), expInf: positive() }),
  coefficients(c, o, t) {
    const outside = o.dialect === "keras";
    setDecay(c, o, false);
    c[OWN] = o.betas[0];
    c[OWN + 1] = 1 - o.betas[0];
    c[OWN + 2] = o.betas[1];
    c[OWN + 3] = o.betas[0];
    raise(c, OWN + 3, t);
    c[OWN + 3] = o.lr / (1 - c[OWN + 3]);
    c[OWN + 4] = outside ? 0 : o.eps;
    c[OWN + 5] = outside ? o.eps : 0;
  },
  sweep({ adamax }, { at, c }) {
    adamax(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8]);
  },
};

/**
 * Adamax: θ −= lr/(1 − β₁ᵗ)·m/u, where m is the moving average of the gradient and u = max(β₂u, |g| + ε) its decaying
 * maximum.
 *
 * State: `expAvg` and `expInf`; 8 bytes per parameter.
 * @see Kingma, Ba (2015), section 7, https://arxiv.org/abs/1412.6980
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Adamax(params, { lr: 1e-3 });
 * optimizer.step();
 */
export class Adamax<Name extends string = string> extends StepOptimizer<AdamaxOptions, Name, AdamaxState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdamaxOptions, Name> = {}) {
    super(rule, params, options);
  }
}
