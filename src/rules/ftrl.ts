import { nonNegative } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import {
  type CommonOptions,
  OWN,
  type Rule,
  type Settled,
  WD,
  commonDefaults,
  commonKinds,
  setDecay,
  exact,
} from "../optimizer/rule.js";

/** Options of {@link Ftrl}. */
export interface FtrlOptions extends CommonOptions {
  /** Learning rate, >= 0; at 0, or below 1e-38, nothing moves. The lower it gets, the closer to 0 are the parameters. Default 1e-3. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0. Default 0. */
  weightDecay?: number | undefined;
  /** Weight of |θ|, >= 0: parameters that matter little become exactly 0. Default 0. */
  l1?: number | undefined;
  /** Weight of θ², >= 0. Default 0. */
  l2?: number | undefined;
  /** Added to the root of the sum, as l2 of beta/(2·lr), >= 0. Default 0. */
  beta?: number | undefined;
  /** Start of the sum of squares, >= 0. Default 0.1. */
  initialAccumulatorValue?: number | undefined;
}

/** Whether the rate is 0, or so small that float32 does not hold what is divided by it: then nothing moves. */
const isStill = ({ lr, l2, beta }: Settled<FtrlOptions>): boolean =>
  !(Math.fround(1 / lr) < Infinity && Math.fround(2 * l2 + beta / lr) < Infinity);

const rule: Rule<FtrlOptions> = {
  name: "Ftrl",
  kinds: {
    ...commonKinds,
    l1: nonNegative,
    l2: nonNegative,
    beta: nonNegative,
    initialAccumulatorValue: nonNegative,
  },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, l1: 0, l2: 0, beta: 0, initialAccumulatorValue: 0.1 } },
  slots: (o) => ({ accumulator: exact(o.initialAccumulatorValue), linear: exact() }),
  coefficients(c, o) {
    if (isStill(o)) {
      c.fill(0, WD);
      return;
    }
    setDecay(c, o, true);
    c[OWN] = 1 / o.lr;
    c[OWN + 1] = o.l1;
    c[OWN + 2] = 2 * o.l2 + o.beta / o.lr;
  },
  variant: (o) => (isStill(o) ? 0 : 1),
  sweep({ ftrl, sgd }, { at, c }, o) {
    if (isStill(o)) sgd(at[0], at[1], at[2], 0, c[0], 0, 0, 0, 0, 0, 0);
    else ftrl(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5]);
  },
};

/**
 * Ftrl ("follow the regularized leader"), as Keras has it: n += g², z += g − (√n′ − √n)/lr·θ; θ = 0 where |z| ≤ l1, else
 * (±l1 − z)/(√n/lr + 2·l2 + beta/lr). What θ starts with is forgotten at the first step, which makes it 0 where g is 0.
 *
 * State: `accumulator`, `linear`; 8 bytes a parameter.
 *
 * @see McMahan et al. (2013), https://research.google/pubs/pub41159/
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Ftrl(params, { lr: 0.05, l1: 0.01 });
 * optimizer.step();
 */
export class Ftrl<Name extends string = string> extends StepOptimizer<FtrlOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<FtrlOptions, Name> = {}) {
    super(rule, params, options);
  }
}
