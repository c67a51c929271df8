import { belowOne, pair } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import {
  type CommonOptions,
  OWN,
  type Rule,
  commonDefaults,
  commonKinds,
  setDecay,
  setMoments,
  signed,
} from "../optimizer/rule.js";

/** Options of {@link Lion}. */
export interface LionOptions extends CommonOptions {
  /** Learning rate, >= 0: 3 to 10 times smaller than AdamW's. Default 1e-4; Keras 1e-3; optax: must be given. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0. Default 0; optax 1e-3. */
  weightDecay?: number | undefined;
  /** Decay rates of the momentum as it is used and as it is kept, each in [0, 1). Default [0.9, 0.99]. */
  betas?: readonly [number, number] | undefined;
}

const defaults = { ...commonDefaults, betas: [0.9, 0.99] as const };

const rule: Rule<LionOptions> = {
  name: "Lion",
  kinds: { ...commonKinds, betas: pair(belowOne) },
  defaults: {
    torch: { ...defaults, lr: 1e-4 },
    keras: { ...defaults, lr: 1e-3 },
    optax: { ...defaults, weightDecay: 1e-3 },
  },
  slots: () => ({ expAvg: signed() }),
  coefficients(c, o) {
    setDecay(c, o, true);
    setMoments(c, o.betas);
    c[OWN + 4] = o.lr;
  },
  sweep({ lion }, { at, c }) {
    lion(at[0], at[1], at[2], at[3], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
  },
};

/**
 * Lion: θ −= lr·λ·θ + lr·sign(β₁m + (1 − β₁)g), then m = β₂m + (1 − β₂)g: every element moves by lr, with the state of
 * momentum alone.
 *
 * State: `expAvg`; 4 bytes a parameter.
 *
 * @see Chen et al. (2023), https://arxiv.org/abs/2302.06675
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Lion(params, { lr: 1e-4, weightDecay: 0.1 });
 * optimizer.step();
 */
export class Lion<Name extends string = string> extends StepOptimizer<LionOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<LionOptions, Name> = {}) {
    super(rule, params, options);
  }
}
