// Ftrl, for linear models whose weights become exactly 0 where they matter little.
import { nonNegative } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule, Settled } from "../optimizer/rule.js";
import { OWN, WD, commonDefaults, commonKinds, exact, setDecay } from "../optimizer/rule.js";

/** Options of {@link Ftrl}. */
export interface FtrlOptions extends CommonOptions {
  /** Learning rate, >= 0; at 0 or below 1e-38 nothing moves. Lowering it pulls the parameters towards 0. Default 1e-3. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0. Default 0. */
  weightDecay?: number | undefined;
  /** Penalty on |θ|, >= 0: makes parameters that matter little exactly 0. Default 0. */
  l1?: number | undefined;
  /** Penalty on θ², >= 0. Default 0. */
  l2?: number | undefined;
  /** Added to the root of the sum of squares, >= 0: acts as an l2 of beta/(2·lr). Default 0. */
  beta?: number | undefined;
  /** Initial value of the sum of squares, >= 0. Default 0.1. */
  initialAccumulatorValue?: number | undefined;
}

/** A tensor's state under {@link Ftrl}. */
export type FtrlState = TensorState<Record<"accumulator" | "linear", Vector>>;

/** Whether the rate is 0, or so small that a quotient by it overflows float32: then nothing moves. */
const isFrozen = ({ lr, l2, beta }: Settled<FtrlOptions>): boolean =>
  !(Math.fround(1 / lr) < Infinity && Math.fround(2 * l2 + beta / lr) < Infinity);

const rule: Rule<FtrlOptions> = {
  name: "Ftrl",
  aliases: "l1=l1regularizationstrength,l1reg l2=l2regularizationstrength,l2reg",
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
    if (isFrozen(o)) {
      c.fill(0, WD);
      return;
    }
    setDecay(c, o, true);
    c[OWN] = 1 / o.lr;
    c[OWN + 1] = o.l1;
    c[OWN + 2] = 2 * o.l2 + o.beta / o.lr;
  },
  variant: (o) => (isFrozen(o) ? 0 : 1),
  sweep({ ftrl, sgd }, { at, c }, o) {
    if (isFrozen(o)) sgd(at[0], at[1], at[2], 0, c[0], 0, 0, 0, 0, 0, 0);
    else ftrl(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5]);
  },
};

/**
 * Ftrl ("follow the regularized leader"), as in Keras: n += g², z += g − (√n′ − √n)/lr·θ; θ = 0 where |z| ≤ l1, else
 * (±l1 − z)/(√n/lr + 2·l2 + beta/lr). The first step discards the initial θ and sets it to 0 where g is 0.
 *
 * State: `accumulator` (n) and `linear` (z); 8 bytes per parameter.
 * @see McMahan et al. (2013), https://research.google/pubs/pub41159/
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Ftrl(params, { lr: 0.05, l1: 0.01 });
 * optimizer.step();
 */
export class Ftrl<Name extends string = string> extends StepOptimizer<FtrlOptions, Name, FtrlState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<FtrlOptions, Name> = {}) {
    super(rule, params, options);
  }
}
