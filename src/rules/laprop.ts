// LaProp: divides the gradient by its root mean square before the momentum averages it, with the rate inside the momentum.
import { belowOne, epsilon, pair } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { DEC, OWN, commonDefaults, commonKinds, positive, setDecay, setMoments, signed } from "../optimizer/rule.js";
import { type CautiousOptions, withCaution } from "./cautious.js";

/** Options of {@link LaProp}. */
export interface LaPropOptions extends CommonOptions, CautiousOptions {
  /** Learning rate, >= 0. Default 4e-4. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0. Default 0. */
  weightDecay?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-15. */
  eps?: number | undefined;
}

/** A tensor's state under {@link LaProp}. */
export type LaPropState = TensorState<
  Record<"expAvg" | "expAvgSq", Vector> & Record<"expAvgLr1" | "expAvgLr2", number>
>;

const plain: Rule<Omit<LaPropOptions, "cautious">> = {
  name: "LaProp",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon },
  defaults: { torch: { ...commonDefaults, lr: 4e-4, betas: [0.9, 0.999], eps: 1e-15 } },
  slots: () => ({ expAvg: signed(), expAvgSq: positive() }),
  scalars: { expAvgLr1: 0, expAvgLr2: 0 },
  coefficients(c, o, _, scalars) {
    const { lr } = o;
    setDecay(c, o, true);
    setMoments(c, o.betas);
    scalars[0] = c[OWN] * scalars[0] + c[OWN + 1] * lr;
    scalars[1] = c[OWN + 2] * scalars[1] + c[OWN + 3];
    c[OWN + 1] *= lr;
    c[OWN + 4] = 1 / Math.sqrt(scalars[1]);
    c[OWN + 5] = o.eps;
    c[OWN + 6] = scalars[0] === 0 ? 0 : (lr / scalars[0]) * (1 - c[DEC]);
  },
  sweep({ laprop }, { at, c }) {
    laprop(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9]);
  },
};

const ruleFor = /* @__PURE__ */ withCaution(plain, ({ lapropUpdate }, { at, c, scratch }) => {
  lapropUpdate(at[0], scratch, at[2], at[3], at[4], c[0], c[3], c[4], c[5], c[6], c[7], c[8], 1);
  return OWN + 6;
});

/**
 * LaProp: v = β₂v + (1 − β₂)g², m = β₁m + lr(1 − β₁)·g/(√v/√(1 − β₂ᵗ) + ε), θ −= m/(1 − β₁ᵗ), then θ −= lr·λ·θ. Where lr
 * changes, 1 − β₁ᵗ is the average of the rates over lr. Unlike Adam, it is stable for any pair of rates.
 *
 * State: `expAvg` and `expAvgSq`, and the numbers `expAvgLr1` and `expAvgLr2`; 8 bytes per parameter. With `cautious`
 * also scratch for one copy of the largest tensor.
 * @see Ziyin, Wang, Ueda (2020), https://arxiv.org/abs/2002.04839
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new LaProp(params, { lr: 1e-3, weightDecay: 0.1 });
 * optimizer.step();
 */
export class LaProp<Name extends string = string> extends StepOptimizer<LaPropOptions, Name, LaPropState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<LaPropOptions, Name> = {}) {
    super(ruleFor(options), params, options);
  }
}
