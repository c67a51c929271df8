// A schedule that lowers the rate when a metric stops getting better.
import { anyNumber, belowOne, nonNegative, number, oneOf, record, whole } from "../util/check.js";
import { describe } from "../util/describe.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { onlyFields, readSaved } from "../state/validation.js";
import type { CommonScheduleOptions, OptionSet, OwnOptions, PerGroup } from "./definition.js";
import { FOREIGN, groupsWith, newOptions, ownOptions, perGroup, readGiven, valueAt } from "./definition.js";
import { checkOptimizer, refuseArguments, setValues } from "./rates.js";
import { FORMAT, VERSION, groupNumbers } from "./state.js";

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions extends CommonScheduleOptions {
  /** Whether a lower metric is better, "min" (default), or a higher one, "max". */
  mode?: "min" | "max" | undefined;
  /** What the rate is multiplied by, in [0, 1). Default 0.1. */
  factor?: number | undefined;
  /** How many metrics in a row may be no better before a cut, a whole number >= 0. Default 10. */
  patience?: number | undefined;
  /** How much better than the best a metric must be to count as better, >= 0. Default 1e-4. */
  threshold?: number | undefined;
  /** Whether `threshold` is a fraction of the best metric, "rel" (default), or an absolute difference, "abs". */
  thresholdMode?: "rel" | "abs" | undefined;
  /** How many metrics after a cut do not count as bad, a whole number >= 0. Default 0. */
  cooldown?: number | undefined;
  /** The lowest rate, >= 0; or an array, one for each group. Default 0. */
  minLr?: PerGroup<number> | undefined;
  /** A cut by this much or less is not made, >= 0. Default 1e-8. */
  eps?: number | undefined;
}

/** What `stateDict()` of {@link ReduceLROnPlateau} returns: plain and structured-cloneable. */
export interface PlateauState {
  /** Marks a schedule's state: others are refused. */
  readonly format: typeof FORMAT;
  /** Version of this layout: others are refused. */
  readonly version: typeof VERSION;
  /** The class's name: states of other schedules are refused. */
  readonly kind: "ReduceLROnPlateau";
  /** Calls of `step()` so far, a whole number >= 0. */
  readonly counter: number;
  /** The rate of each group. */
  readonly lastLrs: readonly number[];
  /** The best metric; null before the first; infinite ones as strings, since JSON has no numbers for them. */
  readonly best: number | "Infinity" | "-Infinity" | null;
  /** Metrics in a row that were no better. */
  readonly badSteps: number;
  /** How many of the next metrics do not count as bad. */
  readonly cooldownLeft: number;
  /** Every option by name, with defaults. */
  readonly options: Readonly<Record<string, unknown>>;
}

const NAME = "ReduceLROnPlateau";
const FIELDS = ["format", "version", "kind", "counter", "lastLrs", "best", "badSteps", "cooldownLeft", "options"];
const bestKind = number("a number or null", (x) => !Number.isNaN(x));
const readBest = (saved: unknown): number | null => {
  if (saved === null) return null;
  return bestKind.read(NAME, "saved.best", saved === "Infinity" || saved === "-Infinity" ? Number(saved) : saved);
};

const definition: OptionSet<ReduceLROnPlateauOptions> = {
  name: NAME,
  kinds: {
    mode: oneOf(["min", "max"]),
    factor: belowOne,
    patience: whole,
    threshold: nonNegative,
    thresholdMode: oneOf(["rel", "abs"]),
    cooldown: whole,
    minLr: perGroup(nonNegative),
    eps: nonNegative,
  },
  perGroup: ["minLr"],
  defaults: {
    mode: "min",
    factor: 0.1,
    patience: 10,
    threshold: 1e-4,
    thresholdMode: "rel",
    cooldown: 0,
    minLr: 0,
    eps: 1e-8,
  },
};

/**
 * Multiplies the present rates, whoever set them, by `factor` when the metric has not got better for more than `patience`
 * calls of `step(metric)`. NaN is never better.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 3 });
 * schedule.step(0.31); // the validation loss, after each epoch
 */
export class ReduceLROnPlateau {
  readonly #optimizer: Pick<AnyOptimizer, "paramGroups">;
  #options: OwnOptions<ReduceLROnPlateauOptions>;
  #counter: number;
  #best: number | null = null;
  #badSteps = 0;
  #cooldownLeft = 0;

  /**
   * @param optimizer The optimizer whose rates are cut.
   * @param options Default: all defaults.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: ReduceLROnPlateauOptions = {}) {
    checkOptimizer(NAME, optimizer);
    const { given, lastEpoch = 0 } = readGiven(definition, options);
    this.#options = newOptions(definition, given, optimizer.paramGroups.length);
    this.#counter = lastEpoch;
    this.#optimizer = optimizer;
  }

  /** The rate of each group. */
  get lastLr(): number[] {
    return this.#optimizer.paramGroups.map(({ lr }) => lr);
  }

