// AdamP: Adam that slows no more down than it should on weights without a scale, such as those before a normalization.
import { belowOne, flag, pair } from "../util/check.js";
import { padded } from "../memory/arena.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { DEC, OWN, commonDefaults, commonKinds, exact, setDecay } from "../optimizer/rule.js";
import { setAdam } from "./adam.js";
import { type ProjectionOptions, projectUpdate, projectionDefaults, projectionKinds } from "./projection.js";

/** Options of {@link AdamP}. */
export interface AdamPOptions extends CommonOptions, ProjectionOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** λ of the decoupled weight decay, >= 0. Default 0. */
  weightDecay?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Moves along β₁m + (1 − β₁)g in place of m. Default false. */
  nesterov?: boolean | undefined;
}

/** A tensor's state under {@link AdamP}. */
export type AdamPState = TensorState<Record<"expAvg" | "expAvgSq", Vector>>;

const rule: Rule<AdamPOptions> = {
  name: "AdamP",
  kinds: { ...commonKinds, betas: pair(belowOne), nesterov: flag, ...projectionKinds },
  defaults: { torch: { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.999], nesterov: false, ...projectionDefaults } },
  sweepAll: sweepTensors,
  slots: () => ({ expAvg: exact(), expAvgSq: exact() }),
  scratch: (_, { size }) => padded(size),
  sweep(kernels, run, o) {
    const { at, c, t, scratch } = run;
    setAdam(c, o, t);
    c[OWN + 7] = o.nesterov ? c[OWN] : 1;
    c[OWN + 8] = o.nesterov ? c[OWN + 1] : 0;
    kernels.adamp(at[0], scratch, at[2], at[3], at[4], c[0], c[3], c[4], c[5], c[6], c[10], c[11], c[8], c[9]);
    setDecay(c, o, true);
    if (projectUpdate(kernels, run, o)) c[DEC] *= o.wdRatio;
    kernels.sgd(at[0], at[1], scratch, 0, 1, 0, c[DEC], 0, 0, c[OWN + 4], 0);
  },
};

/**
 * AdamP: Adam whose update, where gradient and weights are nearly orthogonal, loses its part along the weights, row by row of
 * a tensor [out, …] or, if not all rows are, as a whole. Weights before a normalization then no longer grow, which would slow
 * them down. There the decoupled weight decay is `wdRatio` times lr·λ·θ. Tensors of fewer than two dimensions get Adam's step.
 *
 * State: `expAvg` and `expAvgSq`; 8 bytes per parameter. Also scratch for one copy of the largest tensor.
 * @see Heo et al. (2021), https://arxiv.org/abs/2006.08217
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new AdamP(params, { lr: 1e-3, weightDecay: 0.01 });
 * optimizer.step();
 */
export class AdamP<Name extends string = string> extends StepOptimizer<AdamPOptions, Name, AdamPState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdamPOptions, Name> = {}) {
    super(rule, params, options);
  }
}
