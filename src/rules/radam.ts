// RAdam: Adam whose step size is corrected for the variance of the second moment.
import { belowOne, epsilon, pair } from "../util/check.js";
import { raise } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, fixedFlag, positive, setDecay, signed } from "../optimizer/rule.js";
import { setAdam } from "./adam.js";

/** Options of {@link RAdam}. */
export interface RAdamOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment (optax: of the corrected one), >= 0. Default 1e-8. */
  eps?: number | undefined;
  /** Decoupled weight decay, as in AdamW. Default false. */
  decoupledWeightDecay?: boolean | undefined;
}

/** A tensor's state under {@link RAdam}. */
export type RAdamState = TensorState<Record<"expAvg" | "expAvgSq", Vector>>;

const defaults = { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.999] as const, eps: 1e-8, decoupledWeightDecay: false };

const rule: Rule<RAdamOptions> = {
  name: "RAdam",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon, decoupledWeightDecay: fixedFlag },
  defaults: { torch: defaults, optax: defaults },
  slots: () => ({ expAvg: signed(), expAvgSq: positive() }),
  coefficients(c, o, t) {
    const beta2 = o.betas[1];
    setDecay(c, o, o.decoupledWeightDecay);
    setAdam(c, o, t);
    c[OWN + 7] = beta2;
    raise(c, OWN + 7, t);
    const power2 = c[OWN + 7];
    const rhoMax = 2 / (1 - beta2) - 1;
    const rho = rhoMax - (2 * t * power2) / (1 - power2);
    if (o.dialect === "optax" ? rho >= 5 : rho > 5) {
      const r = Math.sqrt(((rho - 4) * (rho - 2) * rhoMax) / ((rhoMax - 4) * (rhoMax - 2) * rho));
      if (o.dialect === "optax") {
        c[OWN + 4] *= r;
      } else {
        c[OWN + 4] *= r * Math.sqrt(1 - power2);
        c[OWN + 5] = 1;
      }
    } else {
      c[OWN + 5] = 0; // no division by √v
    }
    c[OWN + 7] = 1;
  },
  variant: (_, c) => (c[OWN + 5] === 0 ? 0 : 1),
  sweep({ adam, radam }, { at, c }) {
    if (c[OWN + 5] === 0) radam(at[0], at[1], at[2], at[3], at[4], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
    else adam(at[0], at[1], at[2], at[3], at[4], 0, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10]);
  },
};

/**
 * RAdam: Adam whose step size is rectified by rₜ, which follows from the variance of v after t steps. While that variance is
 * intractable (ρₜ ≤ 5, the first five steps with β₂ = 0.999), θ −= lr·m/(1 − β₁ᵗ). Replaces a warm-up.
 *
 * State: `expAvg` and `expAvgSq`; 8 bytes per parameter.
 * @see Liu et al. (2020), https://arxiv.org/abs/1908.03265
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new RAdam(params, { lr: 1e-3, weightDecay: 0.01, decoupledWeightDecay: true });
 * optimizer.step();
 */
export class RAdam<Name extends string = string> extends StepOptimizer<RAdamOptions, Name, RAdamState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<RAdamOptions, Name> = {}) {
    super(rule, params, options);
  }
}
