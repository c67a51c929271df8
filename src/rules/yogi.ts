import { belowOne, epsilon, pair } from "../util/check.js";
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
  positive,
  signed,
} from "../optimizer/rule.js";
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

/** What both moments start at. */
const START = 1e-6;

const rule: Rule<YogiOptions> = {
  name: "Yogi",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.999], eps: 1e-3 } },
  slots: () => ({ mu: signed(START), nu: positive(START) }),
  coefficients(c, o, t) {
    setDecay(c, o, false);
    setAdam(c, o, t);
    c.copyWithin(OWN + 2, OWN + 3); // β₂ itself does not enter
  },
  sweep({ yogi }, { at, c }) {
    yogi(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8]);
  },
};

/**
 * Yogi: Adam whose second moment moves by (1 − β₂)·g² towards g², whichever side it is on: it grows no faster than it falls.
 *
 * State: `mu`, `nu`, as optax names them, both from 1e-6; 8 bytes a parameter.
 *
 * @see Zaheer et al. (2018), https://papers.nips.cc/paper/8186
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Yogi(params, { lr: 0.01 });
 * optimizer.step();
 */
export class Yogi<Name extends string = string> extends StepOptimizer<YogiOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<YogiOptions, Name> = {}) {
    super(rule, params, options);
  }
}
