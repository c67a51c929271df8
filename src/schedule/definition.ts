import { type Kind, knownOnly, record, wrongType, wrongValue } from "../check.js";
import type { Curve } from "./curve.js";

/** Options once defaults are filled in. */
export type Settled<Options> = { readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined> };

/** What a schedule's options may be. */
export interface OptionSet<Options> {
  /** The class's name: begins every message. */
  readonly name: string;
  readonly kinds: { readonly [Key in keyof Options]-?: Kind<Exclude<Options[Key], undefined>> };
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
  /** Of a schedule made of others: where the i-th of them is when the whole is at e. */
  readonly schedulers?: { counter(options: Settled<Options>, i: number, e: number): number };
  /** The base rate of a group where the schedule has one of its own, and whether it replaces what others started from. */
  readonly start?: { readonly replaces: boolean; base(options: Settled<Options>, g: number): number };
}

/** Reads the options that a user gives. */
export function readOptions<Options>(
  definition: OptionSet<Options>,
  options: unknown,
  groups: number,
): Settled<Options> {
  const { name, kinds, shorthands = [] } = definition;
  const given = record(name, "options", options);
  knownOnly(name, "", given, [...Object.keys(kinds), ...shorthands]);
  return settle(definition, "", definition.complete?.(given) ?? given, groups, definition.defaults);
}

/** Reads options under their own names; `fallback` has those that may be left out. Names begin with `prefix` in messages. */
export function settle<Options>(
  definition: OptionSet<Options>,
  prefix: string,
  given: Readonly<Record<string, unknown>>,
  groups: number,
  fallback: Partial<Settled<Options>>,
): Settled<Options> {
  const { name, kinds, perGroup = [] } = definition;
  const settled: { [Key in keyof Options]?: unknown } = {};
  for (const key of Object.keys(kinds) as (keyof Options & string)[]) {
    const value = given[key] === undefined ? fallback[key] : given[key];
    settled[key] = kinds[key].read(name, prefix + key, value);
    if (perGroup.includes(key) && Array.isArray(value) && value.length !== groups)
      throw wrongValue(name, prefix + key, `one value, or an array of ${groups}, one for each group`, value);
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
      options[conflict.option as keyof Options],
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

/** Group g's value. */
export function valueAt<T>(owner: string, option: string, value: PerGroup<T>, g: number): T {
  if (!Array.isArray(value)) return value as T;
  const values = value as readonly T[];
  if (g >= values.length) throw wrongValue(owner, option, "one value, or one for each group", value);
  return values[g];
}
