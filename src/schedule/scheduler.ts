// The base class of all schedules but `ReduceLROnPlateau`.
import { belowOne, counted, nonNegative, record, whole, wrongType, wrongValue } from "../util/check.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { onlyFields, readSaved, same } from "../state/validation.js";
import { describe } from "../util/describe.js";
import { type Curve, limited } from "./curve.js";
import { type Definition, FOREIGN, groupsWith, newOptions, ownOptions, readGiven } from "./definition.js";
import {
  baseRateFor,
  checkMomentum,
  checkOptimizer,
  momentaOf,
  refuseArguments,
  setValues,
  startRate,
  valuesAt,
  writeBases,
} from "./rates.js";
import { FORMAT, type InnerState, type ScheduleState, VERSION, groupNumbers } from "./state.js";

type Options = Readonly<Record<string, unknown>>;

/** Options and what follows from them. */
interface Settings {
  readonly options: Options;
  readonly curve: Curve;
  readonly inner: readonly Settings[];
}

/**
 * Base class of all schedules but `ReduceLROnPlateau`. Each step looks at the present rate of each group. If it is the one
 * that the schedule set, the next rate follows a closed form of the group's base rate (`initialLr`) and the number of calls
 * of `step()`. If something else has changed it, the next rate follows from it by PyTorch's recursive form.
 */
export abstract class LRScheduler {
  readonly #definition: Definition<Options>;
  readonly #optimizer: Pick<AnyOptimizer, "paramGroups">;
  readonly #inner: readonly LRScheduler[];
  #settings: Settings;
  #counter = 0;
  #bases: readonly number[] = [];
  /** The rates last set; undefined for an inner schedule that is not active, or after a load. */
  #rates: readonly number[] | undefined;
  /** The class of the schedule that this one is part of. */
  #parent: string | undefined;

