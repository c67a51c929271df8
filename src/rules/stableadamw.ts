// StableAdamW: AdamW that slows down a tensor whose gradients have outgrown their second moment.
import { above0, belowOne, pair } from "../util/check.js";
import { raise } from "../util/exact.js";
import { padded } from "../memory/arena.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { DEC, GS, OWN, commonDefaults, commonKinds, exact } from "../optimizer/rule.js";

/** Options of {@link StableAdamW}. */
export interface StableAdamWOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0, which slows down with the step. Default 0.01. */
  weightDecay?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.99]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, > 0. Default 1e-8. */
  eps?: number | undefined;
}

/** A tensor's state under {@link StableAdamW}: the moments without bias, other than AdamW's. */
export type StableAdamWState = TensorState<Record<"expAvg" | "expAvgSq", Vector>>;

/** Sets c[i] to β̂ = β(1 − βᵗ⁻¹)/(1 − βᵗ) and c[i + 1] to 1 − β̂ = (1 − β)/(1 − βᵗ). */
function setUnbiased(c: Float64Array, i: number, beta: number, t: number): void {
  c[i] = c[i + 1] = beta;
  raise(c, i, t - 1);
  raise(c, i + 1, t);
  c[i] = (beta * (1 - c[i])) / (1 - c[i + 1]);
  c[i + 1] = (1 - beta) / (1 - c[i + 1]);
}

// The kernels do adam.ts with these rates of the moments and k = s = 1, as u, then float64 sums over the tensor:
//   r = lr/max(1, √(gs²·Σ g²/max(v, ε²) / n))
//   θ = θ − (r·λ·θ + r·u)      by sgd's kernel with u as the gradient
const rule: Rule<StableAdamWOptions> = {
  name: "StableAdamW",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: above0 },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0.01 } },
  sweepAll: sweepTensors,
  slots: () => ({ expAvg: exact(), expAvgSq: exact() }),
  scratch: (_, { size }) => padded(size),
  sweep({ adamUpdate, sumOfRatios, sgd }, { at, c, t, size, scratch }, o) {
    setUnbiased(c, OWN, o.betas[0], t);
    setUnbiased(c, OWN + 2, o.betas[1], t);
    c[OWN + 4] = o.eps;
    adamUpdate(at[0], scratch, at[2], at[3], at[4], 0, c[0], c[3], c[4], c[5], c[6], 1, 1, c[7], 1);
    const mean = (c[GS] * c[GS] * sumOfRatios(size, at[2], at[4], o.eps * o.eps)) / size;
    c[OWN + 5] = o.lr / Math.max(1, Math.sqrt(mean));
    c[DEC] = c[OWN + 5] * o.weightDecay;
    sgd(at[0], at[1], scratch, 0, 1, 0, c[DEC], 0, 0, c[8], 0);
  },
};

/**
 * StableAdamW: AdamW at the rate η = lr/max(1, RMS), RMS the root of the mean of g²/max(v, ε²) over the tensor:
 * θ −= η·λ·θ + η·m/(√v + ε), with moments that are unbiased from the start. No loss spikes where v lags behind the gradients,
 * so that neither clipping nor a small β₂ is needed.
 *
 * State: `expAvg` and `expAvgSq`; 8 bytes per parameter. Also scratch for one copy of the largest tensor.
 * @see Wortsman et al. (2023), https://arxiv.org/abs/2304.13013
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new StableAdamW(params, { lr: 1e-3, weightDecay: 0.1 });
 * optimizer.step();
 */
export class StableAdamW<Name extends string = string> extends StepOptimizer<
  StableAdamWOptions,
  Name,
  StableAdamWState
> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<StableAdamWOptions, Name> = {}) {
    super(rule, params, options);
  }
}
