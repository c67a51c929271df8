// RMSprop: divides by the root of a moving average of squared gradients.
import { epsilon, fraction, nonNegative } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, exact, fixedFlag, positive, setDecay, signed } from "../optimizer/rule.js";

/** Options of {@link RMSprop}. */
export interface RMSpropOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-2; Keras 1e-3; optax: must be given. */
  lr?: number | undefined;
  /** Decay rate of the average of squares (Keras's `rho`, optax's `decay`), in [0, 1]. Default 0.99; Keras, optax 0.9. */
  alpha?: number | undefined;
  /** Added to the root, >= 0; inside the root in Keras's and optax's dialects. Default 1e-8; Keras 1e-7. */
  eps?: number | undefined;
  /** Divide by the standard deviation of the gradient instead of its root mean square. Default false. */
  centered?: boolean | undefined;
  /** Momentum on the scaled gradient, >= 0. Default 0: none. */
  momentum?: number | undefined;
}

/** A tensor's state under {@link RMSprop}. `gradAvg` exists if `centered`, `momentumBuffer` with a momentum. */
export type RMSpropState = TensorState<
  Record<"squareAvg", Vector> & Partial<Record<"gradAvg" | "momentumBuffer", Vector>>
>;

const defaults = { ...commonDefaults, centered: false, momentum: 0 };

const rule: Rule<RMSpropOptions> = {
  name: "RMSprop",
  aliases: "alpha=rho,decay,beta2,smoothing",
  kinds: { ...commonKinds, alpha: fraction, eps: epsilon, centered: fixedFlag, momentum: nonNegative },
  defaults: {
    torch: { ...defaults, lr: 1e-2, alpha: 0.99, eps: 1e-8 },
    keras: { ...defaults, lr: 1e-3, alpha: 0.9, eps: 1e-7 },
    optax: { ...defaults, alpha: 0.9, eps: 1e-8 },
  },
  slots: (o) => ({
    squareAvg: o.centered ? exact() : positive(), // centred: the divisor is a difference of two slots
    gradAvg: o.centered ? exact() : undefined,
    momentumBuffer: o.momentum > 0 ? signed() : undefined,
  }),
  coefficients(c, o) {
    const inside = o.dialect !== "torch";
    const early = inside || o.momentum === 0; // lr scales what enters the momentum, not the momentum
    setDecay(c, o, false);
    c[OWN] = o.alpha;
    c[OWN + 1] = 1 - o.alpha;
    c[OWN + 2] = o.momentum;
    c[OWN + 3] = inside ? o.eps : 0;
    c[OWN + 4] = inside ? 0 : o.eps;
    c[OWN + 5] = early ? o.lr : 1;
    c[OWN + 6] = early ? 1 : o.lr;
  },
  variant: ({ momentum }) => (momentum === 0 ? 0 : 1),
  sweep({ rmsprop }, { at, c }, { momentum }) {
    const b = momentum === 0 ? 0 : at[5];
    rmsprop(at[0], at[1], at[2], at[3], at[4], b, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9]);
  },
};

/**
 * RMSprop: θ −= lr·g / (√v + ε), where v is a moving average of the squared gradient. Centred: v − ḡ² in place of v,
 * clamped at 0 (unlike PyTorch), so that a constant gradient stays finite.
 *
 * State: `squareAvg`; `gradAvg` if `centered`; `momentumBuffer` with `momentum`; 4 to 12 bytes per parameter.
 * @see Tieleman, Hinton (2012), lecture 6.5; centred: Graves (2013), https://arxiv.org/abs/1308.0850
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new RMSprop(params, { lr: 1e-3, centered: true, momentum: 0.9 });
 * optimizer.step();
 */
export class RMSprop<Name extends string = string> extends StepOptimizer<RMSpropOptions, Name, RMSpropState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<RMSpropOptions, Name> = {}) {
    super(rule, params, options);
  }
}
