import { belowOne, nonNegative, number, oneOf, record, whole } from "../util/check.js";
import { onlyFields, same } from "../state/validation.js";
import {
  type CommonScheduleOptions,
  type OptionSet,
  type PerGroup,
  type Settled,
  groupsWith,
  perGroup,
  readOptions,
  settle,
  valueAt,
} from "./definition.js";
import { type AnyOptimizer, checkOptimizer, refuseArguments, write } from "./rates.js";
import { FORMAT, VERSION, readNumbers } from "./state.js";

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions extends CommonScheduleOptions {
  /** Whether the metric gets better when it falls, "min" (default), or rises, "max". */
  mode?: "min" | "max" | undefined;
  /** What the rate is multiplied by, in [0, 1). Default 0.1. */
  factor?: number | undefined;
  /** How many metrics in a row may be no better before the rate falls, a whole number >= 0. Default 10. */
  patience?: number | undefined;
  /** How much better than the best a metric must be to count, >= 0. Default 1e-4. */
  threshold?: number | undefined;
  /** That much of the best, "rel" (default), or that much, "abs". */
  thresholdMode?: "rel" | "abs" | undefined;
  /** Metrics after a fall that do not count as bad, a whole number >= 0. Default 0. */
  cooldown?: number | undefined;
  /** No rate falls below it, >= 0; or an array, one for each group. Default 0. */
  minLr?: PerGroup<number> | undefined;
  /** A fall by no more than this is left out, >= 0. Default 1e-8. */
  eps?: number | undefined;
}

/** What `stateDict()` of {@link ReduceLROnPlateau} gives: plain, structured-cloneable. */
export interface PlateauState {
  /** What it is of: a load refuses any other. */
  readonly format: typeof FORMAT;
  /** The form of this object: a load refuses any other. */
  readonly version: typeof VERSION;
  /** The class's name: the state of another schedule is refused. */
  readonly kind: "ReduceLROnPlateau";
  /** Calls of `step()` so far, a whole number >= 0. */
  readonly counter: number;
  /** The rate of each group. */
  readonly lastLrs: readonly number[];
  /** The best metric; null before the first; infinite ones as texts, which JSON keeps. */
  readonly best: number | "Infinity" | "-Infinity" | null;
  /** Metrics in a row that were no better. */
  readonly badSteps: number;
  /** Metrics to come that do not count as bad. */
  readonly cooldownLeft: number;
  /** Every option by name, defaults included; a load takes them over. */
  readonly options: Readonly<Record<string, unknown>>;
}

const NAME = "ReduceLROnPlateau";
const FIELDS = ["format", "version", "kind", "counter", "lastLrs", "best", "badSteps", "cooldownLeft", "options"];
const metricKind = number("a number", () => true);
const bestKind = number("a number or null", (x) => !Number.isNaN(x));
const readBest = (saved: unknown): number | null => {
  if (saved === null) return null;
  return bestKind.read(NAME, "saved.best", saved === "Infinity" || saved === "-Infinity" ? Number(saved) : saved);
};

const definition: OptionSet<ReduceLROnPlateauOptions> = {
  name: NAME,
  kinds: {
    mode: oneOf("min", "max"),
    factor: belowOne,
    patience: whole,
    threshold: nonNegative,
    thresholdMode: oneOf("rel", "abs"),
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
 * Multiplies the rates by `factor` when the metric has not got better for more than `patience` calls of `step(metric)`.
 * A fall starts from the rates that the optimizer has then, whoever set them. A metric that is NaN is no better.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 3 });
 * schedule.step(0.31); // the validation loss, after each epoch
 */
export class ReduceLROnPlateau {
  readonly #optimizer: AnyOptimizer;
  #options: Settled<ReduceLROnPlateauOptions>;
  #counter = 0;
  #best: number | null = null;
  #badSteps = 0;
  #cooldownLeft = 0;

  /**
   * @param optimizer The optimizer whose rates fall, from what they are when the metric says so.
   * @param options Default: all defaults.
   */
  constructor(optimizer: AnyOptimizer, options: ReduceLROnPlateauOptions = {}) {
    checkOptimizer(NAME, optimizer);
    const { settled, lastEpoch = 0 } = readOptions(definition, options, optimizer.paramGroups.length);
    this.#options = settled;
    this.#counter = lastEpoch;
    this.#optimizer = optimizer;
  }

  /** The rate of each group. */
  get lastLr(): number[] {
    return this.#optimizer.paramGroups.map(({ lr }) => lr);
  }

  /**
   * Takes a metric in, and lets the rates fall if it is time: after each epoch, say.
   * @throws TypeError unless `metric` is a number; RangeError when the optimizer refuses a rate. Nothing is changed then.
   * @example
   * schedule.step(mlp.evaluate(x, y).loss);
   */
  step(metric: number): void;
  step(metric: number, ...more: readonly unknown[]): void {
    metricKind.read(NAME, "metric", metric);
    refuseArguments(NAME, more, "the metric alone");
    const { patience, cooldown } = this.#options;
    const better = this.#isBetter(metric);
    let bad = better || this.#cooldownLeft > 0 ? 0 : this.#badSteps + 1;
    let left = Math.max(0, this.#cooldownLeft - 1);
    if (bad > patience) {
      const rates = this.lastLr.map((lr, g) => this.#reduced(lr, g));
      write(NAME, this.#optimizer, { rates, momenta: [] }, false);
      [bad, left] = [0, cooldown];
    }
    this.#counter++;
    if (better) this.#best = metric;
    [this.#badSteps, this.#cooldownLeft] = [bad, left];
  }

  /**
   * The rates, the best metric, the counts and the options as a plain object: store it, post it, or give it to
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
   * Goes on from what {@link stateDict} gave: options come from it, and the optimizer has its rates at once. All of it is
   * checked before anything is written.
   * @throws TypeError, RangeError naming what does not fit; nothing is changed then.
   */
  loadStateDict(saved: PlateauState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state; what is returned writes it. */
  prepareLoad(given: unknown): () => void {
    const saved = record(NAME, "saved", given);
    same(NAME, "saved.format", saved.format, FORMAT);
    same(NAME, "saved.version", saved.version, VERSION);
    same(NAME, "saved.kind", saved.kind, NAME);
    onlyFields(NAME, "saved", saved, FIELDS);
    const groups = this.#optimizer.paramGroups.length;
    const optionsGiven = record(NAME, "saved.options", saved.options);
    onlyFields(NAME, "saved.options", optionsGiven, Object.keys(definition.kinds));
    const options = settle(definition, "saved.options.", optionsGiven, { from: 1, to: groups }, {});
    const counter = whole.read(NAME, "saved.counter", saved.counter);
    const rates = readNumbers(NAME, "saved.lastLrs", saved.lastLrs, groups, nonNegative);
    const best = readBest(saved.best);
    const badSteps = whole.read(NAME, "saved.badSteps", saved.badSteps);
    const cooldownLeft = whole.read(NAME, "saved.cooldownLeft", saved.cooldownLeft);
    return () => {
      write(NAME, this.#optimizer, { rates, momenta: [] }, false);
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
    // A part of |best|: PyTorch takes it of best, so that a negative metric that stays the same counts as better.
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
