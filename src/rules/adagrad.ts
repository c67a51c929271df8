// Adagrad: divides by the root of the sum of all squared gradients.
import { epsilon, nonNegative } from "../util/check.js";
import { sparseSteps } from "../step/sparse-rows.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, positive, setDecay } from "../optimizer/rule.js";

/** Options of {@link Adagrad}. */
export interface AdagradOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-2; Keras 1e-3; optax: must be given. */
  lr?: number | undefined;
  /** The learning rate at step t is lr/(1 + (t − 1)·lrDecay), >= 0. Default 0. */
  lrDecay?: number | undefined;
  /** Initial value of the sum of squares, >= 0. Default 0; Keras, optax 0.1. */
  initialAccumulatorValue?: number | undefined;
  /** Added to the root of the sum, >= 0; inside the root in Keras's and optax's dialects (optax: elements whose sum is 0 do not move). Default 1e-10; Keras, optax 1e-7. */
  eps?: number | undefined;
}

/** A tensor's state under {@link Adagrad}. */
export type AdagradState = TensorState<Record<"sum", Vector>>;

const rule: Rule<AdagradOptions> = {
  name: "Adagrad",
  aliases: "lrDecay=decay initialAccumulatorValue=accumulator,init",
  kinds: { ...commonKinds, lrDecay: nonNegative, initialAccumulatorValue: nonNegative, eps: epsilon },
  defaults: {
    torch: { ...commonDefaults, lr: 1e-2, lrDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 },
    keras: { ...commonDefaults, lr: 1e-3, lrDecay: 0, initialAccumulatorValue: 0.1, eps: 1e-7 },
    optax: { ...commonDefaults, lrDecay: 0, initialAccumulatorValue: 0.1, eps: 1e-7 },
  },
  slots: (o) => ({ sum: positive(o.initialAccumulatorValue) }),
  coefficients(c, o, t) {
    const inside = o.dialect !== "torch";
    setDecay(c, o, false);
    c[OWN] = o.lr / (1 + (t - 1) * o.lrDecay);
    c[OWN + 1] = inside ? o.eps : 0;
    c[OWN + 2] = inside ? 0 : o.eps;
    c[OWN + 3] = o.dialect === "optax" ? 0 : -1;
  },
  sweep({ adagrad }, { at, c }) {
    adagrad(at[0], at[1], at[2], at[3], c[0], c[1], c[2], c[3], c[4], c[5], c[6]);
  },
  rows: sparseSteps({}),
};

/**
 * Adagrad: θ −= lr·g / (√S + ε), where S is the sum of all squared gradients. Steps shrink as S grows.
 *
 * State: `sum`; 4 bytes per parameter. Sparse steps (`rows`) apply the dense update and its weight decay to those rows
 * only; `lrDecay` uses the tensor's step count.
 * @see Duchi, Hazan, Singer (2011), https://jmlr.org/papers/v12/duchi11a.html
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Adagrad(params, { lr: 0.05 });
 * optimizer.step();
 */
export class Adagrad<Name extends string = string> extends StepOptimizer<AdagradOptions, Name, AdagradState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdagradOptions, Name> = {}) {
    super(rule, params, options);
  }
}
