import { type Kind, knownOnly, record, whole, wrongType, wrongValue } from "../util/check.js";
import type { Curve } from "./curve.js";

/** Options once defaults are filled in. */
export type Settled<Options> = { readonly [Key in Own<Options>]-?: Exclude<Options[Key], undefined> };

/** Options of a schedule's own: where it stands is no part of what it is. */
type Own<Options> = Exclude<keyof Options, "lastEpoch">;

/** What a schedule's options may be. */
export interface OptionSet<Options> {
  /** The class's name: begins every message. */
  readonly name: string;
  readonly kinds: { readonly [Key in Own<Options>]-?: Kind<Exclude<Options[Key], undefined>> };
  readonly defaults: Partial<Settled<Options>>;
  /** Options that may be an array, one value for each group. */
  readonly perGroup?: readonly (keyof Options & string)[];
  /** Options that are not kept as they are: those that stand for others, which `complete` fills in, and inner schedules. */
  readonly shorthands?: readonly string[];
  complete?(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

/** What a schedule's file declares: its options, and its curve. */
export interface Definition<Options> extends OptionSet<Options> {
  /** Options that are functions, which cannot be saved. */
  readonly unsaved?: readonly (keyof Options & string)[];
  /** What is wrong with options that are each right by themselves; `inner` is the number of inner schedules. */
  conflict?(options: Settled<Options>, inner: number): { option: string; expected: string } | undefined;
  curve(options: Settled<Options>, inner: readonly Curve[]): Curve;
  /** Of a schedule made of others: whether they go on together, where the i-th is when the whole is at e, and if it is at work. */
  readonly schedulers?: {
    readonly together: boolean;
    counter(options: Settled<Options>, i: number, e: number): number;
    active(options: Settled<Options>, i: number, e: number): boolean;
  };
  /** Options of `perGroup` without which a group has no rate: groups beyond such an array keep rates of their own. */
  readonly rates?: readonly (keyof Options & string)[];
  /** Whether the schedule starts from the rate that is there, and not from the base rate that others started from. */
  readonly fromPresent?: true;
  /** What a position may be, where it need not be a whole number. */
  readonly position?: Kind<number>;
}

/** What every schedule takes beside options of its own. */
export interface CommonScheduleOptions {
  /**
   * Where the schedule stands when it is made: after this many calls of `step()`, a whole number >= 0. (PyTorch's
   * `last_epoch` is one less.) Default 0; of a `ChainedScheduler`, where its schedules stand.
   */
  lastEpoch?: number | undefined;
}

/** Reads the options that a user gives. */
export function readOptions<Options>(
  definition: OptionSet<Options>,
  options: unknown,
  groups: number,
): { settled: Settled<Options>; lastEpoch: number | undefined } {
  const { name, kinds, shorthands = [] } = definition;
  const given = record(name, "options", options);
  knownOnly(name, "", given, [...Object.keys(kinds), ...shorthands, "lastEpoch"]);
  const settled = settle(
    definition,
    "",
    definition.complete?.(given) ?? given,
    { from: groups, to: groups },
    definition.defaults,
  );
  const { lastEpoch } = given;
  return { settled, lastEpoch: lastEpoch === undefined ? undefined : whole.read(name, "lastEpoch", lastEpoch) };
}

/**
 * Reads options under their own names; `fallback` has those that may be left out, `groups` how many values an array may
 * have. Names begin with `prefix` in messages.
 */
export function settle<Options>(
  definition: OptionSet<Options>,
  prefix: string,
  given: Readonly<Record<string, unknown>>,
  groups: { readonly from: number; readonly to: number },
  fallback: Partial<Settled<Options>>,
): Settled<Options> {
  const { name, kinds, perGroup = [] } = definition;
  const settled: { [Key in keyof Options]?: unknown } = {};
  for (const key of Object.keys(kinds) as (Own<Options> & string)[]) {
    const value = given[key] === undefined ? fallback[key] : given[key];
    settled[key] = kinds[key].read(name, prefix + key, value);
    if (perGroup.includes(key) && Array.isArray(value) && !(value.length >= groups.from && value.length <= groups.to))
      throw wrongValue(name, prefix + key, `one value, or an array of ${groups.to}, one for each group`, value);
  }
  return settled as Settled<Options>;
}

/** Throws where options that are each right by themselves do not go together. */
export function refuseConflict<Options>(
  definition: Definition<Options>,
  prefix: string,
  options: Settled<Options>,
  inner: number,
): void {
  const conflict = definition.conflict?.(options, inner);
  if (conflict)
    throw wrongValue(
      definition.name,
      prefix + conflict.option,
      conflict.expected,
      options[conflict.option as Own<Options>],
    );
}

/** A list of values of one kind. The copy that is kept is frozen. */
export const list = <T>(kind: Kind<T>, expected: string): Kind<readonly T[]> => ({
  live: false,
  read(owner, name, value) {
    if (!Array.isArray(value)) throw wrongType(owner, name, expected, value);
    return Object.freeze(Array.from(value, (item: unknown, i) => kind.read(owner, `${name}[${i}]`, item)));
  },
});

/** One value for all groups, or an array with one for each. */
export type PerGroup<T> = T | readonly T[];

export const perGroup = <T>(kind: Kind<T>): Kind<PerGroup<T>> => {
  const several = list(kind, "an array");
  return {
    live: false,
    read: (owner, name, value) => (Array.isArray(value) ? several : kind).read(owner, name, value),
  };
};

/** How many groups there is a value for. */
export const groupsWith = (value: unknown): number => (Array.isArray(value) ? value.length : Infinity);

/** Group g's value, where {@link groupsWith} says that there is one. */
export const valueAt = <T>(value: PerGroup<T>, g: number): T =>
  Array.isArray(value) ? (value as readonly T[])[g] : (value as T);
