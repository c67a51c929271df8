import { belowOne, counted, nonNegative, record, whole, wrongType, wrongValue } from "../util/check.js";
import { onlyFields, same } from "../state/validation.js";
import { type Curve, limited } from "./curve.js";
import { type Definition, groupsWith, readOptions, refuseConflict, settle } from "./definition.js";
import {
  type AnyOptimizer,
  type Evaluated,
  baseBehind,
  checkOptimizer,
  evaluate,
  keepBases,
  momentaOf,
  needMomentum,
  refuseArguments,
  startRate,
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
 * What all schedules but `ReduceLROnPlateau` have in common; not made by itself. A schedule moves the learning rate of each
 * group on from what it finds: where nobody else has touched the rate, it follows a closed form of the group's base rate
 * (`initialLr`) and the number of calls of `step()`; where somebody has, it goes on from there by PyTorch's recursive form.
 */
export abstract class LRScheduler {
  readonly #definition: Definition<Options>;
  readonly #optimizer: AnyOptimizer;
  readonly #inner: readonly LRScheduler[];
  #settings: Settings;
  #counter = 0;
  #bases: readonly number[];
  /** The rates that the schedule set last; those of a part that has not been at work since a load are left out. */
  #rates: readonly number[] | undefined;
  /** The schedule that steps this one. */
  #leader: string | undefined;

  /** @internal */
  protected constructor(definition: Definition<Options>, optimizer: AnyOptimizer, options: object) {
    const { name } = definition;
    checkOptimizer(name, optimizer);
    const groups = optimizer.paramGroups;
    const { settled, lastEpoch } = readOptions(definition, options, groups.length);
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
    const e = lastEpoch ?? (definition.schedulers?.together ? this.#inner[0].#counter : 0);
    const present = groups.map(({ lr }) => lr);
    this.#bases = groups.map(({ lr, initialLr }) => (definition.fromPresent && e === 0 ? lr : (initialLr ?? lr)));
    const { together } = definition.schedulers ?? {};
    const stands = this.#inner.every((scheduler) => scheduler.#counter === e);
    const rates = this.#bases.map((base, g) => {
      if (!together) return startRate(curve, optimizer, base, e, g);
      return stands ? composedRate(curve, present[g], base, e, g) : curve.rate(base, e, g);
    });
    this.#go(e, this.#bases, rates);
    keepBases(optimizer, present);
    for (const scheduler of this.#inner) scheduler.#leader = name;
  }

  /** The rate of each group since the last call of `step()`, or at the start. */
  get lastLr(): number[] {
    const { curve } = this.#settings;
    const rates = this.#rates ?? this.#bases.map((base, g) => curve.rate(base, this.#counter, g));
    return this.#optimizer.paramGroups.map(({ lr }, g) => rates[g] ?? lr);
  }

  /**
   * Moves every group's rate on: after the optimizer's step, or after an epoch, by what the options count.
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

  /** @internal Goes one further, or where the first argument says, if `positions` are taken. */
  protected move(given: readonly unknown[], positions = false): void {
    const { name, position = whole } = this.#definition;
    this.#checkFree("step");
    refuseArguments(name, positions ? given.slice(1) : given, positions ? "one position" : "no argument");
    const target = positions && given[0] !== undefined ? position.read(name, "step()", given[0]) : undefined;
    const { curve } = this.#settings;
    const e = target ?? this.#counter + 1;
    const bases = this.#allBases();
    const rates = this.#optimizer.paramGroups.map(({ lr }, g) =>
      target === undefined ? curve.next(lr, bases[g], e, g) : curve.rate(bases[g], e, g),
    );
    this.#go(e, bases, rates);
    keepBases(this.#optimizer, bases);
  }

  /**
   * The counter, base rates, rates and options, those of inner schedules too, as a plain object: store it, post it, or give
   * it to {@link loadStateDict}. Functions are not in it.
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
   * Goes on from what {@link stateDict} gave, with the same bits: options come from it, and the optimizer has the rates that
   * it had then, whoever set them. All of it is checked before anything is written. In a state of version 0.1, which has no
   * rates, they are those of its counter.
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
    const { name, position = whole, fromPresent } = this.#definition;
    const saved = record(name, "saved", given);
    same(name, "saved.format", saved.format, FORMAT);
    same(name, "saved.version", saved.version, VERSION);
    const settings = this.#read("saved", saved, [
      ...["format", "version", "counter", "baseLrs", "lastLrs"],
      ...(this.#settings.curve.momentum ? ["lastMomenta"] : []),
    ]);
    const { curve } = settings;
    const counter = position.read(name, "saved.counter", saved.counter);
    const numbers = (field: string, kind = nonNegative): readonly number[] =>
      readNumbers(name, `saved.${field}`, saved[field], this.#optimizer.paramGroups.length, kind);
    const bases = numbers("baseLrs");
    curve.check?.(counter);
    const rates = "lastLrs" in saved ? numbers("lastLrs") : bases.map((base, g) => curve.rate(base, counter, g));
    const evaluated = {
      ...evaluate(name, curve, rates, counter),
      ...("lastMomenta" in saved && { momenta: numbers("lastMomenta", belowOne) }),
    };
    return () => {
      write(name, this.#optimizer, evaluated, false);
      if (!fromPresent) keepBases(this.#optimizer, bases, true);
      this.#take(settings);
      this.#come(counter, bases, evaluated.rates);
    };
  }

  #readInner(value: unknown): readonly LRScheduler[] {
    const { name, schedulers } = this.#definition;
    if (!Array.isArray(value)) throw wrongType(name, "schedulers", "an array of schedules", value);
    if (value.length === 0) throw wrongValue(name, "schedulers", "at least one schedule", value);
    const [first] = this.#optimizer.paramGroups;
    return Array.from(value, (item: unknown, i) => {
      const option = `schedulers[${i}]`;
      if (!(item instanceof LRScheduler)) throw wrongType(name, option, EXPECTED, item);
      if (item.#optimizer.paramGroups[0] !== first)
        throw wrongValue(name, option, "a schedule of the same optimizer", item);
      if (item.#leader !== undefined || value.indexOf(item) !== i)
        throw wrongValue(name, option, "a schedule that is part of no other", item);
      const at = (value[0] as LRScheduler).#counter;
      if (schedulers?.together && item.#counter !== at)
        throw wrongValue(name, option, `a schedule that has made ${at} steps, as the first`, item.#counter);
      return item;
    });
  }

  #settle(options: Options, inner: readonly Settings[]): Settings {
    const { rates = [] } = this.#definition;
    const curves = inner.map(({ curve }) => curve);
    const curve = this.#definition.curve(options, curves);
    return { options, inner, curve: limited(curve, Math.min(...rates.map((option) => groupsWith(options[option])))) };
  }

  #checkFree(method: string): void {
    if (this.#leader !== undefined)
      throw new Error(`${this.#definition.name}: ${method}() is the ${this.#leader}'s, of which this is a part`);
  }

  /** Base rates of all groups: of those added since, such that their rate now is the one they came with. */
  #allBases(): readonly number[] {
    const { curve } = this.#settings;
    return this.#optimizer.paramGroups.map(
      ({ lr, initialLr }, g) => this.#bases.at(g) ?? initialLr ?? baseBehind(curve, lr, this.#counter, g),
    );
  }

  #go(e: number, bases: readonly number[], rates: readonly number[]): void {
    const { name } = this.#definition;
    const evaluated: Evaluated = evaluate(name, this.#settings.curve, rates, e);
    write(name, this.#optimizer, evaluated, true);
    this.#come(e, bases, evaluated.rates);
  }

  #come(e: number, bases: readonly number[], rates?: readonly number[]): void {
    const { schedulers } = this.#definition;
    const { options } = this.#settings;
    this.#counter = e;
    this.#bases = bases;
    this.#rates = rates;
    this.#inner.forEach((scheduler, i) => {
      if (schedulers)
        scheduler.#come(schedulers.counter(options, i, e), bases, schedulers.active(options, i, e) ? rates : undefined);
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
    const groups = { from: 1, to: this.#optimizer.paramGroups.length };
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

const EXPECTED =
  'a schedule whose step() takes no metric (step a ReduceLROnPlateau beside it: "Warm-up with a plateau" in docs/schedules.md)';

/** The rate of a chain whose schedules have set theirs: by its closed form, where that is what they have come to. */
function composedRate(curve: Curve, lr: number, base: number, e: number, g: number): number {
  const own = curve.scale ? curve.rate(base, e, g) : lr;
  return Math.abs(own - lr) <= 1e-14 * lr ? own : lr;
}
