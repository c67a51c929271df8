import { belowOne, epsilon, pair } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import { type CommonOptions, GS, type Rule, commonDefaults, commonKinds, exact } from "../optimizer/rule.js";

/** Options of {@link NovoGrad}. */
export interface NovoGradOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** Decay rates of the first moment and of the gradient's squared norm, each in [0, 1). Default [0.9, 0.25]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the squared norm, >= 0. Default 1e-6. */
  eps?: number | undefined;
}

const rule: Rule<NovoGradOptions> = {
  name: "NovoGrad",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.25], eps: 1e-6 } },
  scope: "tensor",
  slots: () => ({ mu: exact() }),
  scalars: { nu: 0 },
  sweep({ sumOfSquares, sgd }, { at, c, t, size, scalars }, { lr, betas, eps, weightDecay }) {
    const square = c[GS] * c[GS] * sumOfSquares(size, at[2]);
    scalars[0] = t === 1 ? square : betas[1] * scalars[0] + (1 - betas[1]) * square;
    sgd(at[0], at[1], at[2], at[3], c[GS] / (Math.sqrt(scalars[0]) + eps), weightDecay, 0, betas[0], 1, lr, 0);
  },
};

/**
 * NovoGrad: momentum on gradients that are divided, tensor by tensor, by their norm: ν = β₂ν + (1 − β₂)‖g‖² (‖g‖² at the
 * first step), μ = β₁μ + g/(√ν + ε) + λθ, θ −= lr·μ.
 *
 * State: `mu`, and by tensor the number `nu`; 4 bytes a parameter.
 *
 * @see Ginsburg et al. (2019), https://arxiv.org/abs/1905.11286
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new NovoGrad(params, { lr: 0.01, betas: [0.95, 0.98], weightDecay: 1e-3 });
 * optimizer.step();
 */
export class NovoGrad<Name extends string = string> extends StepOptimizer<NovoGradOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<NovoGradOptions, Name> = {}) {
    super(rule, params, options);
  }
}
