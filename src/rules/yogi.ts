// Yogi: Adam whose second moment moves towards g² by (1 − β₂)·g² per step.
import { belowOne, epsilon, pair } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, positive, setDecay, signed } from "../optimizer/rule.js";
import { setAdam } from "./adam.js";

/** Options of {@link Yogi}. */
export interface YogiOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-3. */
  eps?: number | undefined;
}

/** A tensor's state under {@link Yogi}. */
export type YogiState = TensorState<Record<"mu" | "nu", Vector>>;

/** Initial value of both moments. */
const START = 1e-6;

const rule: Rule<YogiOptions> = {
  name: "Yogi",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.999], eps: 1e-3 } },
  slots: () => ({ mu: signed(START), nu: positive(START) }),
  coefficients(c, o, t) {
    setDecay(c, o, false);
    setAdam(c, o, t);
    c.copyWithin(OWN + 2, OWN + 3); // the kernel takes no β₂
  },
  sweep({ yogi }, { at, c }) {
    yogi(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8]);
  },
};

/**
 * Yogi: Adam whose second moment moves towards g² by (1 − β₂)·g² per step, so that it grows no faster than it falls.
 *
 * State: `mu` and `nu`, under their names in optax, initially 1e-6; 8 bytes per parameter.
 * @see Zaheer et al. (2018), https://papers.nips.cc/paper/8186
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Yogi(params, { lr: 0.01 });
 * optimizer.step();
 */
export class Yogi<Name extends string = string> extends StepOptimizer<YogiOptions, Name, YogiState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<YogiOptions, Name> = {}) {
    super(rule, params, options);
  }
}
