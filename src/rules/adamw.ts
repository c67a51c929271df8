import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import { type AdamOptions, adamRule } from "./adam.js";

/** Options of {@link AdamW}: Adam's, but weight decay is decoupled and by default 0.01 (Keras 0.004, optax 1e-4). */
export type AdamWOptions = AdamOptions;

const rule = adamRule("AdamW", true, { torch: 0.01, keras: 0.004, optax: 1e-4 });

/**
 * AdamW: Adam with decoupled weight decay: θ −= lr·λ·θ + Adam's update.
 *
 * State: `expAvg`, `expAvgSq`, with `amsgrad` also `maxExpAvgSq`; 8 (12) bytes a parameter.
 *
 * @see Loshchilov, Hutter (2019), https://arxiv.org/abs/1711.05101
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new AdamW(params, { lr: 1e-3, groups: [{ params: ["fc1.bias"], weightDecay: 0 }] });
 * optimizer.step();
 */
export class AdamW<Name extends string = string> extends StepOptimizer<AdamWOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdamWOptions, Name> = {}) {
    super(rule, params, options);
  }
}