  /** @internal */
  protected constructor(
    definition: Definition<Options>,
    optimizer: Pick<AnyOptimizer, "paramGroups">,
    options: object,
  ) {
    const { name, fromPresent, schedulers } = definition;
    checkOptimizer(name, optimizer);
    const groups = optimizer.paramGroups;
    const { given, lastEpoch } = readGiven(definition, options);
    this.#definition = definition;
    this.#optimizer = optimizer;
    this.#inner = schedulers ? this.#readInner(given.schedulers) : [];
    this.#settings = this.#settingsFor(
      newOptions(definition, given, groups.length, this.#inner.length),
      this.#inner.map((scheduler) => scheduler.#settings),
    );
    const { curve } = this.#settings;
    if (curve.momentum && this.#inner.length === 0) checkMomentum(name, optimizer);
    const e = lastEpoch ?? (schedulers?.together ? this.#inner[0].#counter : 0);
    const present = groups.map(({ lr }) => lr);
    const bases = groups.map(({ lr, initialLr }) => (fromPresent && e === 0 ? lr : (initialLr ?? lr)));
    const atStart = this.#inner.every((scheduler) => scheduler.#counter === e);
    const rates = bases.map((base, g) => {
      if (!schedulers?.together) return startRate(curve, optimizer, base, e, g);
      return atStart ? chainedRate(curve, present[g], base, e, g) : curve.rate(base, e, g);
    });
    this.#moveTo(e, bases, rates);
    writeBases(optimizer, present);
    for (const scheduler of this.#inner) scheduler.#parent = name;
  }

  /** The rate of each group that the schedule set last. */
  get lastLr(): number[] {
    const { curve } = this.#settings;
    const rates = this.#rates ?? this.#bases.map((base, g) => curve.rate(base, this.#counter, g));
    return this.#optimizer.paramGroups.map(({ lr }, g) => rates[g] ?? lr);
  }

  /**
   * Sets every group's next rate. Call it after the optimizer's step or after each epoch, whichever the options count.
   * @throws TypeError for an argument; RangeError past the end of a schedule that has one, or when the optimizer refuses a
   * value; Error for a schedule that is part of another. Nothing is changed then.
   * @example
   * optimizer.step();
   * schedule.step();
   */
  step(): void;
  step(...given: readonly unknown[]): void {
    this.move(given);
  }

  /** @internal Moves to the next position or, with `positions`, to the one given as the first argument. */
  protected move(given: readonly unknown[], positions = false): void {
    const { name, position = whole } = this.#definition;
    this.#checkWhole("step");
    refuseArguments(name, positions ? given.slice(1) : given, positions ? "one position" : "no argument");
    const target = positions && given[0] !== undefined ? position.read(name, "step()", given[0]) : undefined;
    const { curve } = this.#settings;
    const e = target ?? this.#counter + 1;
    const bases = this.#allBases();
    const rates = this.#optimizer.paramGroups.map(({ lr }, g) =>
      target === undefined ? curve.next(lr, bases[g], e, g) : curve.rate(bases[g], e, g),
    );
    this.#moveTo(e, bases, rates);
    writeBases(this.#optimizer, bases);
  }

  /**
   * The counter, base rates, rates and options, with those of inner schedules, as a plain object: store it, post it, or
   * pass it to {@link loadStateDict}. Functions are left out.
   * @example
   * const saved = schedule.stateDict();
   */
  stateDict(): ScheduleState {
    const { kind, ...rest } = this.#save();
    return {
      format: FORMAT,
      version: VERSION,
      kind,
      counter: this.#counter,
      baseLrs: this.#allBases(),
      lastLrs: this.#optimizer.paramGroups.map(({ lr }) => lr),
      ...(this.#settings.curve.momentum && { lastMomenta: momentaOf(this.#optimizer) }),
      ...rest,
    };
  }

  /**
   * Restores what {@link stateDict} returned: later rates have the same bits. Options come from the state. The optimizer
   * gets the saved rates at once, whoever set them; states of version 0.1, which have none, give the rates of their counter.
   * @throws TypeError, RangeError naming what does not fit; nothing is changed then.
   * @example
   * schedule.loadStateDict(saved);
   */
  loadStateDict(saved: ScheduleState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state. The function returned writes it. */
  prepareLoad(given: unknown): () => void {
    this.#checkWhole("loadStateDict");
    const { name, position = whole, fromPresent } = this.#definition;
    const saved = readSaved(name, given, { format: FORMAT, version: VERSION });
    const settings = this.#read("saved", saved, [
      ...["format", "version", "counter", "baseLrs", "lastLrs"],
      ...(this.#settings.curve.momentum ? ["lastMomenta"] : []),
    ]);
    const { curve } = settings;
    const counter = position.read(name, "saved.counter", saved.counter);
    const numbers = (field: string, kind = nonNegative): readonly number[] =>
      groupNumbers(kind, this.#optimizer.paramGroups.length).read(name, `saved.${field}`, saved[field]);
    const bases = numbers("baseLrs");
    curve.check?.(counter);
    const rates = "lastLrs" in saved ? numbers("lastLrs") : bases.map((base, g) => curve.rate(base, counter, g));
    const values = {
      ...valuesAt(name, curve, rates, counter),
      ...("lastMomenta" in saved && { momenta: numbers("lastMomenta", belowOne) }),
    };
    return () => {
      setValues(name, this.#optimizer, values, false);
      if (!fromPresent) writeBases(this.#optimizer, bases, true);
      this.#apply(settings);
      this.#setPosition(counter, bases, values.rates);
    };
  }

  #readInner(value: unknown): readonly LRScheduler[] {
    const { name, schedulers } = this.#definition;
    if (!Array.isArray(value)) throw wrongType(name, "schedulers", "an array of schedules", value);
    if (value.length === 0) throw wrongValue(name, "schedulers", "at least one schedule", value);
    const [first] = this.#optimizer.paramGroups;
    return Array.from(value, (item: unknown, i) => {
      const option = `schedulers[${i}]`;
      if (!(item instanceof LRScheduler)) throw wrongType(name, option, SCHEDULE, item);
      if (item.#optimizer.paramGroups[0] !== first)
        throw wrongValue(name, option, "a schedule of the same optimizer", item);
      if (item.#parent !== undefined || value.indexOf(item) !== i)
        throw wrongValue(name, option, "a schedule that is part of no other", item);
      const at = (value[0] as LRScheduler).#counter;
      if (schedulers?.together && item.#counter !== at)
        throw wrongValue(name, option, `a schedule that has made ${at} steps, as the first`, item.#counter);
      return item;
    });
  }

  #settingsFor(options: Options, inner: readonly Settings[]): Settings {
    const { rates = [] } = this.#definition;
    const curves = inner.map(({ curve }) => curve);
    const curve = this.#definition.curve(options, curves);
    return { options, inner, curve: limited(curve, Math.min(...rates.map((option) => groupsWith(options[option])))) };
  }

  #checkWhole(method: string): void {
    if (this.#parent !== undefined)
      throw new Error(`${this.#definition.name}: ${method}() is the ${this.#parent}'s, of which this is a part`);
  }

  /** Base rates of all groups. A group added since gets the one for which its rate stays as it is. */
  #allBases(): readonly number[] {
    const { curve } = this.#settings;
    return this.#optimizer.paramGroups.map(
      ({ lr, initialLr }, g) => this.#bases.at(g) ?? initialLr ?? baseRateFor(curve, lr, this.#counter, g),
    );
  }

  #moveTo(e: number, bases: readonly number[], rates: readonly number[]): void {
    const { name } = this.#definition;
    const values = valuesAt(name, this.#settings.curve, rates, e);
    setValues(name, this.#optimizer, values, true);
    this.#setPosition(e, bases, values.rates);
  }

  #setPosition(e: number, bases: readonly number[], rates?: readonly number[]): void {
    const { schedulers } = this.#definition;
    const { options } = this.#settings;
    this.#counter = e;
    this.#bases = bases;
    this.#rates = rates;
    this.#inner.forEach((scheduler, i) => {
      const set = schedulers?.active(options, i, e) ? rates : undefined;
      if (schedulers) scheduler.#setPosition(schedulers.counter(options, i, e), bases, set);
    });
  }

  #apply(settings: Settings): void {
    this.#settings = settings;
    this.#inner.forEach((scheduler, i) => scheduler.#apply(settings.inner[i]));
  }

  #save(): InnerState {
    const { name, unsaved = [], schedulers } = this.#definition;
    const options = Object.entries(this.#settings.options).flatMap(([option, value]) =>
      unsaved.includes(option) ? [] : [[option, Array.isArray(value) ? [...(value as unknown[])] : value]],
    );
    return {
      kind: name,
      options: Object.fromEntries(options) as Options,
      ...(schedulers && { schedulers: this.#inner.map((scheduler) => scheduler.#save()) }),
    };
  }

  /** Reads the kind, options and inner schedules of a saved state; `others` are its other fields. */
  #read(prefix: string, saved: Options, others: readonly string[]): Settings {
    const { name, kinds, unsaved = [] } = this.#definition;
    const count = this.#inner.length;
    same(name, `${prefix}.kind`, saved.kind, name);
    onlyFields(name, prefix, saved, [...others, "kind", "options", ...(count > 0 ? ["schedulers"] : [])]);
    const field = `${prefix}.options`;
    const given = record(name, field, saved.options);
    const savedNames = Object.keys(kinds).filter((option) => !unsaved.includes(option));
    onlyFields(name, field, given, savedNames);
    const kept = Object.fromEntries(unsaved.map((option) => [option, this.#settings.options[option]]));
    const groups = { min: 1, max: this.#optimizer.paramGroups.length };
    const options = ownOptions(this.#definition, `${field}.`, given, kept, groups, count);
    if (count === 0) return this.#settingsFor(options, []);

    const { schedulers } = saved;
    const expected = `an array of ${counted(count, "schedule")}`;
    if (!Array.isArray(schedulers)) throw wrongType(name, `${prefix}.schedulers`, expected, schedulers);
    if (schedulers.length !== count) throw wrongValue(name, `${prefix}.schedulers`, expected, schedulers);
    const inner = this.#inner.map((scheduler, i) => {
      const item = `${prefix}.schedulers[${i}]`;
      return scheduler.#read(item, record(name, item, (schedulers as unknown[])[i]), []);
    });
    return this.#settingsFor(options, inner);
  }
}

describe(
  LRScheduler,
  (schedule) => {
    const saved = schedule.stateDict();
    const { lastLr } = schedule;
    const inner = saved.schedulers?.map(({ kind }) => kind);
    const lr = lastLr.length > 1 ? { lastLr } : { lr: lastLr[0] };
    return [saved.kind, { ...saved.options, ...(inner && { schedulers: inner }), ...lr, step: saved.counter }, saved];
  },
  FOREIGN,
);

const SCHEDULE =
  'a schedule whose step() takes no metric (step a ReduceLROnPlateau beside it: "Warm-up with a plateau" in docs/schedules.md)';

/** The rate of a new chain, whose schedules have set theirs: `lr`, or the closed form if that differs by rounding only. */
function chainedRate(curve: Curve, lr: number, base: number, e: number, g: number): number {
  const own = curve.scale ? curve.rate(base, e, g) : lr;
  return Math.abs(own - lr) <= 1e-14 * lr ? own : lr;
}
