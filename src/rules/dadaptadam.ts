// D-Adaptation's Adam: estimates its step size from the gradients of all steps, and never lowers it.
import { above0, belowOne, epsilon, number, pair, wrongValue } from "../util/check.js";
import { padded } from "../memory/arena.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { perOptimizer } from "../optimizer/shared-numbers.js";
import { sweepAfter } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import {
  type CommonOptions,
  DEC,
  GS,
  OWN,
  type Rule,
  type Settled,
  WD,
  commonDefaults,
  commonKinds,
  exact,
  fixedFlag,
  setMoments,
} from "../optimizer/rule.js";

/** Options of {@link DAdaptAdam}. All but `weightDecay`, `eps` and `maximize` must be the same in all groups that have tensors. */
export interface DAdaptAdamOptions extends CommonOptions {
  /** Factor on the estimated step size, >= 0. Default 1. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment, >= 0. Default 1e-8. */
  eps?: number | undefined;
  /** Initial value of d, > 0. Default 1e-6. */
  d0?: number | undefined;
  /** Largest factor by which a step may raise d, >= 1. Default Infinity. */
  growthRate?: number | undefined;
  /** Decoupled weight decay, d·lr·λ·θ. Default false: λθ is added to the gradient. */
  decoupledWeightDecay?: boolean | undefined;
}

/** A tensor's state under {@link DAdaptAdam}. */
export type DAdaptAdamState = TensorState<
  Record<"expAvg" | "expAvgSq" | "s", Vector> & Record<"d" | "numeratorWeighted", number>
>;

// The numbers that all tensors of an optimizer share.
const [D, NUMERATOR] = [0, 1];
// The numbers of one step: d·lr before it, and the numerator and denominator of the new estimate.
const [KAPPA, SUM, NORM] = [0, 1, 2];

type Common = Pick<Settled<DAdaptAdamOptions>, "lr" | "betas" | "d0" | "growthRate" | "decoupledWeightDecay">;

/** The name of an option that must be the same and is not. */
function difference(a: Common, b: Common): keyof Common | undefined {
  if (a.lr !== b.lr) return "lr";
  if (a.betas[0] !== b.betas[0] || a.betas[1] !== b.betas[1]) return "betas";
  if (a.d0 !== b.d0) return "d0";
  if (a.growthRate !== b.growthRate) return "growthRate";
  return a.decoupledWeightDecay === b.decoupledWeightDecay ? undefined : "decoupledWeightDecay";
}

/** Makes the rule of one optimizer, with the numbers that its steps pass from the first pass to the second. */
function dadaptRule(): Rule<DAdaptAdamOptions> {
  const pass = new Float64Array(3);
  return {
    name: "DAdaptAdam",
    kinds: {
      ...commonKinds,
      betas: pair(belowOne),
      eps: epsilon,
      d0: above0,
      growthRate: number("a number >= 1", (x) => x >= 1),
      decoupledWeightDecay: fixedFlag,
    },
    defaults: {
      torch: {
        ...commonDefaults,
        lr: 1,
        betas: [0.9, 0.999],
        eps: 1e-8,
        d0: 1e-6,
        growthRate: Infinity,
        decoupledWeightDecay: false,
      },
    },
    slots: () => ({ expAvg: exact(), expAvgSq: exact(), s: exact() }),
    scratch: (_, { size }) => padded(size),
    shared: perOptimizer(({ d0 }) => ({ d: d0, numeratorWeighted: 0 })),
    ready(groups) {
      let first: (typeof groups)[number] | undefined;
      for (let g = 0; g < groups.length; g++) {
        if (!groups[g].occupied) continue;
        first ??= groups[g];
        const name = difference(first.options, groups[g].options);
        if (name === undefined) continue;
        const expected = `${String(first.options[name])}, as other groups have`;
        throw wrongValue("DAdaptAdam", `paramGroups[${g}].${name}`, expected, groups[g].options[name]);
      }
    },
    coefficients(c, o) {
      const kappa = pass[KAPPA];
      const root = Math.sqrt(o.betas[1]);
      c[WD] = o.decoupledWeightDecay ? 0 : o.weightDecay;
      c[DEC] = o.decoupledWeightDecay ? kappa * o.weightDecay : 0;
      setMoments(c, o.betas);
      c[OWN + 1] *= kappa;
      c[OWN + 4] = root;
      c[OWN + 5] = kappa * (1 - root);
      c[OWN + 6] = o.eps;
    },
    sweepAll: sweepAfter<DAdaptAdamOptions>({
      before({ lr }, shared) {
        pass[KAPPA] = shared[D] * lr;
        pass[SUM] = pass[NORM] = 0;
      },
      visit({ dadaptadam, dot, sumOfAbs }, { at, c, size, scratch }) {
        // prettier-ignore
        dadaptadam(at[0], at[1], at[2], at[3], at[4], at[5], scratch, c[0], c[1], c[3], c[4], c[5], c[6], c[7], c[8], c[9]);
        pass[SUM] += pass[KAPPA] * c[GS] * dot(size, at[2], scratch);
        if (c[WD] !== 0) pass[SUM] += pass[KAPPA] * c[WD] * dot(size, at[1], scratch);
        pass[NORM] += sumOfAbs(size, at[5]);
      },
      between({ betas, growthRate }, shared) {
        if (pass[NORM] === 0) return false;
        const root = Math.sqrt(betas[1]);
        shared[NUMERATOR] = root * shared[NUMERATOR] + (1 - root) * pass[SUM];
        const estimate = shared[NUMERATOR] / ((1 - root) * pass[NORM]);
        if (estimate > shared[D]) shared[D] = Math.min(estimate, shared[D] * growthRate); // not for NaN
        return true;
      },
    }),
    sweep({ prodigy }, { at, c }) {
      prodigy(at[0], at[1], at[3], at[4], c[2], 1, c[9]);
    },
  };
}

/**
 * Adam with D-Adaptation: estimates its step size d. With the moment m of d·lr·g: θ −= m/(√v + ε); d rises to the estimate
 * r/((1 − √β₂)‖s‖₁), where s and r average d·lr·g and d·lr·⟨g, s/(√v + ε)⟩ at the rate √β₂ over all tensors. Nothing moves before
 * the first gradient that is not 0. Leave lr at 1, with or without a schedule.
 *
 * State: `expAvg`, `expAvgSq`, `s`; per optimizer `d` and `numeratorWeighted` (r); 12 bytes per parameter. Also scratch for
 * one copy of the largest tensor.
 * @see Defazio, Mishchenko (2023), https://arxiv.org/abs/2301.07733
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors. `step()`
 * throws a RangeError when groups differ in options that must be the same.
 * @example
 * const optimizer = new DAdaptAdam(params, { weightDecay: 0.01, decoupledWeightDecay: true });
 * optimizer.step();
 */
export class DAdaptAdam<Name extends string = string> extends StepOptimizer<DAdaptAdamOptions, Name, DAdaptAdamState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<DAdaptAdamOptions, Name> = {}) {
    super(dadaptRule(), params, options);
  }
}
