// Reads the options of optimizers and schedules.
import { type Elsewhere, type Kind, optionsOf, wrongValue } from "./check.js";

/** Options with their defaults filled in. */
export type Resolved<Options> = { readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined> };

/** What each option may be. */
export type Kinds<Options> = { readonly [Key in keyof Options]-?: Kind<Exclude<Options[Key], undefined>> };

/** An option that does not go with the others, and what it should be. */
export interface Conflict {
  readonly option: string;
  readonly expected: string;
}

/** What a rule or a schedule declares of its options. */
interface Declaration<All> {
  readonly name: string;
  readonly kinds: object;
  conflict?(options: All): Conflict | undefined;
}

/** Reads an object of options: each of `kinds` that is given, or else its default. `more`: names that may be given, too. */
export function readKinds<T extends object>(
  owner: string,
  options: unknown,
  kinds: { readonly [Key in keyof T]: Kind<T[Key]> },
  defaults: T,
  more: readonly string[] = [],
  hints?: Elsewhere,
): T {
  const keys = Object.keys(kinds) as (keyof T & string)[];
  const given = optionsOf(owner, options, [...keys, ...more], hints);
  const read = { ...defaults };
  for (const key of keys) if (given[key] !== undefined) read[key] = kinds[key].read(owner, key, given[key]);
  return read;
}

/** Reads each option of `kinds` from `given`, or from `base` where it is left out. Names in messages begin with `prefix`. */
export function readOptions<All extends object>(
  declaration: Declaration<All>,
  prefix: string,
  given: Readonly<Record<string, unknown>>,
  base: Partial<All>,
  conflictOf: (options: All) => Conflict | undefined,
): All {
  const options: Record<string, unknown> = { ...base };
  for (const [name, kind] of Object.entries(declaration.kinds) as [string, Kind<unknown>][])
    options[name] = kind.read(declaration.name, prefix + name, given[name] === undefined ? options[name] : given[name]);
  return refuseConflict(declaration, prefix, options as All, conflictOf);
}

/** Returns options, each valid, that go together; throws where they do not. */
export function refuseConflict<All extends object>(
  declaration: Declaration<All>,
  prefix: string,
  options: All,
  conflictOf: (options: All) => Conflict | undefined,
): All {
  const conflict = declaration.conflict?.(options) ?? conflictOf(options);
  if (!conflict) return options;
  throw wrongValue(
    declaration.name,
    prefix + conflict.option,
    conflict.expected,
    options[conflict.option as keyof All],
  );
}
