import { nonNegative, number, whole } from "../util/check.js";
import { raiseTo } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import {
  type CommonOptions,
  OWN,
  type Rule,
  type Settled,
  commonDefaults,
  commonKinds,
  setDecay,
  exact,
} from "../optimizer/rule.js";

/** What the schedule-free rules take beside their own options. */
export interface ScheduleFreeOptions extends CommonOptions {
  /** Steps over which the learning rate rises to lr, a whole number >= 0. Default 0. */
  warmupSteps?: number | undefined;
  /** Step k enters the average with a weight of kʳ, >= 0. Default 0. */
  r?: number | undefined;
  /** And of the largest learning rate so far to this power, >= 0: so the warm-up counts for less. Default 2. */
  weightLrPower?: number | undefined;
}

/** Options of {@link ScheduleFreeSGD}. */
export interface ScheduleFreeSGDOptions extends ScheduleFreeOptions {
  /** Learning rate, >= 0. Default 1: schedule-free rules take larger ones. */
  lr?: number | undefined;
  /** β, how far from z to the average gradients are taken, in (0, 1). Default 0.9. */
  momentum?: number | undefined;
}

/** The least β: `eval()` divides by it. */
export const LEAST_BETA = 1e-38;

export const scheduleFreeKinds = {
  ...commonKinds,
  warmupSteps: whole,
  r: nonNegative,
  weightLrPower: nonNegative,
};
export const scheduleFreeDefaults = { ...commonDefaults, warmupSteps: 0, r: 0, weightLrPower: 2 };

/** Steps taken, the sum of all weights and the largest learning rate; then this step's learning rate and share of the sum. */
export const scheduleFreeStart = () => ({ k: 0, weightSum: 0, lrMax: -1, scheduledLr: 0, share: 0 });
const [K, SUM, MAX, LR, SHARE] = [0, 1, 2, 3, 4];
const power = new Float64Array(2);

/** A group's next step: its weight is kʳ·lrMaxᵖ. */
export function advanceScheduleFree(o: Settled<ScheduleFreeOptions>, shared: Float64Array): void {
  const k = shared[K] + 1;
  shared[K] = k;
  shared[LR] = k <= o.warmupSteps ? o.lr * (k / o.warmupSteps) : o.lr;
  if (shared[LR] > shared[MAX]) shared[MAX] = shared[LR];
  shared[SHARE] = k;
  power[0] = o.r;
  raiseTo(shared, SHARE, power, 0);
  power[1] = shared[MAX];
  power[0] = o.weightLrPower;
  raiseTo(power, 1, power, 0);
  shared[SHARE] *= power[1];
  shared[SUM] += shared[SHARE];
  if (shared[SUM] > 0) shared[SHARE] /= shared[SUM];
}

/** c1, a and l from `at` on; β comes in `c[at + 1]`. */
export function setScheduleFree(c: Float64Array, at: number, shared: Float64Array): void {
  c[at] = shared[SHARE];
  c[at + 1] = shared[LR] * (1 - c[at + 1] * (1 - shared[SHARE]));
  c[at + 2] = shared[LR];
}

const rule: Rule<ScheduleFreeSGDOptions> = {
  name: "ScheduleFreeSGD",
  kinds: { ...scheduleFreeKinds, momentum: number("a number in (0, 1)", (x) => x >= LEAST_BETA && x < 1) },
  defaults: { torch: { ...scheduleFreeDefaults, lr: 1, momentum: 0.9 } },
  slots: () => ({ z: exact("parameters") }),
  shared: { by: "group", start: scheduleFreeStart },
  advance: advanceScheduleFree,
  evaluation: { slot: "z", toEval: ({ momentum }) => 1 - 1 / momentum, toTrain: ({ momentum }) => 1 - momentum },
  coefficients(c, o, _, __, shared) {
    setDecay(c, o, false);
    c[OWN + 1] = o.momentum;
    setScheduleFree(c, OWN, shared);
  },
  sweep({ schedulefreesgd }, { at, c }) {
    schedulefreesgd(at[0], at[1], at[2], at[3], c[0], c[1], c[2], c[3], c[4], c[5]);
  },
};

/**
 * Schedule-free SGD: needs no decay of the learning rate. The parameters are y = (1 − β)z + βx: gradients are taken there,
 * z −= lr·g, and x averages z. Call `eval()` to evaluate at x, and `train()` before the next `step()`.
 *
 * State: `z`, and by group `k`, `weightSum`, `lrMax`, `scheduledLr` and `share`; 4 bytes a parameter.
 *
 * @see Defazio et al. (2024), https://arxiv.org/abs/2405.15682
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new ScheduleFreeSGD(params, { lr: 0.5, warmupSteps: 100 });
 * optimizer.step();
 * optimizer.eval(); // the average
 * optimizer.train();
 */
export class ScheduleFreeSGD<Name extends string = string> extends StepOptimizer<ScheduleFreeSGDOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<ScheduleFreeSGDOptions, Name> = {}) {
    super(rule, params, options);
  }
}
