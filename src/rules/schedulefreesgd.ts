// Schedule-free SGD, and the averaging that ScheduleFreeAdamW shares with it.
import { nonNegative, number, whole } from "../util/check.js";
import { raiseTo } from "../util/exact.js";
import { perGroup } from "../optimizer/shared-numbers.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { copyIn } from "../step/copied-slot.js";
import { stepsOf } from "../step/tensor-table.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule, Settled } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, exact, setDecay } from "../optimizer/rule.js";

/** Options that all schedule-free rules share. */
export interface ScheduleFreeOptions extends CommonOptions {
  /** Steps over which the learning rate rises to lr, a whole number >= 0. Default 0. */
  warmupSteps?: number | undefined;
  /** Step k has the weight kʳ in the average, >= 0. Default 0. */
  r?: number | undefined;
  /** The weight is also multiplied by the largest learning rate so far to this power, >= 0. Default 2. */
  weightLrPower?: number | undefined;
}

/** Options of {@link ScheduleFreeSGD}. */
export interface ScheduleFreeSGDOptions extends ScheduleFreeOptions {
  /** Learning rate, >= 0; schedule-free rules need larger ones. Default 1. */
  lr?: number | undefined;
  /** β in (0, 1): gradients are taken at (1 − β)z + βx. Default 0.9. */
  momentum?: number | undefined;
}

/** A tensor's state under {@link ScheduleFreeSGD}. */
export type ScheduleFreeSGDState = TensorState<
  Record<"z", Vector> & Record<"k" | "weightSum" | "lrMax" | "scheduledLr" | "share", number>
>;

/** The smallest β: `eval()` divides by it. */
export const MIN_BETA = 1e-38;

export const scheduleFreeKinds = {
  ...commonKinds,
  warmupSteps: whole,
  r: nonNegative,
  weightLrPower: nonNegative,
};
export const scheduleFreeDefaults = { ...commonDefaults, warmupSteps: 0, r: 0, weightLrPower: 2 };

/** Step count, sum of all weights, largest learning rate; this step's learning rate and its share of the sum. */
const scheduleFreeStart = () => ({ k: 0, weightSum: 0, lrMax: -1, scheduledLr: 0, share: 0 });
const [K, SUM, MAX, LR, SHARE] = [0, 1, 2, 3, 4];

/**
 * What schedule-free rules have: parameters for training, y, and for evaluation, x = y + (1 − 1/β)(z − y), which is undone
 * with 1 − β; and numbers of each group. `slot` is the place of z, and `betaOf` β.
 */
/* @__NO_SIDE_EFFECTS__ */
export const scheduleFree = <Options extends ScheduleFreeOptions>(
  name: string,
  slot: number,
  betaOf: (options: Settled<Options>) => number,
): Pick<Rule<Options>, "copied" | "shared" | "ready" | "advance" | "evaluate"> => ({
  copied: copyIn(slot),
  shared: perGroup(scheduleFreeStart),
  ready(_, evaluating) {
    if (evaluating) throw new Error(`${name}: step() moves the parameters for training: call train() first`);
  },
  advance(groups) {
    for (let g = 0; g < groups.length; g++) advance(groups[g].options, groups[g].shared);
  },
  evaluate({ table, groups, arena }, evaluating) {
    for (let i = 0; i < table.tensors.length; i++) {
      const beta = betaOf(groups[table.group[i]].options);
      const w = 1 - (evaluating ? 1 / beta : beta);
      if (stepsOf(table, i) > 0) arena.kernels.approach(table.length[i], table.data[i], table.slots[slot][i], w);
    }
  },
});

/** Advances a group to its next step, whose weight is kʳ·lrMaxᵖ. */
function advance(o: Settled<ScheduleFreeOptions>, shared: Float64Array): void {
  const k = shared[K] + 1;
  const lr = k <= o.warmupSteps ? o.lr * (k / o.warmupSteps) : o.lr;
  shared[K] = k;
  if (lr > shared[MAX]) shared[MAX] = lr;
  shared[SHARE] = k;
  shared[LR] = o.r; // scratch for the exponents
  raiseTo(shared, SHARE, shared, LR);
  const weight = shared[SHARE];
  shared[SHARE] = shared[MAX];
  shared[LR] = o.weightLrPower;
  raiseTo(shared, SHARE, shared, LR);
  shared[LR] = lr;
  shared[SHARE] *= weight;
  shared[SUM] += shared[SHARE];
  if (shared[SUM] > 0) shared[SHARE] /= shared[SUM];
}

/** Sets the kernel's c1, a and l in c[at] to c[at + 2]; c[at + 1] holds β before. */
export function setScheduleFree(c: Float64Array, at: number, shared: Float64Array): void {
  c[at] = shared[SHARE];
  c[at + 1] = shared[LR] * (1 - c[at + 1] * (1 - shared[SHARE]));
  c[at + 2] = shared[LR];
}

const rule: Rule<ScheduleFreeSGDOptions> = {
  name: "ScheduleFreeSGD",
  kinds: { ...scheduleFreeKinds, momentum: number("a number in (0, 1)", (x) => x >= MIN_BETA && x < 1) },
  defaults: { torch: { ...scheduleFreeDefaults, lr: 1, momentum: 0.9 } },
  slots: () => ({ z: exact() }),
  ...scheduleFree<ScheduleFreeSGDOptions>("ScheduleFreeSGD", 0, ({ momentum }) => momentum),
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
 * Schedule-free SGD: averages the iterates instead of decaying the learning rate. Gradients are taken at the parameters
 * y = (1 − β)z + βx; z −= lr·g, and x averages z. Call `eval()` to evaluate at x, and `train()` before the next `step()`.
 *
 * State: `z`; per group `k`, `weightSum`, `lrMax`, `scheduledLr` and `share`; 4 bytes per parameter.
 * @see Defazio et al. (2024), https://arxiv.org/abs/2405.15682
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new ScheduleFreeSGD(params, { lr: 0.5, warmupSteps: 100 });
 * optimizer.step();
 * optimizer.eval(); // the average
 * optimizer.train();
 */
export class ScheduleFreeSGD<Name extends string = string> extends StepOptimizer<
  ScheduleFreeSGDOptions,
  Name,
  ScheduleFreeSGDState
> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<ScheduleFreeSGDOptions, Name> = {}) {
    super(rule, params, options);
  }
}
