// Rprop: adapts a step size per element by the sign of its gradient.
import { nonNegative, pair } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, exact, positive, setDecay } from "../optimizer/rule.js";

/** Options of {@link Rprop}. */
export interface RpropOptions extends CommonOptions {
  /** Initial step size of every element, >= 0; read only when the optimizer is made. Default 1e-2. */
  lr?: number | undefined;
  /** Factors on a step size after the sign has changed, in (0, 1), and otherwise, > 1. Default [0.5, 1.2]. */
  etas?: readonly [number, number] | undefined;
  /** The smallest and the largest step size, 0 <= min <= max. Default [1e-6, 50]. */
  stepSizes?: readonly [number, number] | undefined;
}

/** A tensor's state under {@link Rprop}. */
export type RpropState = TensorState<Record<"prev" | "stepSize", Vector>>;

const rule: Rule<RpropOptions> = {
  name: "Rprop",
  aliases: "etas=etaminus,etaplus stepSizes=minstep,maxstep,stepsize",
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
 * Rprop: every element has its own step size, multiplied by η⁺ while the sign of its gradient stays and by η⁻ when it
 * changes (the gradient then counts as 0); θ −= sign(g)·step. For full batches only, since it uses nothing but signs.
 *
 * State: `prev` and `stepSize`; 8 bytes per parameter.
 * @see Riedmiller, Braun (1993), https://doi.org/10.1109/ICNN.1993.298623
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Rprop(params, { lr: 0.01, stepSizes: [1e-6, 1] });
 * optimizer.step();
 */
export class Rprop<Name extends string = string> extends StepOptimizer<RpropOptions, Name, RpropState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<RpropOptions, Name> = {}) {
    super(rule, params, options);
  }
}
