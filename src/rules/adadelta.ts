// Adadelta: the step size is a ratio of two moving averages, so that no learning rate is needed.
import { epsilon, fraction } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, positive, setDecay } from "../optimizer/rule.js";

/** Options of {@link Adadelta}. */
export interface AdadeltaOptions extends CommonOptions {
  /** Factor on the update, >= 0. Default 1; Keras 1e-3; optax: must be given. */
  lr?: number | undefined;
  /** Decay rate of both averages, in [0, 1]. Default 0.9; Keras 0.95. */
  rho?: number | undefined;
  /** Added under both roots, >= 0. Default 1e-6; Keras 1e-7. */
  eps?: number | undefined;
}

/** A tensor's state under {@link Adadelta}. */
export type AdadeltaState = TensorState<Record<"squareAvg" | "accDelta", Vector>>;

const rule: Rule<AdadeltaOptions> = {
  name: "Adadelta",
  aliases: "rho=alpha,beta2,decay",
  kinds: { ...commonKinds, rho: fraction, eps: epsilon },
  defaults: {
    torch: { ...commonDefaults, lr: 1, rho: 0.9, eps: 1e-6 },
    keras: { ...commonDefaults, lr: 1e-3, rho: 0.95, eps: 1e-7 },
    optax: { ...commonDefaults, rho: 0.9, eps: 1e-6 },
  },
  slots: () => ({ squareAvg: positive(), accDelta: positive() }),
  coefficients(c, o) {
    setDecay(c, o, false);
    c[OWN] = o.rho;
    c[OWN + 1] = 1 - o.rho;
    c[OWN + 2] = o.eps;
    c[OWN + 3] = o.lr;
  },
  sweep({ adadelta }, { at, c }) {
    adadelta(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6]);
  },
};

/**
 * Adadelta: θ −= lr·√(a + ε)/√(v + ε)·g, with moving averages v of the squared gradient and a of the squared update. The
 * ratio has the units of θ, so lr is 1.
 *
 * State: `squareAvg` and `accDelta`; 8 bytes per parameter.
 * @see Zeiler (2012), https://arxiv.org/abs/1212.5701
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Adadelta(params);
 * optimizer.step();
 */
export class Adadelta<Name extends string = string> extends StepOptimizer<AdadeltaOptions, Name, AdadeltaState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdadeltaOptions, Name> = {}) {
    super(rule, params, options);
  }
}
