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

export function checkTargets(owner: string, y: unknown, rows: number, outputs: number): void {
  const expected = (): string => `a Float32Array of ${rows * outputs}: ${outputs} for each row of x`;
  if (kindOf(y) !== "Float32Array") throw wrongType(owner, "y", expected(), y);
  if ((y as Float32Array).length !== rows * outputs) throw wrongValue(owner, "y", expected(), y);
}

export function checkLabels(owner: string, y: unknown, rows: number, classes: number): void {
  const expected = (): string =>
    `${counted(rows, "class index", "class indices")} in an integer array, one for each row of x`;
  const aClass = (): string => `a class index, a whole number in [0, ${classes})`;
  const isList = Array.isArray(y);
  if (!isList && !integerArrays.has(kindOf(y))) throw wrongType(owner, "y", expected(), y);
  const labels = y as ArrayLike<unknown>;
  if (labels.length !== rows) throw wrongValue(owner, "y", expected(), y);
  for (let i = 0; i < rows; i++) {
    const label = labels[i];
    if (isList && typeof label !== "number") throw wrongType(owner, `y[${i}]`, aClass(), label);
    const index = Number(label);
    if (!(index >= 0 && index < classes && Number.isInteger(index)))
      throw wrongValue(owner, `y[${i}]`, aClass(), label);
  }
}
