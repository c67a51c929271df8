// Lion: moves every element by lr in the direction of the sign of its momentum.
import { belowOne, pair } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, setDecay, setMoments, signed } from "../optimizer/rule.js";
import { type CautiousOptions, withCaution } from "./cautious.js";

/** Options of {@link Lion}. */
export interface LionOptions extends CommonOptions, CautiousOptions {
  /** Learning rate, >= 0: 3 to 10 times smaller than AdamW's. Default 1e-4; Keras 1e-3; optax: must be given. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0. Default 0; optax 1e-3. */
  weightDecay?: number | undefined;
  /** Decay rates of the momentum in the update and in the state, each in [0, 1). Default [0.9, 0.99]. */
  betas?: readonly [number, number] | undefined;
}

/** A tensor's state under {@link Lion}. */
export type LionState = TensorState<Record<"expAvg", Vector>>;

const defaults = { ...commonDefaults, betas: [0.9, 0.99] as const };

const plain: Rule<Omit<LionOptions, "cautious">> = {
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

const ruleFor = /* @__PURE__ */ withCaution(plain, ({ lionUpdate }, { at, c, scratch }) => {
  lionUpdate(at[0], scratch, at[2], at[3], c[0], c[3], c[4], c[5], c[6], 1);
  return OWN + 4;
});

/**
 * Lion: θ −= lr·λ·θ + lr·sign(β₁m + (1 − β₁)g), then m = β₂m + (1 − β₂)g. Every element moves by lr.
 *
 * State: `expAvg`; 4 bytes per parameter. With `cautious` also scratch for one copy of the largest tensor.
 * @see Chen et al. (2023), https://arxiv.org/abs/2302.06675
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Lion(params, { lr: 1e-4, weightDecay: 0.1 });
 * optimizer.step();
 */
export class Lion<Name extends string = string> extends StepOptimizer<LionOptions, Name, LionState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<LionOptions, Name> = {}) {
    super(ruleFor(options), params, options);
  }
}
