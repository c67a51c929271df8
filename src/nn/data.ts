// Checks the inputs, targets and labels that a network is given.
import { counted, wrongType, wrongValue } from "../util/check.js";

/** Class indices: any integer array, or an array of whole numbers. */
export type Labels =
  | readonly number[]
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

const integerArrays = new Set<unknown>(
  [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array]
    .map((kind) => kind.name)
    .concat("BigInt64Array", "BigUint64Array"),
);

const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);

/** The name of a typed array's class, also from another realm, where `instanceof` fails; undefined for anything else. */
const kindOf = (value: unknown): unknown => tag?.get?.call(value);

/** Rows of x: float32, or bytes, which are multiplied by `inputScale`. */
export type Inputs = Float32Array | Uint8Array | Uint8ClampedArray;
const inputKinds = new Set<unknown>(["Float32Array", "Uint8Array", "Uint8ClampedArray"]);

/** The number of rows of x. */
export function checkInput(owner: string, x: unknown, inputs: number): number {
  const expected = (): string => `a Float32Array or Uint8Array of rows of ${inputs}`;
  if (!inputKinds.has(kindOf(x))) throw wrongType(owner, "x", expected(), x);
  const rows = (x as Inputs).length / inputs;
  if (!Number.isInteger(rows)) throw wrongValue(owner, "x", expected(), x);
  return rows;
}

/** Throws for bytes that look like one-hot rows or masks: some are 1, none is larger. Of an image, it reads only a few. */
export function checkImages(owner: string, x: Inputs): void {
  if (x.BYTES_PER_ELEMENT === 4) return;
  let most = 0;
  for (let i = 0; i < x.length && most <= 1; i++) if (x[i] > most) most = x[i];
  if (most === 1)
    throw new RangeError(
      `${owner}: "x" has bytes of 0 and 1 alone, which would count as 0 and 1/255: give inputScale: 1`,
    );
}

/** Throws unless y has `count` float32 numbers, `perRow` for each row. */
export function checkTargets(owner: string, y: unknown, count: number, perRow: number): void {
  const expected = (): string => `a Float32Array of ${count}: ${perRow} for each row of x`;
  if (kindOf(y) !== "Float32Array") throw wrongType(owner, "y", expected(), y);
  if ((y as Float32Array).length !== count) throw wrongValue(owner, "y", expected(), y);
}

/** Throws unless `gradient` has `count` float32 numbers. */
export function checkGradient(owner: string, gradient: unknown, count: number): void {
  const expected = (): string => `a Float32Array of ${count}, the size of the outputs`;
  if (kindOf(gradient) !== "Float32Array") throw wrongType(owner, "gradOutput", expected(), gradient);
  if ((gradient as Float32Array).length !== count) throw wrongValue(owner, "gradOutput", expected(), gradient);
}

/** Throws unless y has `count` class indices, `perRow` for each row. */
export function checkLabels(owner: string, y: unknown, count: number, classes: number, perRow: number): void {
  const each = perRow === 1 ? "one" : String(perRow);
  const expected = (): string =>
    `${counted(count, "class index", "class indices")} in an integer array, ${each} for each row of x`;
  checkIndices(owner, "y", y, count, expected, `a class index, a whole number in [0, ${classes})`, classes);
}

/** The number of rows of x, which consists of tokens. */
export function checkTokens(owner: string, x: unknown, perRow: number, tokens: number): number {
  const expected = (): string => `tokens in an integer array, in rows of ${perRow}`;
  if (!isIndices(x)) throw wrongType(owner, "x", expected(), x);
  const rows = x.length / perRow;
  if (!Number.isInteger(rows)) throw wrongValue(owner, "x", expected(), x);
  checkIndices(owner, "x", x, rows * perRow, expected, `a token, a whole number in [0, ${tokens})`, tokens);
  return rows;
}

function isIndices(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || integerArrays.has(kindOf(value));
}

/** Throws unless `values` are `count` whole numbers in [0, limit). */
function checkIndices(
  owner: string,
  name: string,
  values: unknown,
  count: number,
  expected: () => string,
  one: string,
  limit: number,
): void {
  if (!isIndices(values)) throw wrongType(owner, name, expected(), values);
  if (values.length !== count) throw wrongValue(owner, name, expected(), values);
  const isList = Array.isArray(values);
  for (let i = 0; i < count; i++) {
    const value: unknown = values[i];
    if (isList && typeof value !== "number") throw wrongType(owner, `${name}[${i}]`, one, value);
    const index = Number(value);
    if (!(index >= 0 && index < limit && Number.isInteger(index))) throw wrongValue(owner, `${name}[${i}]`, one, value);
  }
}

/** `from` itself, or a view of a part of it. */
export function part<T extends Inputs>(from: T, start: number, count: number): T {
  return count === from.length ? from : (from.subarray(start, start + count) as T);
}
