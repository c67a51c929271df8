// LARS: SGD whose gradients are scaled per tensor to the length of the tensor.
import { epsilon, finite, flag, nonNegative } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import { type CommonOptions, GS, OWN, type Rule, WD, commonDefaults, commonKinds, exact } from "../optimizer/rule.js";

/** Options of {@link LARS}. */
export interface LARSOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1. */
  lr?: number | undefined;
  /** μ, >= 0. Default 0: no momentum and no state. */
  momentum?: number | undefined;
  /** After the first step the gradient enters the buffer times 1 − dampening; any finite number. Default 0. */
  dampening?: number | undefined;
  /** Nesterov momentum; requires a momentum and no dampening. Default false. */
  nesterov?: boolean | undefined;
  /** Length of a step with lr 1, relative to the tensor's norm, >= 0. Default 1e-3. */
  trustCoefficient?: number | undefined;
  /** Added to the norm of the gradient, >= 0. Default 1e-8. */
  eps?: number | undefined;
}

/** A tensor's state under {@link LARS}. `momentumBuffer` exists with a momentum. */
export type LARSState = TensorState<Partial<Record<"momentumBuffer", Vector>>>;

const rule: Rule<LARSOptions> = {
  name: "LARS",
  aliases: "trustCoefficient=trustcoeff,eeta",
  kinds: {
    ...commonKinds,
    momentum: nonNegative,
    dampening: finite,
    nesterov: flag,
    trustCoefficient: nonNegative,
    eps: epsilon,
  },
  defaults: {
    torch: { ...commonDefaults, lr: 1, momentum: 0, dampening: 0, nesterov: false, trustCoefficient: 1e-3, eps: 1e-8 },
  },
  conflict({ momentum, dampening, nesterov }) {
    if (nesterov && dampening !== 0) return { option: "dampening", expected: "nothing but 0 with nesterov" };
    if (nesterov && momentum === 0) return { option: "nesterov", expected: "false unless there is a momentum" };
    return undefined;
  },
  sweepAll: sweepTensors,
  slots: (o) => ({ momentumBuffer: o.momentum > 0 ? exact() : undefined }),
  sweep({ sumOfSquares, sgd }, { at, c, t, size }, o) {
    const { lr, momentum, weightDecay, nesterov } = o;
    c[WD] = weightDecay;
    if (weightDecay !== 0) {
      const weights = Math.sqrt(sumOfSquares(size, at[1]));
      const gradient = Math.sqrt(sumOfSquares(size, at[2])) * Math.abs(c[GS]);
      if (weights > 0 && gradient > 0) {
        const ratio = (o.trustCoefficient * weights) / (gradient + weights * weightDecay + o.eps);
        c[GS] *= ratio;
        c[WD] *= ratio;
      }
    }
    c[OWN] = momentum;
    c[OWN + 1] = t === 1 ? 1 : 1 - o.dampening;
    c[OWN + 2] = nesterov ? lr * momentum : lr;
    c[OWN + 3] = nesterov ? lr : 0;
    sgd(at[0], at[1], at[2], momentum === 0 ? 0 : at[3], c[0], c[1], 0, c[3], c[4], c[5], c[6]);
  },
};

/**
 * LARS: SGD, with or without momentum, on g + λθ scaled per tensor by trustCoefficient·‖θ‖/(‖g‖ + λ‖θ‖ + ε). As in timm,
 * tensors without weight decay or with a norm of 0 are not scaled. For very large batches.
 *
 * State: none; with momentum `momentumBuffer`, 4 bytes per parameter.
 * @see You, Gitman, Ginsburg (2017), https://arxiv.org/abs/1708.03888
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new LARS(params, { lr: 1, momentum: 0.9, weightDecay: 1e-4 });
 * optimizer.step();
 */
export class LARS<Name extends string = string> extends StepOptimizer<LARSOptions, Name, LARSState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<LARSOptions, Name> = {}) {
    super(rule, params, options);
  }
}
