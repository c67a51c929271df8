// Checks of what a state dict may hold, shared by all that are saved and loaded.
import { record, wrongType, wrongValue } from "./check.js";
import type { Shape, Tensor, Vector } from "./parameters.js";

/** A tensor's part of a wrapper's state dict. */
export interface SavedTensor {
  readonly shape: Shape;
  readonly values: Vector;
}

export function same(owner: string, name: string, value: unknown, expected: string | number): void {
  if (value === expected) return;
  const error = typeof value === typeof expected ? wrongValue : wrongType;
  throw error(owner, name, JSON.stringify(expected), value);
}

/** Throws at a field that is not in `known`. */
export function onlyFields(owner: string, prefix: string, given: object, known: readonly string[]): void {
  for (const field of Object.keys(given))
    if (!known.includes(field))
      throw wrongValue(owner, prefix, known.length > 0 ? `only ${known.join(", ")}` : "nothing", field);
}

/** A number of steps. */
export function readCount(owner: string, name: string, value: unknown): number {
  const expected = "a whole number >= 0";
  if (typeof value !== "number") throw wrongType(owner, name, expected, value);
  if (!Number.isSafeInteger(value) || value < 0) throw wrongValue(owner, name, expected, value);
  return value;
}

/** A Float32Array, of any realm. */
export function readVector(owner: string, name: string, value: unknown, length: number): Vector {
  const expected = `a Float32Array of ${length}`;
  if (Object.prototype.toString.call(value) !== "[object Float32Array]") throw wrongType(owner, name, expected, value);
  if ((value as Vector).length !== length) throw wrongValue(owner, name, expected, value);
  return value as Vector;
}

export function checkShape(owner: string, name: string, value: unknown, shape: Shape): void {
  const fits = Array.isArray(value) && value.length === shape.length && shape.every((size, i) => size === value[i]);
  if (!fits) throw wrongValue(owner, name, `[${shape.join(", ")}]`, value);
}

/** An entry for each tensor of `tensors`, and none else; `prefix` and the tensor's name say in messages which it is. */
export function readEach<T>(
  owner: string,
  prefix: string,
  value: unknown,
  tensors: readonly Tensor[],
  read: (tensor: Tensor, item: Record<string, unknown>, prefix: string, index: number) => T,
): T[] {
  const given = record(owner, prefix, value);
  const known = new Set(tensors.map((tensor) => tensor.name));
  for (const name of Object.keys(given))
    if (!known.has(name)) throw wrongValue(owner, prefix, "only the tensors that are here", name);
  return tensors.map((tensor, i) => {
    const name = `${prefix}.${tensor.name}`;
    if (!Object.hasOwn(given, tensor.name)) throw wrongType(owner, name, "the tensor's state", undefined);
    return read(tensor, record(owner, name, given[tensor.name]), name, i);
  });
}
