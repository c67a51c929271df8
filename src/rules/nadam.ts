// NAdam: Adam with Nesterov momentum.
import { belowOne, epsilon, nonNegative, pair } from "../util/check.js";
import { exponentiate, raise } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import {
  OWN,
  commonDefaults,
  commonKinds,
  fixedFlag,
  positive,
  setDecay,
  setMoments,
  signed,
} from "../optimizer/rule.js";

/** Options of {@link NAdam}. */
export interface NAdamOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 2e-3; Keras, optax 1e-3. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-8; Keras 1e-7. */
  eps?: number | undefined;
  /** ψ in the momentum μₜ = β₁(1 − ½·0.96^(tψ)); >= 0. Default 4e-3; Keras 1; optax none: μₜ = β₁. */
  momentumDecay?: number | undefined;
  /** Decoupled weight decay, as in AdamW. Default false; always in Keras's dialect. */
  decoupledWeightDecay?: boolean | undefined;
}

/** A tensor's state under {@link NAdam}. */
export type NAdamState = TensorState<Record<"expAvg" | "expAvgSq", Vector> & Record<"muProduct", number>>;

const defaults = { ...commonDefaults, betas: [0.9, 0.999] as const, decoupledWeightDecay: false };

/** ln 0.96, for 0.96^(tψ). */
const LOG_096 = -0.040821994520255166;

const rule: Rule<NAdamOptions> = {
  name: "NAdam",
  aliases: "momentumDecay=scheduledecay,decay",
  kinds: {
    ...commonKinds,
    betas: pair(belowOne),
    eps: epsilon,
    momentumDecay: nonNegative,
    decoupledWeightDecay: fixedFlag,
  },
  defaults: {
    torch: { ...defaults, lr: 2e-3, eps: 1e-8, momentumDecay: 4e-3 },
    keras: { ...defaults, lr: 1e-3, eps: 1e-7, momentumDecay: 1 },
    optax: { ...defaults, lr: 1e-3, eps: 1e-8, momentumDecay: 0 },
  },
  conflict: ({ dialect, momentumDecay }) =>
    dialect === "optax" && momentumDecay !== 0
      ? { option: "momentumDecay", expected: 'nothing but 0 with dialect "optax", whose momentum is constant' }
      : undefined,
  slots: () => ({ expAvg: signed(), expAvgSq: positive() }),
  scalars: { muProduct: 1 },
  coefficients(c, o, t, scalars) {
    setDecay(c, o, o.decoupledWeightDecay);
    setMoments(c, o.betas);
    c[OWN + 6] = o.betas[1];
    raise(c, OWN + 6, t);
    if (o.dialect === "optax") {
      c[OWN + 4] = o.betas[0];
      c[OWN + 5] = o.betas[0];
      raise(c, OWN + 4, t);
      raise(c, OWN + 5, t + 1);
      c[OWN + 4] = (o.lr * (1 - o.betas[0])) / (1 - c[OWN + 4]);
      c[OWN + 5] = (o.lr * o.betas[0]) / (1 - c[OWN + 5]);
    } else {
      c[OWN + 4] = t * o.momentumDecay * LOG_096;
      c[OWN + 5] = (t + 1) * o.momentumDecay * LOG_096;
      exponentiate(c, OWN + 4);
      exponentiate(c, OWN + 5);
      const mu = o.betas[0] * (1 - 0.5 * c[OWN + 4]);
      const next = o.betas[0] * (1 - 0.5 * c[OWN + 5]);
      const product = scalars[0] * mu;
      scalars[0] = product;
      c[OWN + 4] = (o.lr * (1 - mu)) / (1 - product);
      c[OWN + 5] = (o.lr * next) / (1 - product * next);
    }
    c[OWN + 6] = 1 / Math.sqrt(1 - c[OWN + 6]);
    c[OWN + 7] = o.eps;
  },
  sweep({ nadam }, { at, c }) {
    nadam(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10]);
  },
};

/**
 * NAdam: Adam with Nesterov momentum μₜ, which rises from about β₁/2 to β₁.
 *
 * State: `expAvg`, `expAvgSq` and the number `muProduct`, Πμₜ (optax: always 1); 8 bytes per parameter.
 * @see Dozat (2016), https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new NAdam(params, { dialect: "keras" });
 * optimizer.step();
 */
export class NAdam<Name extends string = string> extends StepOptimizer<NAdamOptions, Name, NAdamState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<NAdamOptions, Name> = {}) {
    super(rule, params, options);
  }
}
