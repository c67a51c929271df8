// What users give for tensors: shapes, and numbers to copy from.
import { counted, isList, whole, wrongType, wrongValue } from "../util/check.js";
import type { Values } from "./parameters.js";

/** The number of elements of a shape. */
export function shapeSize(owner: string, shape: unknown, name: string): number {
  const expected = "an array of whole numbers >= 0";
  if (!Array.isArray(shape)) throw wrongType(owner, name, expected, shape);
  const sizes = shape.map((dimension: unknown, i) => whole.read(owner, `${name}[${i}]`, dimension));
  return sizes.includes(0) ? 0 : sizes.reduce((size, dimension) => size * dimension, 1); // not ∞·0
}

/** Numbers, `size` of them. */
export function checkValues(owner: string, values: unknown, size: number, name: string): Values {
  const expected = counted(size, "number");
  if (!isList(values) || values instanceof BigInt64Array || values instanceof BigUint64Array)
    throw wrongType(owner, name, expected, values);
  const list = values as unknown as Values;
  if (list.length !== size) throw wrongValue(owner, name, expected, values);
  if (Array.isArray(values)) {
    const at = values.findIndex((x) => typeof x !== "number");
    if (at >= 0) throw wrongType(owner, `${name}[${at}]`, "a number", values[at]);
  }
  return list;
}
