// AdamW: Adam with decoupled weight decay.
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import { OWN } from "../optimizer/rule.js";
import { type AdamOptions, type AdamState, adamRule } from "./adam.js";
import { type CautiousOptions, withCaution } from "./cautious.js";

/** Options of {@link AdamW}: those of Adam, and `cautious`. Weight decay is decoupled; its default is 0.01 (Keras 0.004, optax 1e-4). */
export interface AdamWOptions extends AdamOptions, CautiousOptions {}

/** A tensor's state under {@link AdamW}. `maxExpAvgSq` exists with `amsgrad`. */
export type AdamWState = AdamState;

const plain = adamRule("AdamW", true, { torch: 0.01, keras: 0.004, optax: 1e-4 });
const ruleFor = /* @__PURE__ */ withCaution(plain, ({ adamUpdate }, { at, c, scratch }) => {
  adamUpdate(at[0], scratch, at[2], at[3], at[4], at[5], c[0], c[3], c[4], c[5], c[6], 1, c[8], c[9], c[10]);
  return OWN + 4;
});

/**
 * AdamW: Adam with decoupled weight decay: θ −= lr·λ·θ + Adam's update.
 *
 * State: `expAvg` and `expAvgSq`; `maxExpAvgSq` with `amsgrad`; 8 (12) bytes per parameter. With `cautious` also
 * scratch for one copy of the largest tensor.
 * @see Loshchilov, Hutter (2019), https://arxiv.org/abs/1711.05101
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new AdamW(params, { lr: 1e-3, groups: [{ params: ["fc1.bias"], weightDecay: 0 }] });
 * optimizer.step();
 */
export class AdamW<Name extends string = string> extends StepOptimizer<AdamWOptions, Name, AdamWState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdamWOptions, Name> = {}) {
    super(ruleFor(options), params, options);
  }
}