  /**
   * Takes a metric, usually the validation loss after an epoch, and cuts the rates if it is time.
   * @throws TypeError unless `metric` is a number; RangeError when the optimizer refuses a rate. Nothing is changed then.
   * @example
   * schedule.step(mlp.evaluate(x, y).loss);
   */
  step(metric: number): void;
  step(metric: number, ...more: readonly unknown[]): void {
    anyNumber.read(NAME, "metric", metric);
    refuseArguments(NAME, more, "the metric alone");
    const { patience, cooldown } = this.#options;
    const better = this.#isBetter(metric);
    let bad = better || this.#cooldownLeft > 0 ? 0 : this.#badSteps + 1;
    let left = Math.max(0, this.#cooldownLeft - 1);
    if (bad > patience) {
      const rates = this.lastLr.map((lr, g) => this.#reduced(lr, g));
      setValues(NAME, this.#optimizer, { rates, momenta: [] }, false);
      [bad, left] = [0, cooldown];
    }
    this.#counter++;
    if (better) this.#best = metric;
    [this.#badSteps, this.#cooldownLeft] = [bad, left];
  }

  /**
   * The rates, the best metric, the counts and the options as a plain object: store it, post it, or pass it to
   * {@link loadStateDict}.
   * @example
   * const saved = schedule.stateDict();
   */
  stateDict(): PlateauState {
    const { minLr, ...options } = this.#options;
    return {
      format: FORMAT,
      version: VERSION,
      kind: NAME,
      counter: this.#counter,
      lastLrs: this.lastLr,
      best: this.#best === null || Number.isFinite(this.#best) ? this.#best : (`${this.#best}` as "Infinity"),
      badSteps: this.#badSteps,
      cooldownLeft: this.#cooldownLeft,
      options: { ...options, minLr: typeof minLr === "number" ? minLr : [...minLr] },
    };
  }

  /**
   * Restores what {@link stateDict} returned, with its options. The optimizer gets the saved rates at once.
   * @throws TypeError, RangeError naming what does not fit; nothing is changed then.
   */
  loadStateDict(saved: PlateauState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state. The function returned writes it. */
  prepareLoad(given: unknown): () => void {
    const saved = readSaved(NAME, given, { format: FORMAT, version: VERSION, kind: NAME });
    onlyFields(NAME, "saved", saved, FIELDS);
    const groups = this.#optimizer.paramGroups.length;
    const savedOptions = record(NAME, "saved.options", saved.options);
    onlyFields(NAME, "saved.options", savedOptions, Object.keys(definition.kinds));
    const options = ownOptions(definition, "saved.options.", savedOptions, {}, { min: 1, max: groups });
    const counter = whole.read(NAME, "saved.counter", saved.counter);
    const rates = groupNumbers(nonNegative, groups).read(NAME, "saved.lastLrs", saved.lastLrs);
    const best = readBest(saved.best);
    const badSteps = whole.read(NAME, "saved.badSteps", saved.badSteps);
    const cooldownLeft = whole.read(NAME, "saved.cooldownLeft", saved.cooldownLeft);
    return () => {
      setValues(NAME, this.#optimizer, { rates, momenta: [] }, false);
      this.#options = options;
      this.#counter = counter;
      this.#best = best;
      this.#badSteps = badSteps;
      this.#cooldownLeft = cooldownLeft;
    };
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const rising = mode === "max";
    const best = this.#best;
    if (best === null) return rising ? metric > -Infinity : metric < Infinity;
    const margin = rising ? threshold : -threshold;
    // A fraction of |best|. PyTorch takes it of best, for which a negative metric that stays the same is better.
    const bound = thresholdMode === "rel" ? best * (1 + (best < 0 ? -margin : margin)) : best + margin;
    return rising ? metric > bound : metric < bound;
  }

  #reduced(lr: number, g: number): number {
    const { factor, minLr, eps } = this.#options;
    if (g >= groupsWith(minLr)) return lr;
    const next = Math.max(lr * factor, valueAt(minLr, g));
    return lr - next > eps ? next : lr;
  }
}
describe(
  ReduceLROnPlateau,
  (schedule) => {
    const saved = schedule.stateDict();
    const { lastLrs, best, badSteps } = saved;
    const lr = lastLrs.length > 1 ? { lastLr: lastLrs } : { lr: lastLrs[0] };
    return [NAME, { ...saved.options, ...lr, best, badSteps, step: saved.counter }, saved];
  },
  FOREIGN,
);
