// Adam, and the coefficients that AdamW, AdaBelief, RAdam and Yogi share with it.
import { belowOne, epsilon, pair } from "../util/check.js";
import { raise } from "../util/exact.js";
import { sparseSteps } from "../step/sparse-rows.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule, Settled } from "../optimizer/rule.js";
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

/** Options of {@link Adam} and `AdamW`. */
export interface AdamOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-8; Keras 1e-7. */
  eps?: number | undefined;
  /** AMSGrad: divide by the largest second moment so far (optax: the largest corrected one). Default false. */
  amsgrad?: boolean | undefined;
}

/** A tensor's state under {@link Adam} and `AdamW`. `maxExpAvgSq` exists with `amsgrad`. */
export type AdamState = TensorState<Record<"expAvg" | "expAvgSq", Vector> & Partial<Record<"maxExpAvgSq", Vector>>>;

/**
 * Sets Adam's first seven coefficients: β₁, 1 − β₁, β₂, 1 − β₂, the step size, the bias correction of √v, and ε. With
 * `folded` (Keras and PyTorch's SparseAdam) the correction is part of the step size, and ε is added to the raw root.
 */
export function setAdam(
  c: Float64Array,
  o: Pick<Settled<AdamOptions>, "dialect" | "lr" | "betas" | "eps">,
  t: number,
  folded = o.dialect === "keras",
): void {
  const power1 = OWN + 4;
  const power2 = OWN + 5;
  setMoments(c, o.betas);
  c[power1] = c[OWN];
  c[power2] = c[OWN + 2];
  raise(c, power1, t);
  raise(c, power2, t);
  const root2 = Math.sqrt(1 - c[power2]);
  c[OWN + 4] = (folded ? o.lr * root2 : o.lr) / (1 - c[power1]);
  c[OWN + 5] = folded ? 1 : 1 / root2;
  c[OWN + 6] = o.eps;
}

/** Sparse steps are those of PyTorch's SparseAdam in every dialect. */
const rows = /* @__PURE__ */ sparseSteps<AdamOptions>({
  refuses: ({ amsgrad }) => (amsgrad ? "nothing with amsgrad, which PyTorch's SparseAdam lacks" : undefined),
  coefficients: (c, o, t) => setAdam(c, o, t, true),
});

/** Makes the rules Adam and AdamW, which differ in how weight decay is applied and in its default. */
/* @__NO_SIDE_EFFECTS__ */
export function adamRule(
  name: string,
  decoupled: boolean,
  decay: { torch: number; keras: number; optax: number },
  more: Pick<Rule<AdamOptions>, "rows" | "elsewhere"> = {},
): Rule<AdamOptions> {
  const defaults = { ...commonDefaults, lr: 1e-3, betas: [0.9, 0.999] as const, amsgrad: false };
  return {
    name,
    kinds: { ...commonKinds, betas: pair(belowOne), eps: epsilon, amsgrad: fixedFlag },
    defaults: {
      torch: { ...defaults, eps: 1e-8, weightDecay: decay.torch },
      keras: { ...defaults, eps: 1e-7, weightDecay: decay.keras },
      optax: { ...defaults, eps: 1e-8, weightDecay: decay.optax },
    },
    slots: (o) => ({ expAvg: signed(), expAvgSq: positive(), maxExpAvgSq: o.amsgrad ? positive() : undefined }),
    coefficients(c, o, t) {
      const correctedMax = o.amsgrad && o.dialect === "optax"; // the maximum is taken of the corrected v
      setDecay(c, o, decoupled);
      setAdam(c, o, t);
      c[OWN + 7] = correctedMax ? c[OWN + 5] * c[OWN + 5] : 1;
      if (correctedMax) c[OWN + 5] = 1;
    },
    sweep({ adam }, { at, c }) {
      // prettier-ignore
      adam(at[0], at[1], at[2], at[3], at[4], at[5], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10]);
    },
    ...more,
  };
}

const elsewhere = { decoupledWeightDecay: "AdamW", cautious: "AdamW" };
const rule = adamRule("Adam", false, { torch: 0, keras: 0, optax: 0 }, { rows, elsewhere });

/**
 * Adam: θ −= lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε), with moving averages m of the gradient and v of its square.
 *
 * State: `expAvg` and `expAvgSq`; `maxExpAvgSq` with `amsgrad`; 8 (12) bytes per parameter.
 *
 * Sparse steps (`rows`), without `amsgrad`, are those of PyTorch's SparseAdam and change only those rows:
 * θ −= lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε), where t is the tensor's step count. Weight decay is coupled (decoupled in
 * Keras's dialect).
 * @see Kingma, Ba (2015), https://arxiv.org/abs/1412.6980; AMSGrad: https://arxiv.org/abs/1904.09237
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Adam(params, { lr: 3e-4, betas: [0.9, 0.99] });
 * optimizer.step();
 */
export class Adam<Name extends string = string> extends StepOptimizer<AdamOptions, Name, AdamState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdamOptions, Name> = {}) {
    super(rule, params, options);
  }
}
