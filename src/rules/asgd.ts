// ASGD: gradient descent with a falling rate that also averages the parameters.
import { nonNegative } from "../util/check.js";
import { exponentiate, logarithm } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule, Settled } from "../optimizer/rule.js";
import { OWN, WD, commonDefaults, commonKinds, exact } from "../optimizer/rule.js";

/** Options of {@link ASGD}. */
export interface ASGDOptions extends CommonOptions {
  /** Learning rate at the first step, >= 0. Default 1e-2. */
  lr?: number | undefined;
  /** λ: the parameters decay by λη, decoupled; >= 0. Default 1e-4. */
  lambd?: number | undefined;
  /** α in the rate η = lr/(1 + λ·lr·(t − 1))^α; >= 0. Default 0.75. */
  alpha?: number | undefined;
  /** t₀, the step after which averaging begins, >= 0. Default 1e6. */
  t0?: number | undefined;
}

/** A tensor's state under {@link ASGD}. */
export type ASGDState = TensorState<Record<"ax", Vector> & Record<"eta" | "mu", number>>;

const [ETA, MU] = [0, 1];

/** Sets the rate and the averaging weight of step t + 1. */
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
  aliases: "lambd=lambda,decay",
  kinds: { ...commonKinds, lambd: nonNegative, alpha: nonNegative, t0: nonNegative },
  defaults: { torch: { ...commonDefaults, lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6 } },
  slots: () => ({ ax: exact() }),
  // As in PyTorch, each step sets the rate and weight of the next: a changed option takes effect one step later.
  scalars: { eta: 0, mu: 1 },
  derive(o, step, saved) {
    if (Object.keys(saved).length > 0) return undefined;
    const scalars = Float64Array.of(0, 1);
    if (step > 0) setNext(scalars, o, step);
    return { eta: scalars[ETA], mu: scalars[MU] };
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
 * ASGD: θ −= λη·θ + η·g with a falling rate η. `ax` is the average of the parameters after step t₀ (before that, the
 * parameters); use it in their place after training.
 *
 * State: `ax`, and the numbers `eta` and `mu`, the next step's rate and averaging weight. As in PyTorch, a changed option
 * takes effect one step later. 4 bytes per parameter.
 * @see Polyak, Juditsky (1992), https://doi.org/10.1137/0330046
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new ASGD(params, { lr: 0.05, t0: 1000 });
 * optimizer.step();
 */
export class ASGD<Name extends string = string> extends StepOptimizer<ASGDOptions, Name, ASGDState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<ASGDOptions, Name> = {}) {
    super(rule, params, options);
  }
}
