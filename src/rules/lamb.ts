// LAMB: Adam whose update of each tensor is scaled to the length of the tensor.
import { belowOne, epsilon, pair } from "../util/check.js";
import { raise } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import { padded } from "../memory/arena.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { DEC, OWN, commonDefaults, commonKinds, exact, setDecay, setMoments } from "../optimizer/rule.js";

/** Options of {@link LAMB}. */
export interface LAMBOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** Weight decay λ, >= 0, included in the update's norm; decoupled in Keras's dialect. Default 0.01; Keras, optax 0. */
  weightDecay?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-6; Keras 1e-7. */
  eps?: number | undefined;
}

/** A tensor's state under {@link LAMB}. */
export type LAMBState = TensorState<Record<"expAvg" | "expAvgSq", Vector>>;

const defaults = { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.999] as const };

const rule: Rule<LAMBOptions> = {
  name: "LAMB",
  kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon },
  defaults: {
    torch: { ...defaults, eps: 1e-6, weightDecay: 0.01 },
    keras: { ...defaults, eps: 1e-7 },
    optax: { ...defaults, eps: 1e-6 },
  },
  sweepAll: sweepTensors,
  slots: () => ({ expAvg: exact(), expAvgSq: exact() }),
  scratch: (_, { size }) => padded(size),
  coefficients(c, o, t) {
    setDecay(c, o, false);
    setMoments(c, o.betas);
    c[OWN + 4] = o.betas[0];
    c[OWN + 5] = o.betas[1];
    raise(c, OWN + 4, t);
    raise(c, OWN + 5, t);
    c[OWN + 4] = 1 / (1 - c[OWN + 4]);
    c[OWN + 5] = 1 / Math.sqrt(1 - c[OWN + 5]);
    c[OWN + 6] = o.eps;
  },
  sweep({ lamb, sumOfSquares, sgd }, { at, c, size, scratch }, { lr }) {
    lamb(at[0], at[1], at[2], at[3], at[4], scratch, c[0], c[1], c[3], c[4], c[5], c[6], c[7], c[8], c[9]);
    const weights = Math.sqrt(sumOfSquares(size, at[1])) * Math.abs(1 - c[DEC]);
    const update = Math.sqrt(sumOfSquares(size, scratch));
    const rate = weights > 0 && update > 0 ? lr * (weights / update) : lr;
    sgd(at[0], at[1], scratch, 0, 1, 0, c[DEC], 0, 0, rate, 0);
  },
};

/**
 * LAMB: u is Adam's update plus λθ, scaled per tensor to the length lr·‖θ‖: θ −= lr·‖θ‖/‖u‖ · u. Where ‖θ‖ or ‖u‖ is 0,
 * θ −= lr·u. For very large batches.
 *
 * State: `expAvg` and `expAvgSq`; 8 bytes per parameter. Also scratch for one copy of the largest tensor.
 * @see You et al. (2020), https://arxiv.org/abs/1904.00962
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new LAMB(params, { lr: 2e-3, weightDecay: 0.01 });
 * optimizer.step();
 */
export class LAMB<Name extends string = string> extends StepOptimizer<LAMBOptions, Name, LAMBState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<LAMBOptions, Name> = {}) {
    super(rule, params, options);
  }
}
