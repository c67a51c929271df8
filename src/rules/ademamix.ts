// AdEMAMix: Adam with a second, slower first moment.
import { belowOne, epsilon, nonNegative, triple } from "../util/check.js";
import { raise } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, exact, positive, setDecay, signed } from "../optimizer/rule.js";

/** Options of {@link AdEMAMix}. */
export interface AdEMAMixOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0. Default 0. */
  weightDecay?: number | undefined;
  /** Decay rates of the fast first moment, the second moment and the slow first moment, each in [0, 1). Default [0.9, 0.999, 0.9999]. */
  betas?: readonly [number, number, number] | undefined;
  /** Weight of the slow moment, >= 0. Default 5. */
  alpha?: number | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-8. */
  eps?: number | undefined;
}

/** A tensor's state under {@link AdEMAMix}. */
export type AdEMAMixState = TensorState<Record<"m1" | "m2" | "nu", Vector>>;

const rule: Rule<AdEMAMixOptions> = {
  name: "AdEMAMix",
  kinds: { ...commonKinds, betas: triple(belowOne), alpha: nonNegative, eps: epsilon },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.999, 0.9999], alpha: 5, eps: 1e-8 } },
  slots: () => ({ m1: signed(), m2: exact(), nu: positive() }),
  coefficients(c, o, t) {
    const b1 = o.betas[0];
    const b2 = o.betas[1];
    const b3 = o.betas[2];
    setDecay(c, o, true);
    c[OWN] = b1;
    c[OWN + 1] = 1 - b1;
    c[OWN + 2] = b2;
    c[OWN + 3] = 1 - b2;
    c[OWN + 4] = b3;
    c[OWN + 5] = 1 - b3;
    c[OWN + 6] = b1;
    c[OWN + 8] = b2;
    raise(c, OWN + 6, t);
    raise(c, OWN + 8, t);
    c[OWN + 6] = o.lr / (1 - c[OWN + 6]);
    c[OWN + 7] = o.lr * o.alpha;
    c[OWN + 8] = 1 / Math.sqrt(1 - c[OWN + 8]);
    c[OWN + 9] = o.eps;
  },
  sweep({ ademamix }, { at, c }) {
    // prettier-ignore
    ademamix(
      at[0], at[1], at[2], at[3], at[4], at[5], c[0], c[1], c[2],
      c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12],
    );
  },
};

/**
 * AdEMAMix: Adam with a second, slower first moment m₂ that covers thousands of steps:
 * θ −= lr·(m₁/(1 − β₁ᵗ) + α·m₂)/(√v/√(1 − β₂ᵗ) + ε). Weight decay is decoupled.
 *
 * State: `m1`, `m2` and `nu`, under their names in optax; 12 bytes per parameter.
 * @see Pagliardini, Ablin, Grangier (2024), https://arxiv.org/abs/2409.03137
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new AdEMAMix(params, { lr: 1e-3, alpha: 8 });
 * optimizer.step();
 */
export class AdEMAMix<Name extends string = string> extends StepOptimizer<AdEMAMixOptions, Name, AdEMAMixState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdEMAMixOptions, Name> = {}) {
    super(rule, params, options);
  }
}
