import { counted, nonNegative, record, whole, wrongType, wrongValue } from "../check.js";
import { onlyFields, same } from "../saved.js";
import type { Curve } from "./curve.js";
import { type Definition, readOptions, refuseConflict, settle } from "./definition.js";
import {
  type AnyOptimizer,
  type Evaluated,
  baseBehind,
  checkOptimizer,
  evaluate,
  knownBase,
  needMomentum,
  write,
} from "./rates.js";
import { FORMAT, type InnerState, type ScheduleState, VERSION, readNumbers } from "./state.js";

type Options = Readonly<Record<string, unknown>>;

/** What a schedule is, but for where it stands. */
interface Settings {
  readonly options: Options;
  readonly curve: Curve;
  readonly inner: readonly Settings[];
}

/**
 * What all schedules but `ReduceLROnPlateau` have in common; not made by itself. A schedule sets the learning rate of each
 * group from the group's base rate, the one it had before a schedule set it, by a closed form of the number of calls of
 * `step()`. A group that is added later goes on from the rate it comes with. Of several schedules on one optimizer that
 * are stepped by themselves the last has its way: put them into a `ChainedScheduler` or a `SequentialLR`.
 */
export abstract class LRScheduler {
  readonly #definition: Definition<Options>;
  readonly #optimizer: AnyOptimizer;
  readonly #inner: readonly LRScheduler[];
  #settings: Settings;
  #counter = 0;
  #bases: readonly number[];
  #rates: readonly number[] | undefined;
  /** The schedule that steps this one. */
  #leader: string | undefined;

  /** @internal */
  protected constructor(definition: Definition<Options>, optimizer: AnyOptimizer, options: object) {
    const { name, start } = definition;
    checkOptimizer(name, optimizer);
    const groups = optimizer.paramGroups;
    const settled = readOptions(definition, options, groups.length);
    this.#definition = definition;
    this.#optimizer = optimizer;
    this.#inner = definition.schedulers ? this.#readInner((options as Options).schedulers) : [];
    refuseConflict(definition, "", settled, this.#inner.length);
    this.#settings = this.#settle(
      settled,
      this.#inner.map((scheduler) => scheduler.#settings),
    );
    const { curve } = this.#settings;
    if (curve.momentum && this.#inner.length === 0) needMomentum(name, optimizer);
    this.#bases = groups.map(({ lr }, g) => {
      const before = start?.replaces ? undefined : knownBase(optimizer, g);
      return before ?? start?.base(settled, g) ?? lr;
    });
    this.#go(0, this.#bases, evaluate(name, curve, this.#bases, 0));
    for (const scheduler of this.#inner) scheduler.#leader = name;
  }

  /** The rate of each group since the last call of `step()`, or at the start. */
  get lastLr(): number[] {
    const rates =
      this.#rates ?? evaluate(this.#definition.name, this.#settings.curve, this.#bases, this.#counter).rates;
    return this.#optimizer.paramGroups.map(({ lr }, g) => rates[g] ?? lr);
  }

  /**
   * Moves every group's rate on: after the optimizer's step, or after an epoch, by what the options count.
   * @throws RangeError past the end of a schedule that has one, or when the optimizer refuses a value; Error for a schedule
   * that is part of another. Nothing is changed then.
   * @example
   * optimizer.step();
   * schedule.step();
   */
  step(): void {
    this.#checkFree("step");
    const bases = this.#allBases();
    const e = this.#counter + 1;
    this.#go(e, bases, evaluate(this.#definition.name, this.#settings.curve, bases, e));
  }

