// Checks of what users pass, and the one form of message when it is wrong.
import { didYouMean } from "./names.js";

/** Checks a user's value: returns it, or throws an error that names it. */
export interface Kind<T> {
  /** Whether the option may change after the optimizer is made. */
  readonly live?: boolean | undefined;
  read(owner: string, name: string, value: unknown): T;
}

/** A value of the wrong type. `hint`: what to do about it. */
export function wrongType(owner: string, name: string, expected: string, value: unknown, hint?: string): TypeError {
  return new TypeError(message(owner, name, expected, value, hint));
}

/** A value of the right type that is out of range, or a name that is not among the `known` ones. */
export function wrongValue(
  owner: string,
  name: string,
  expected: string,
  value: unknown,
  known?: readonly string[],
  aliases?: string,
): RangeError {
  return new RangeError(message(owner, name, expected, value, known && didYouMean(value as string, known, aliases)));
}

/** At most 400 characters, however long a tensor's name or a file's value is. */
function message(owner: string, name: string, expected: string, value: unknown, hint = ""): string {
  return `${owner}: "${clip(name, 100)}" expected ${clip(expected, 190 - hint.length)}, got ${clip(show(value), 60)}${hint}`;
}

/** Shortens a text to `most` characters by leaving out its middle. */
export const clip = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most / 2)}…${text.slice(1 - most / 2)}` : text;

/** A value as messages quote it. */
export function show(value: unknown, isItem = false): string {
  if (typeof value === "string") return JSON.stringify(clip(value, 40));
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null || kindOf(value) === "RegExp") return String(value);
  if (Array.isArray(value) && value.length <= 8 && !isItem)
    return `[${value.map((item) => show(item, true)).join(", ")}]`;
  const { name } = Object(value.constructor) as { name?: unknown };
  if (typeof name !== "string" || name === "Object") return "an object";
  return withArticle(name) + (isList(value) ? ` of ${value.length}` : "");
}

/** "Float32Array", "RegExp", of any realm. */
export const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** "an Adam", "a Yogi"; "an SGD", which is spelled out, but "a LAMB". */
export const withArticle = (noun: string): string =>
  `a${/^([AEIOaeio]|[FHLMNRSX][^AEIOUa-z]|Ftrl|Rprop)/.test(noun) ? "n" : ""} ${noun}`;

/** "1,000,000". Without toLocaleString, which takes 30 ms when it runs for the first time. */
export const thousands = (count: number): string => String(count).replace(/\d(?=(\d{3})+$)/g, "$&,");

/** "1 row", "2,000 rows". */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${thousands(count)} ${count === 1 ? one : many}`;

/** Values of a primitive type that pass `accepts`; `expected` completes the message "expected …". */
/* @__NO_SIDE_EFFECTS__ */
export function primitive<T>(
  type: string,
  expected: string,
  accepts: (value: T) => boolean,
  live = true,
  known?: readonly string[],
  aliases?: string,
): Kind<T> {
  return {
    live,
    read(owner, name, value) {
      if (typeof value !== type) throw wrongType(owner, name, expected, value);
      if (!accepts(value as T)) throw wrongValue(owner, name, expected, value, known, aliases);
      return value as T;
    },
  };
}

/** Numbers that pass `accepts`. */
/* @__NO_SIDE_EFFECTS__ */
export const number = (expected: string, accepts: (x: number) => boolean): Kind<number> =>
  primitive("number", expected, accepts);

/** Numbers that kernels take as float32: they must pass `accepts` before and after rounding. */
/* @__NO_SIDE_EFFECTS__ */
export function float(expected: string, accepts: (x: number, given?: number) => boolean): Kind<number> {
  const kind = number(expected, accepts);
  return {
    live: true,
    read(owner, name, given) {
      const value = kind.read(owner, name, given);
      if (!accepts(Math.fround(value), value))
        throw wrongValue(owner, name, `${expected} that float32 can hold`, value);
      return value;
    },
  };
}

export const anyNumber = number("a number", () => true);
export const finite = float("a finite number", Number.isFinite);
const FROM_0 = "a finite number >= 0";
const isFrom0 = (x: number): boolean => x >= 0 && x < Infinity;
export const nonNegative = float(FROM_0, isFrom0);
/** Keeps a divisor from 0, so float32 may not round it to 0. */
export const epsilon = float(FROM_0, (x, given = x) => isFrom0(x) && (x > 0 || given === 0));
export const above0 = float("a finite number > 0", (x) => x > 0 && x < Infinity);
export const atLeast0 = number("a number >= 0", (x) => x >= 0);
export const fraction = number("a number in [0, 1]", (x) => x >= 0 && x <= 1);
export const belowOne = number("a number in [0, 1)", (x) => x >= 0 && x < 1);
/* @__NO_SIDE_EFFECTS__ */
export const wholeFrom = (min: number): Kind<number> =>
  number(`a whole number >= ${min}`, (x) => Number.isSafeInteger(x) && x >= min);

