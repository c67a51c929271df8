import { nonNegative, pair } from "../util/check.js";
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
  exact,
  positive,
} from "../optimizer/rule.js";

/** Options of {@link Rprop}. */
export interface RpropOptions extends CommonOptions {
  /** The first step size of every element, >= 0. Default 1e-2. Read when the optimizer is made, not later. */
  lr?: number | undefined;
  /** Factors on a step size when the gradient has turned, in (0, 1), and when it has not, > 1. Default [0.5, 1.2]. */
  etas?: readonly [number, number] | undefined;
  /** The smallest and the largest step size, 0 <= min <= max. Default [1e-6, 50]. */
  stepSizes?: readonly [number, number] | undefined;
}

const rule: Rule<RpropOptions> = {
  name: "Rprop",
  kinds: { ...commonKinds, etas: pair(nonNegative), stepSizes: pair(nonNegative) },
  defaults: { torch: { ...commonDefaults, lr: 1e-2, etas: [0.5, 1.2], stepSizes: [1e-6, 50] } },
  conflict({ etas, stepSizes }) {
    if (!(etas[0] > 0 && etas[0] < 1 && etas[1] > 1))
      return { option: "etas", expected: "a factor in (0, 1) and one above 1" };
    if (stepSizes[0] > stepSizes[1]) return { option: "stepSizes", expected: "the smallest and the largest, in order" };
    return undefined;
  },
  slots: (o) => ({ prev: exact(), stepSize: positive(o.lr) }),
  coefficients(c, o) {
    setDecay(c, o, false);
    c[OWN] = o.etas[0];
    c[OWN + 1] = o.etas[1];
    c[OWN + 2] = o.stepSizes[0];
    c[OWN + 3] = o.stepSizes[1];
  },
  sweep({ rprop }, { at, c }) {
    rprop(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6]);
  },
};

/**
 * Rprop: every element has a step size of its own, which grows by η⁺ while the sign of its gradient stays and shrinks by η⁻
 * when it turns (the gradient then counts as 0); θ −= sign(g)·step. For full batches: it sees nothing but signs.
 *
 * State: `prev`, `stepSize`; 8 bytes a parameter.
 *
 * @see Riedmiller, Braun (1993), https://doi.org/10.1109/ICNN.1993.298623
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Rprop(params, { lr: 0.01, stepSizes: [1e-6, 1] });
 * optimizer.step();
 */
export class Rprop<Name extends string = string> extends StepOptimizer<RpropOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<RpropOptions, Name> = {}) {
    super(rule, params, options);
  }
}