  /**
   * The counter, base rates and options, those of inner schedules too, as a plain object: store it, post it, or give it
   * to {@link loadStateDict}. Functions are not in it.
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
      ...rest,
    };
  }

  /**
   * Goes on from what {@link stateDict} gave, with the same bits: options come from it, and the optimizer's rates are
   * those of its counter at once. All of it is checked before anything is written.
   * @throws TypeError, RangeError naming what does not fit; nothing is changed then.
   * @example
   * schedule.loadStateDict(saved);
   */
  loadStateDict(saved: ScheduleState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state; what is returned writes it. */
  prepareLoad(given: unknown): () => void {
    this.#checkFree("loadStateDict");
    const { name } = this.#definition;
    const saved = record(name, "saved", given);
    same(name, "saved.format", saved.format, FORMAT);
    same(name, "saved.version", saved.version, VERSION);
    const settings = this.#read("saved", saved, ["format", "version", "counter", "baseLrs"]);
    const counter = whole.read(name, "saved.counter", saved.counter);
    const groups = this.#optimizer.paramGroups.length;
    const bases = readNumbers(name, "saved.baseLrs", saved.baseLrs, groups, nonNegative);
    const evaluated = evaluate(name, settings.curve, bases, counter);
    return () => {
      write(name, this.#optimizer, evaluated, bases);
      this.#take(settings);
      this.#come(counter, bases, evaluated.rates);
    };
  }

  #readInner(value: unknown): readonly LRScheduler[] {
    const { name } = this.#definition;
    if (!Array.isArray(value)) throw wrongType(name, "schedulers", "an array of schedules", value);
    if (value.length === 0) throw wrongValue(name, "schedulers", "at least one schedule", value);
    return Array.from(value, (item: unknown, i) => {
      const option = `schedulers[${i}]`;
      if (!(item instanceof LRScheduler))
        throw wrongType(name, option, "a schedule whose step() takes no metric", item);
      if (item.#optimizer !== this.#optimizer) throw wrongValue(name, option, "a schedule of the same optimizer", item);
      if (item.#leader !== undefined || value.indexOf(item) !== i)
        throw wrongValue(name, option, "a schedule that is part of no other", item);
      return item;
    });
  }

  #settle(options: Options, inner: readonly Settings[]): Settings {
    const curves = inner.map(({ curve }) => curve);
    return { options, inner, curve: this.#definition.curve(options, curves) };
  }

  #checkFree(method: string): void {
    if (this.#leader !== undefined)
      throw new Error(`${this.#definition.name}: ${method}() is the ${this.#leader}'s, of which this is a part`);
  }

  /** Base rates of all groups: of those added since, such that their rate now is the one they came with. */
  #allBases(): readonly number[] {
    const groups = this.#optimizer.paramGroups;
    const { curve } = this.#settings;
    return groups.map(({ lr }, g) => this.#bases[g] ?? baseBehind(curve, lr, this.#counter, g));
  }

  #go(e: number, bases: readonly number[], evaluated: Evaluated): void {
    write(this.#definition.name, this.#optimizer, evaluated, bases);
    this.#come(e, bases, evaluated.rates);
  }

  #come(e: number, bases: readonly number[], rates?: readonly number[]): void {
    const { schedulers } = this.#definition;
    this.#counter = e;
    this.#bases = bases;
    this.#rates = rates;
    this.#inner.forEach((scheduler, i) => {
      if (schedulers) scheduler.#come(schedulers.counter(this.#settings.options, i, e), bases);
    });
  }

  #take(settings: Settings): void {
    this.#settings = settings;
    this.#inner.forEach((scheduler, i) => scheduler.#take(settings.inner[i]));
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

  /** Checks the kind, options and inner schedules of a saved state. */
  #read(prefix: string, saved: Options, others: readonly string[]): Settings {
    const { name, kinds, unsaved = [] } = this.#definition;
    const composite = this.#inner.length > 0;
    same(name, `${prefix}.kind`, saved.kind, name);
    onlyFields(name, prefix, saved, [...others, "kind", "options", ...(composite ? ["schedulers"] : [])]);
    const given = record(name, `${prefix}.options`, saved.options);
    onlyFields(
      name,
      `${prefix}.options`,
      given,
      Object.keys(kinds).filter((option) => !unsaved.includes(option)),
    );
    const kept = Object.fromEntries(unsaved.map((option) => [option, this.#settings.options[option]]));
    const groups = this.#optimizer.paramGroups.length;
    const options = settle(this.#definition, `${prefix}.options.`, given, groups, kept);
    refuseConflict(this.#definition, `${prefix}.options.`, options, this.#inner.length);
    if (!composite) return this.#settle(options, []);

    const { schedulers } = saved;
    const expected = `an array of ${counted(this.#inner.length, "schedule")}`;
    if (!Array.isArray(schedulers)) throw wrongType(name, `${prefix}.schedulers`, expected, schedulers);
    if (schedulers.length !== this.#inner.length) throw wrongValue(name, `${prefix}.schedulers`, expected, schedulers);
    const inner = this.#inner.map((scheduler, i) => {
      const item = `${prefix}.schedulers[${i}]`;
      return scheduler.#read(item, record(name, item, (schedulers as unknown[])[i]), []);
    });
    return this.#settle(options, inner);
  }
}
