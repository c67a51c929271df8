// Reads the inputs, targets and labels that a network is given: checks them, and makes one flat list of arrays of arrays.
import { counted, isList, wrongType, wrongValue } from "../util/check.js";

/** Numbers in arrays of arrays, as deep as one likes, row by row; the inner ones may be typed arrays. */
export type Nested = readonly (number | Nested | Float32Array | Float64Array)[];

/** Class indices: any integer array, or an array of whole numbers or of such arrays. */
export type Labels =
  | Nested
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Rows of x: numbers, rounded to float32; bytes, which are multiplied by `inputScale`; or tokens, as {@link Labels}. */
export type Inputs = Float32Array | Float64Array | Labels;

/** Class indices, or the numbers that the outputs should be. */
export type Targets = Float32Array | Float64Array | Labels;

/** Numbers in one typed array. */
export type Floats = Float32Array | Float64Array | Uint8Array | Uint8ClampedArray;
/** Whole numbers in one list. */
export type Indices = ArrayLike<number | bigint>;

/** The name of a typed array's class, also from another realm, where `instanceof` fails. Allocates nothing. */
const kindOf = (value: unknown): string => (ArrayBuffer.isView(value) ? (value as Uint8Array)[Symbol.toStringTag] : "");
/** Whether a value is a typed array of numbers that may be fractions. */
export const isFractions = (value: unknown): value is Floats =>
  value instanceof Float32Array || kindOf(value).startsWith("Float"); // the first is faster
/** Of fractions, or of bytes, which may stand for some. */
export const isFloats = (value: unknown): value is Floats => isFractions(value) || kindOf(value).startsWith("Uint8");
/** All integer arrays, and no others, have "Int" or "int" in their names. */
const isIntegers = (value: unknown): boolean => kindOf(value).includes("nt");
const isNumber = (value: unknown): boolean => typeof value === "number";
/** Whether a value is an integer array or an array of numbers. */
export const isIndices = (value: unknown): value is Indices =>
  Array.isArray(value) ? value.every(isNumber) : isIntegers(value);

/** What a list should be: completes the message "expected …". */
type Expected = (size: number, count: number) => string;
export const asInputs: Expected = (size) => `a Float32Array, Uint8Array or array of rows of ${size}`;
export const asTargets: Expected = (size, count) => `a Float32Array of ${count}: ${size} for each row of x`;
export const asLabels: Expected = (size, count) =>
  `${counted(count, "class index", "class indices")} in an integer array, ${size === 1 ? "one" : size} for each row of x`;

/** A value as one list of `size` numbers for each row: what `accepts` it as it is, or an array of arrays. Default of `count`: any. */
export function readRows<T extends Floats | Indices>(
  owner: string,
  name: string,
  value: unknown,
  accepts: (value: unknown) => value is T,
  expected: Expected,
  size: number,
  count?: number,
): T | Floats {
  const isFlat = accepts(value);
  if (!isFlat && !Array.isArray(value)) throw wrongType(owner, name, expected(size, count!), value);
  const list = isFlat ? value : flat(owner, name, value as unknown[], size);
  const { length } = list;
  if (length !== (count ?? length - (length % size))) throw wrongValue(owner, name, expected(size, count!), value);
  return list;
}

/** Throws unless all are whole numbers in [0, limit), or `ignored`. */
export function checkIndices(
  owner: string,
  name: string,
  list: Indices,
  one: string,
  limit: number,
  ignored?: number,
): void {
  for (let i = 0; i < list.length; i++) {
    const index = Number(list[i]);
    if (!((index >= 0 && index < limit && Number.isInteger(index)) || index === ignored))
      throw wrongValue(owner, `${name}[${i}]`, `${one}, a whole number in [0, ${limit})`, list[i]);
  }
}

/** Arrays nested deeper than this, such as one that holds itself, are refused. */
const DEEPEST = 16;

/** The numbers of an array of arrays in order. Where its elements are arrays, each must be a row of `size`. */
function flat(owner: string, name: string, list: readonly unknown[], size: number): Float64Array {
  const numbers: number[] = [];
  const add = (items: ArrayLike<unknown>, path: string, depth: number): void => {
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      const before = numbers.length;
      if (typeof item === "number") numbers.push(item);
      else if (depth < DEEPEST && isList(item)) add(item, `${path}[${i}]`, depth + 1);
      else throw wrongType(owner, `${path}[${i}]`, "a number", item);
      if (items === list && typeof item !== "number" && numbers.length - before !== size)
        throw wrongValue(owner, `${path}[${i}]`, counted(size, "number"), item);
    }
  };
  add(list, name, 1);
  return Float64Array.from(numbers);
}

/** `from` itself, or a view of a part of it. */
export function part<T extends Floats>(from: T, start: number, count: number): T {
  return count === from.length ? from : (from.subarray(start, start + count) as T);
}
