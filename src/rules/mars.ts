// MARS: AdamW on a gradient whose variance the tensor's last gradient reduces.
import { belowOne, epsilon, flag, nonNegative, pair } from "../util/check.js";
import { padded } from "../memory/arena.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, exact, setDecay } from "../optimizer/rule.js";
import { setAdam } from "./adam.js";
import { type CautiousOptions, moveCautiously } from "./cautious.js";

/** Options of {@link MARS}. */
export interface MARSOptions extends CommonOptions, CautiousOptions {
  /** Learning rate, >= 0. Default 3e-3. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0. Default 0. */
  weightDecay?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.99]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-8. */
  eps?: number | undefined;
  /** γ, how much of the gradient's change is added, >= 0. Default 0.025. */
  gamma?: number | undefined;
  /** Whether tensors of fewer than two dimensions are corrected and clipped, too; else they get AdamW. Default false. */
  optimize1d?: boolean | undefined;
}

/** A tensor's state under {@link MARS}. */
export type MARSState = TensorState<Record<"expAvg" | "expAvgSq" | "lastGrad", Vector>>;

const rule: Rule<MARSOptions> = {
  name: "MARS",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon, gamma: nonNegative, optimize1d: flag, cautious: flag },
  defaults: {
    torch: {
      ...commonDefaults,
      lr: 3e-3,
      betas: [0.9, 0.99],
      eps: 1e-8,
      gamma: 0.025,
      optimize1d: false,
      cautious: false,
    },
  },
  sweepAll: sweepTensors,
  slots: () => ({ expAvg: exact(), expAvgSq: exact(), lastGrad: exact() }),
  scratch: (_, { size }) => padded(size),
  sweep(kernels, run, o) {
    const { at, c, t, size, shape, scratch } = run;
    const corrects = o.optimize1d || shape.length > 1;
    setDecay(c, o, true);
    setAdam(c, o, t);
    c[OWN + 7] = corrects && t > 1 ? (o.gamma * c[OWN]) / c[OWN + 1] : 0;
    kernels.mars(at[0], scratch, at[2], at[5], c[0], c[10]);
    c[OWN + 8] = corrects ? 1 / Math.max(1, Math.sqrt(kernels.sumOfSquares(size, scratch))) : 1;
    if (o.cautious) {
      kernels.adamUpdate(at[0], scratch, scratch, at[3], at[4], 0, c[11], c[3], c[4], c[5], c[6], 1, c[8], c[9], 1);
      moveCautiously(kernels, run, OWN + 4);
    } else
      kernels.adam(at[0], at[1], scratch, at[3], at[4], 0, c[11], 0, c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], 1);
  },
};

/**
 * MARS, in its AdamW form: AdamW on c/max(1, ‖c‖), c = g + γβ₁/(1 − β₁)·(g − the tensor's last gradient); c is g at the first
 * step. Tensors of fewer than two dimensions get AdamW with the same options, unless `optimize1d`.
 *
 * State: `expAvg`, `expAvgSq` and `lastGrad`; 12 bytes per parameter. Also scratch for one copy of the largest tensor.
 * @see Yuan, Liu, Wu, Zhou, Gu (2024), https://arxiv.org/abs/2411.10438
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new MARS(params, { lr: 3e-3, weightDecay: 0.01 });
 * optimizer.step();
 */
export class MARS<Name extends string = string> extends StepOptimizer<MARSOptions, Name, MARSState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<MARSOptions, Name> = {}) {
    super(rule, params, options);
  }
}
