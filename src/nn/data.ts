// Reads the inputs, targets and labels that a network is given: checks them, and makes one flat list of arrays of arrays.
import { counted, wrongType, wrongValue } from "../util/check.js";

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

const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);

/** The name of a typed array's class, also from another realm, where `instanceof` fails. Allocates nothing. */
const kindOf = (value: unknown): string => String(tag?.get?.call(value));
// Lists in a text, since a match of a regular expression allocates.
const INTEGERS =
  "Int8Array Int16Array Int32Array Uint8ClampedArray Uint8Array Uint16Array Uint32Array BigInt64Array BigUint64Array";
const FLOATS = "Float32Array Float64Array Uint8Array Uint8ClampedArray";
const isIntegers = (value: unknown): boolean => INTEGERS.includes(kindOf(value));
const isFloats = (value: unknown): value is Floats => FLOATS.includes(kindOf(value));

/** x as rows of `size` numbers. */
export function readInput(owner: string, x: unknown, size: number): Floats {
  const floats = Array.isArray(x) ? Float32Array.from(flat(owner, "x", x, size)) : (x as Floats);
  if (!(floats instanceof Float32Array || isFloats(floats)))
    throw wrongType(owner, "x", `a Float32Array, Uint8Array or array of rows of ${size}`, x);
  if (floats.length % size !== 0)
    throw wrongValue(owner, "x", `a Float32Array, Uint8Array or array of rows of ${size}`, x);
  return floats;
}

/** Throws for bytes that look like one-hot rows or masks: some are 1, none is larger. Of an image, it reads only a few. */
export function checkImages(owner: string, x: Floats): void {
  if (x.BYTES_PER_ELEMENT !== 1) return;
  let most = 0;
  for (let i = 0; i < x.length && most <= 1; i++) if (x[i] > most) most = x[i];
  if (most === 1)
    throw new RangeError(
      `${owner}: "x" has bytes of 0 and 1 alone, which would count as 0 and 1/255: give inputScale: 1`,
    );
}

/** y as `count` numbers, `size` for each row. */
export function readTargets(owner: string, name: string, y: unknown, count: number, size: number): Floats {
  const floats = Array.isArray(y) ? Float32Array.from(flat(owner, name, y, size)) : (y as Floats);
  const kind = kindOf(floats);
  if (kind !== "Float32Array" && kind !== "Float64Array")
    throw wrongType(owner, name, `a Float32Array of ${count}: ${size} for each row of x`, y);
  if (floats.length !== count)
    throw wrongValue(owner, name, `a Float32Array of ${count}: ${size} for each row of x`, y);
  return floats;
}

/** y as `count` class indices, `size` for each row. `ignored` is one that stands for no class. */
export function readLabels(
  owner: string,
  y: unknown,
  count: number,
  size: number,
  classes: number,
  ignored?: number,
): Indices {
  const indices = isNested(y) ? flat(owner, "y", y, size) : (y as Indices);
  const fits = isIndices(indices);
  if (!fits || indices.length !== count) {
    const each = size === 1 ? "one" : String(size);
    const expected = `${counted(count, "class index", "class indices")} in an integer array, ${each} for each row of x`;
    throw (fits ? wrongValue : wrongType)(owner, "y", expected, y);
  }
  checkIndices(owner, "y", indices, "a class index", classes, ignored);
  return indices;
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

export function isIndices(value: unknown): value is Indices {
  return Array.isArray(value) || isIntegers(value);
}

/** Whether a value is an array of anything but numbers. */
export function isNested(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && !value.every(isNumber);
}

const isNumber = (value: unknown): boolean => typeof value === "number";

/** Arrays nested deeper than this, such as one that holds itself, are refused. */
const DEEPEST = 16;

/** The numbers of an array of arrays in order. Where its elements are arrays, each must be a row of `size`. */
export function flat(owner: string, name: string, list: readonly unknown[], size: number): number[] {
  const numbers: number[] = [];
  const add = (items: ArrayLike<unknown>, path: string, depth: number): void => {
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      const before = numbers.length;
      if (typeof item === "number") numbers.push(item);
      else if (depth < DEEPEST && (Array.isArray(item) || isFloats(item) || isIntegers(item)))
        add(item as ArrayLike<unknown>, `${path}[${i}]`, depth + 1);
      else throw wrongType(owner, `${path}[${i}]`, "a number", item);
      if (items === list && typeof item !== "number" && numbers.length - before !== size)
        throw wrongValue(owner, `${path}[${i}]`, counted(size, "number"), item);
    }
  };
  add(list, name, 1);
  return numbers;
}

/** `from` itself, or a view of a part of it. */
export function part<T extends Floats>(from: T, start: number, count: number): T {
  return count === from.length ? from : (from.subarray(start, start + count) as T);
}
