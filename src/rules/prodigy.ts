// Prodigy: Adam that estimates its step size from the distance to the start.
import { above0, belowOne, epsilon, nonNegative, number, pair, wrongValue } from "../util/check.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { perOptimizer } from "../optimizer/shared-numbers.js";
import { sweepAfter } from "../step/tensor-sweep.js";
import { copyIn } from "../step/copied-slot.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import { type CommonOptions, GS, type Rule, commonDefaults, commonKinds, exact } from "../optimizer/rule.js";

/** Options of {@link Prodigy}. The estimate of d uses those of the first group that has tensors. */
export interface ProdigyOptions extends CommonOptions {
  /** Factor on the estimated step size, >= 0; the same in all groups, or 0 in groups that must not move. Default 1. */
  lr?: number | undefined;
  /** Decay rates of the first and the second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Times d, added to the root of the second moment, >= 0. Default 1e-8. */
  eps?: number | undefined;
  /** Initial value of d, > 0. Default 1e-6. */
  d0?: number | undefined;
  /** Factor on the estimate of d, >= 0. Default 1. */
  dCoef?: number | undefined;
  /** Largest factor by which a step may raise d once it has left d0, >= 1. Default Infinity. */
  growthRate?: number | undefined;
}

/** A tensor's state under {@link Prodigy}. */
export type ProdigyState = TensorState<
  Record<"expAvg" | "expAvgSq" | "s" | "p0", Vector> & Record<"d" | "dMax" | "dNumerator", number>
>;

// The numbers that all tensors of an optimizer share.
const [D, MAX, NUMERATOR] = [0, 1, 2];
// The numbers of one step: d before it, and the numerator and denominator of the new estimate.
const [OLD_D, SUM, NORM] = [0, 1, 2];

/** Makes the rule of one optimizer, with the numbers that its steps pass from the first pass to the second. */
function prodigyRule(): Rule<ProdigyOptions> {
  const pass = new Float64Array(3);
  return {
    name: "Prodigy",
    kinds: {
      ...commonKinds,
      betas: pair(belowOne),
      eps: epsilon,
      d0: above0,
      dCoef: nonNegative,
      growthRate: number("a number >= 1", (x) => x >= 1),
    },
    defaults: {
      torch: { ...commonDefaults, lr: 1, betas: [0.9, 0.999], eps: 1e-8, d0: 1e-6, dCoef: 1, growthRate: Infinity },
    },
    slots: () => ({ expAvg: exact(), expAvgSq: exact(), s: exact(), p0: exact() }),
    copied: copyIn(3),
    shared: perOptimizer(({ d0 }) => ({ d: d0, dMax: d0, dNumerator: 0 })),
    ready(groups) {
      let first = 0;
      for (let g = 0; g < groups.length; g++) {
        const { lr } = groups[g].options;
        if (!groups[g].occupied) continue;
        if (first === 0) first = lr;
        else if (lr !== 0 && lr !== first)
          throw wrongValue("Prodigy", `paramGroups[${g}].lr`, `${first}, as other groups have, or 0`, lr);
      }
    },
    sweepAll: sweepAfter<ProdigyOptions>({
      before({ betas }, shared) {
        pass[OLD_D] = shared[D];
        pass[SUM] = shared[NUMERATOR] * Math.sqrt(betas[1]);
        pass[NORM] = 0;
      },
      visit({ dotDifference, prodigyMoments, sumOfAbs }, { at, c, size }, { lr, betas, d0 }) {
        if (lr === 0) return;
        const d = pass[OLD_D];
        const weight = (d / d0) * (d * lr);
        const b1 = betas[0];
        const b2 = betas[1];
        pass[SUM] += weight * c[GS] * dotDifference(size, at[2], at[6], at[1]);
        // prettier-ignore
        prodigyMoments(at[0], at[2], at[3], at[4], at[5], c[GS], b1, d * (1 - b1), b2, d * d * (1 - b2), Math.sqrt(b2), weight);
        pass[NORM] += sumOfAbs(size, at[5]);
      },
      between({ d0, dCoef, growthRate }, shared) {
        if (pass[NORM] === 0) return false;
        const estimate = (dCoef * pass[SUM]) / pass[NORM];
        if (estimate > shared[MAX]) shared[MAX] = estimate; // false for NaN, which leaves d unchanged
        const from = pass[OLD_D] === d0 && estimate > d0 ? estimate : pass[OLD_D];
        shared[D] = Math.min(shared[MAX], from * growthRate);
        shared[NUMERATOR] = pass[SUM];
        return true;
      },
    }),
    sweep({ prodigy }, { at, shared }, { lr, eps, weightDecay }) {
      const rate = pass[OLD_D] * lr;
      if (rate !== 0) prodigy(at[0], at[1], at[3], at[4], weightDecay * rate, rate, shared[D] * eps);
    },
  };
}

/**
 * Prodigy: Adam that estimates its step size d. With the moments of d·g: θ −= d·lr·m/(√v + d·ε); d rises towards
 * dCoef·Σ⟨g, θ₀ − θ⟩/‖s‖₁, both weighted sums over all steps and tensors. Weight decay is decoupled. Nothing moves or decays
 * before the first gradient that is not 0. Leave lr at 1, with or without a schedule.
 *
 * State: `expAvg`, `expAvgSq`, `s`, `p0` (θ₀); per optimizer `d`, `dMax`, `dNumerator`; 16 bytes per parameter.
 * @see Mishchenko, Defazio (2024), https://arxiv.org/abs/2306.06101
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors. `step()`
 * throws a RangeError when groups have different values of lr other than 0.
 * @example
 * const optimizer = new Prodigy(params, { weightDecay: 0.01 });
 * optimizer.step();
 */
export class Prodigy<Name extends string = string> extends StepOptimizer<ProdigyOptions, Name, ProdigyState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<ProdigyOptions, Name> = {}) {
    super(prodigyRule(), params, options);
  }
}
