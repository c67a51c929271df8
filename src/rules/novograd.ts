// NovoGrad: momentum on gradients that are divided by their norm, per tensor.
import { belowOne, epsilon, pair } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
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

/** A tensor's state under {@link NovoGrad}. */
export type NovoGradState = TensorState<Record<"mu", Vector> & Record<"nu", number>>;

const rule: Rule<NovoGradOptions> = {
  name: "NovoGrad",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.25], eps: 1e-6 } },
  sweepAll: sweepTensors,
  slots: () => ({ mu: exact() }),
  scalars: { nu: 0 },
  sweep({ sumOfSquares, sgd }, { at, c, t, size, scalars }, { lr, betas, eps, weightDecay }) {
    const square = c[GS] * c[GS] * sumOfSquares(size, at[2]);
    scalars[0] = t === 1 ? square : betas[1] * scalars[0] + (1 - betas[1]) * square;
    sgd(at[0], at[1], at[2], at[3], c[GS] / (Math.sqrt(scalars[0]) + eps), weightDecay, 0, betas[0], 1, lr, 0);
  },
};

/**
 * NovoGrad: per tensor ν = β₂ν + (1 − β₂)‖g‖² (‖g‖² at the first step), μ = β₁μ + g/(√ν + ε) + λθ, θ −= lr·μ.
 *
 * State: `mu`, and the number `nu`; 4 bytes per parameter.
 * @see Ginsburg et al. (2019), https://arxiv.org/abs/1905.11286
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new NovoGrad(params, { lr: 0.01, betas: [0.95, 0.98], weightDecay: 1e-3 });
 * optimizer.step();
 */
export class NovoGrad<Name extends string = string> extends StepOptimizer<NovoGradOptions, Name, NovoGradState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<NovoGradOptions, Name> = {}) {
    super(rule, params, options);
  }
}
