import { nonNegative } from "../util/check.js";
import { exponentiate, logarithm } from "../util/exact.js";
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
  exact,
} from "../optimizer/rule.js";

/** Options of {@link ASGD}. */
export interface ASGDOptions extends CommonOptions {
  /** Learning rate at the first step, >= 0. Default 1e-2. */
  lr?: number | undefined;
  /** λ, decoupled decay of the parameters by λη, >= 0. Default 1e-4. */
  lambd?: number | undefined;
  /** α, how fast the rate falls: η = lr/(1 + λ·lr·(t − 1))^α; >= 0. Default 0.75. */
  alpha?: number | undefined;
  /** t₀, the step after which the average begins, >= 0. Default 1e6. */
  t0?: number | undefined;
}

const [ETA, MU] = [0, 1];
const next = new Float64Array(2);

/** The rate and the weight of the average of the step after t. */
function setNext(scalars: Float64Array, o: Settled<ASGDOptions>, t: number): void {
  scalars[ETA] = 1 + o.lambd * o.lr * t;
  logarithm(scalars, ETA);
  scalars[ETA] *= -o.alpha;
  exponentiate(scalars, ETA);
  scalars[ETA] *= o.lr;
  scalars[MU] = 1 / Math.max(1, t - o.t0);
}

const rule: Rule<ASGDOptions> = {
  name: "ASGD",
  kinds: { ...commonKinds, lambd: nonNegative, alpha: nonNegative, t0: nonNegative },
  defaults: { torch: { ...commonDefaults, lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6 } },
  slots: () => ({ ax: exact() }),
  // As in PyTorch, each step leaves the next one's rate and weight: options that change in between take effect after it.
  scalars: { eta: 0, mu: 1 },
  derive(o, step) {
    if (step > 0) setNext(next, o, step);
    return step > 0 ? { eta: next[ETA], mu: next[MU] } : { eta: 0, mu: 1 };
  },
  coefficients(c, o, t, scalars) {
    if (t === 1) scalars[ETA] = o.lr;
    c[WD] = o.weightDecay;
    c[OWN] = scalars[ETA];
    c[OWN + 1] = scalars[MU];
    c[OWN + 2] = 1 - scalars[MU];
    c[OWN + 3] = o.lambd * scalars[ETA];
    setNext(scalars, o, t);
  },
  sweep({ asgd }, { at, c }) {
    asgd(at[0], at[1], at[2], at[3], c[0], c[1], c[2], c[3], c[4], c[5], c[6]);
  },
};

/**
 * ASGD: θ −= λη·θ + η·g with a rate η that falls, and beside it `ax`, the average of the parameters from step t₀ on (until
 * then the parameters themselves), to be used in their place when training has ended.
 *
 * State: `ax`, and the numbers `eta` and `mu`, the rate and the weight of the average that the next step takes: options
 * that change count from the step after it, as in PyTorch. 4 bytes a parameter.
 *
 * @see Polyak, Juditsky (1992), https://doi.org/10.1137/0330046
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new ASGD(params, { lr: 0.05, t0: 1000 });
 * optimizer.step();
 */
export class ASGD<Name extends string = string> extends StepOptimizer<ASGDOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<ASGDOptions, Name> = {}) {
    super(rule, params, options);
  }
}