export const whole = wholeFrom(0);

export const flag: Kind<boolean> = primitive("boolean", "true or false", () => true);

/** `aliases`: what other libraries call the values, as in names.ts. */
/* @__NO_SIDE_EFFECTS__ */
export const oneOf = <const T extends string>(values: readonly T[], aliases?: string): Kind<T> =>
  primitive<T>("string", `one of ${listOf(values)}`, (value) => values.includes(value), false, values, aliases);

/** Two values of one kind, such as Adam's `betas`, as a frozen copy. */
export const pair = <T>(kind: Kind<T>): Kind<readonly [T, T]> => list(kind, "an array of two numbers", 2, 2);

/** Three values of one kind. */
export const triple = <T>(kind: Kind<T>): Kind<readonly [T, T, T]> => list(kind, "an array of three numbers", 3, 3);

/** An array of values of one kind, of any length unless it is bounded, as a frozen copy. */
/* @__NO_SIDE_EFFECTS__ */
export const list = <T, List extends readonly T[] = readonly T[]>(
  kind: Kind<T>,
  expected: string,
  least = 0,
  most = Infinity,
): Kind<List> => ({
  live: kind.live,
  read(owner, name, value) {
    const items = array(owner, name, value, expected);
    if (items.length < least || items.length > most) throw wrongValue(owner, name, expected, value);
    const read: readonly T[] = Array.from(items, (item, i) => kind.read(owner, `${name}[${i}]`, item));
    return Object.freeze(read) as List;
  },
});

/** The same kind, but fixed once the optimizer is made. */
/* @__NO_SIDE_EFFECTS__ */
export const fixed = <T>(kind: Kind<T>): Kind<T> => ({ ...kind, live: false });

/**
 * An object of named values, such as options. It must be a plain one, of any realm: entries of a Map or getters of a class
 * would be ignored silently.
 */
export function record(owner: string, name: string, value: unknown, expected = "an object"): Record<string, unknown> {
  const prototypeOf = Object.getPrototypeOf as (of: object) => object | null;
  if (typeof value !== "object" || !value || prototypeOf(prototypeOf(value) ?? Object.prototype))
    throw wrongType(owner, name, expected, value);
  return value as Record<string, unknown>;
}

/**
 * Throws at the first key of `given` that is not in `known`. `elsewhere` says what to use instead of some keys, `aliases` what
 * they are called in other libraries, as in names.ts.
 */
export function knownOnly(
  owner: string,
  prefix: string,
  given: object,
  known: readonly string[],
  { elsewhere = {}, aliases }: Elsewhere = {},
): void {
  for (const key of Object.keys(given))
    if (!known.includes(key)) {
      const use = Object.hasOwn(elsewhere, key) ? `: use ${elsewhere[key]}.` : didYouMean(key, known, aliases) || ".";
      const options = clip(` The options are ${known.join(", ") || "none"}`, 210);
      throw new RangeError(`${owner}: unknown option "${clip(prefix + key, 90)}"${use}${options}`);
    }
}

/** An object of options of these names. */
export function optionsOf(
  owner: string,
  options: unknown,
  known: readonly string[],
  hints?: Elsewhere,
): Record<string, unknown> {
  const given = record(owner, "options", options);
  knownOnly(owner, "", given, known, hints);
  return given;
}

/** What options that are not here are called, and where they are. */
export interface Elsewhere {
  /** Options of other classes that users may expect here: the class that has each. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** What other libraries call the options: `here=there,there here=there`, in lower case without punctuation. */
  readonly aliases?: string;
}

/** An array, whatever is in it. */
export function array(owner: string, name: string, value: unknown, expected: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongType(owner, name, expected, value);
  return value;
}

/** What is expected of an option that names tensors. */
export const TENSOR_NAMES = "an array of tensor names";

/** The entry of the tensor that the user named in `option`. */
export function lookUp<T>(owner: string, option: string, entries: ReadonlyMap<string, T>, name: unknown): T {
  const found = entries.get(name as string);
  if (found !== undefined) return found;
  if (typeof name !== "string") throw wrongType(owner, option, "a tensor name", name);
  const names = [...entries.keys()];
  throw wrongValue(owner, option, `one of the tensors ${listOf(names)}`, name, names);
}

/** The first names of a list, in quotes. */
export function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 12).map((name) => `"${name}"`);
  return `${shown.join(", ")}${names.length > 12 ? `, … (${names.length} in all)` : ""}`;
}

export const usedAfterDispose = (owner: string): Error => new Error(`${owner}: used after dispose()`);

/** Whether a value is an array or a typed array, of any realm, but not of bigints. */
export const isList = (value: unknown): value is ArrayLike<unknown> => /^(?!Big).*Array$/.test(kindOf(value));
