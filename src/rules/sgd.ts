// SGD: gradient descent with momentum.
import { finite, fixed, flag, nonNegative, oneOf } from "../util/check.js";
import { raise } from "../util/exact.js";
import { sparseSteps } from "../step/sparse-rows.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, setDecay, signed } from "../optimizer/rule.js";

/** Options of {@link SGD}. */
export interface SGDOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3; Keras, optax 0.01. */
  lr?: number | undefined;
  /** μ, >= 0; below 1 with momentumForm "ema". Default 0: plain gradient descent without state. */
  momentum?: number | undefined;
  /** After the first step the gradient enters the buffer times 1 − dampening; any finite number. Default 0. */
  dampening?: number | undefined;
  /** Nesterov momentum; requires a momentum (Keras, optax: no effect without) and no dampening. Default false. */
  nesterov?: boolean | undefined;
  /** "torch" (default): b = μb + (1 − dampening)g. "ema": a moving average from 0, V = μV + (1 − μ)g. */
  momentumForm?: "torch" | "ema" | undefined;
  /** Divide the moving average by 1 − μᵗ, which corrects its bias towards 0; only with "ema". Default false. */
  biasCorrection?: boolean | undefined;
}

/** A tensor's state under {@link SGD}. `momentumBuffer` exists with a momentum. */
export type SGDState = TensorState<Partial<Record<"momentumBuffer", Vector>>>;

const defaults = {
  ...commonDefaults,
  momentum: 0,
  dampening: 0,
  nesterov: false,
  momentumForm: "torch" as const,
  biasCorrection: false,
};

const rule: Rule<SGDOptions> = {
  name: "SGD",
  kinds: {
    ...commonKinds,
    momentum: nonNegative,
    dampening: finite,
    nesterov: flag,
    momentumForm: oneOf(["torch", "ema"]),
    biasCorrection: fixed(flag),
  },
  defaults: { torch: { ...defaults, lr: 1e-3 }, keras: { ...defaults, lr: 0.01 }, optax: { ...defaults, lr: 0.01 } },
  conflict({ momentum, dampening, nesterov, momentumForm, biasCorrection, dialect }) {
    const ema = momentumForm === "ema";
    if (ema && momentum >= 1) return { option: "momentum", expected: 'a number in [0, 1) with momentumForm "ema"' };
    if (biasCorrection && !ema) return { option: "biasCorrection", expected: 'false unless momentumForm is "ema"' };
    if (dampening !== 0 && (ema || nesterov || dialect === "keras"))
      return { option: "dampening", expected: 'nothing but 0 with nesterov, momentumForm "ema" or dialect "keras"' };
    if (nesterov && (ema || (momentum === 0 && dialect === "torch")))
      return { option: "nesterov", expected: 'false unless there is a momentum, in the form "torch"' };
    return undefined;
  },
  slots: (o) => ({ momentumBuffer: o.momentum > 0 ? signed() : undefined }),
  coefficients(c, o, t) {
    const { lr, momentum, nesterov } = o;
    setDecay(c, o, false);
    c[OWN] = momentum;
    c[OWN + 3] = nesterov ? lr : 0;
    if (momentum === 0) {
      c[OWN + 2] = lr;
    } else if (o.momentumForm === "ema") {
      c[OWN + 1] = 1 - momentum;
      c[OWN + 2] = momentum;
      raise(c, OWN + 2, t);
      c[OWN + 2] = o.biasCorrection ? lr / (1 - c[OWN + 2]) : lr;
    } else if (o.dialect === "keras") {
      c[OWN + 1] = -lr;
      c[OWN + 2] = nesterov ? -momentum : -1;
    } else {
      c[OWN + 1] = t === 1 ? 1 : 1 - o.dampening;
      c[OWN + 2] = nesterov ? lr * momentum : lr;
    }
  },
  variant: ({ momentum }, c) => (momentum === 0 ? 0 : Math.fround(c[6]) === 0 ? 1 : 2),
  sweep({ sgd }, { at, c }, { momentum }) {
    sgd(at[0], at[1], at[2], momentum === 0 ? 0 : at[3], c[0], c[1], c[2], c[3], c[4], c[5], c[6]);
  },
  rows: sparseSteps<SGDOptions>({
    refuses: ({ momentum }) =>
      momentum > 0 ? "nothing with a momentum, which moves every row at each step" : undefined,
  }),
};

/**
 * Gradient descent, θ −= lr·g; batch, mini-batch or stochastic, depending on the gradient. With `momentum`: heavy ball,
 * Nesterov, or a moving average of the gradient (over about 1/(1 − μ) steps).
 *
 * State: `momentumBuffer` with a momentum; 4 bytes per parameter. In Keras's dialect it is Keras's velocity, which
 * includes the factor −lr.
 *
 * Sparse steps (`rows`), without a momentum, apply the dense update and its weight decay to those rows only.
 * @see Polyak (1964); Sutskever et al. (2013), https://proceedings.mlr.press/v28/sutskever13.html
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new SGD(params, { lr: 0.05, momentum: 0.9, nesterov: true });
 * optimizer.step();
 */
export class SGD<Name extends string = string> extends StepOptimizer<SGDOptions, Name, SGDState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<SGDOptions, Name> = {}) {
    super(rule, params, options);
  }
}
