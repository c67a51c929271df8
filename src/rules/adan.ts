// Adan: Adam with Nesterov's look-ahead, estimated from the change of the gradient.
import { belowOne, epsilon, triple } from "../util/check.js";
import { raise } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { DEC, OWN, WD, commonDefaults, commonKinds, positive, signed } from "../optimizer/rule.js";

/** Options of {@link Adan}. */
export interface AdanOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** λ, >= 0: after the update the parameters are divided by 1 + lr·λ. Default 0. */
  weightDecay?: number | undefined;
  /** Decay rates of the averages of g, of its change and of the square, each in [0, 1). Default [0.98, 0.92, 0.99]. */
  betas?: readonly [number, number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-8. */
  eps?: number | undefined;
}

/** A tensor's state under {@link Adan}. */
export type AdanState = TensorState<Record<"expAvg" | "expAvgDiff" | "expAvgSq" | "negPreGrad", Vector>>;

const rule: Rule<AdanOptions> = {
  name: "Adan",
  kinds: { ...commonKinds, betas: triple(belowOne), eps: epsilon },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, betas: [0.98, 0.92, 0.99], eps: 1e-8 } },
  slots: () => ({ expAvg: signed(), expAvgDiff: signed(), expAvgSq: positive(), negPreGrad: signed() }),
  coefficients(c, o, t) {
    const b1 = o.betas[0];
    const b2 = o.betas[1];
    const b3 = o.betas[2];
    const shrink = 1 + o.lr * o.weightDecay;
    c[WD] = 0;
    c[DEC] = (o.lr * o.weightDecay) / shrink;
    c[OWN] = b1;
    c[OWN + 1] = 1 - b1;
    c[OWN + 2] = b2;
    c[OWN + 3] = 1 - b2;
    c[OWN + 4] = b3;
    c[OWN + 5] = 1 - b3;
    c[OWN + 6] = t === 1 ? 0 : 1;
    c[OWN + 7] = b1;
    c[OWN + 8] = b2;
    c[OWN + 9] = b3;
    raise(c, OWN + 7, t);
    raise(c, OWN + 8, t);
    raise(c, OWN + 9, t);
    c[OWN + 7] = o.lr / (1 - c[OWN + 7]) / shrink;
    c[OWN + 8] = (o.lr * b2) / (1 - c[OWN + 8]) / shrink;
    c[OWN + 9] = 1 / Math.sqrt(1 - c[OWN + 9]);
    c[OWN + 10] = o.eps;
  },
  sweep({ adan }, { at, c }) {
    // prettier-ignore
    adan(
      at[0], at[1], at[2], at[3], at[4], at[5], at[6], c[0], c[1], c[2],
      c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13],
    );
  },
};

/**
 * Adan: moving averages of g, of its change d = g − g₋₁ (0 at the first step) and of (g + β₂d)², each bias-corrected as in
 * Adam. Weight decay divides by 1 + lr·λ.
 *
 * State: `expAvg`, `expAvgDiff`, `expAvgSq`, `negPreGrad` (the last gradient negated, as in timm); 16 bytes per parameter.
 * @see Xie et al. (2022), https://arxiv.org/abs/2208.06677
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Adan(params, { lr: 1e-3, weightDecay: 0.02 });
 * optimizer.step();
 */
export class Adan<Name extends string = string> extends StepOptimizer<AdanOptions, Name, AdanState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdanOptions, Name> = {}) {
    super(rule, params, options);
  }
}
