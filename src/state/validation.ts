// Checks of saved states, shared by optimizers, averages, schedules and wrappers.
import { flag, kindOf, oneOf, record, withArticle, wrongType, wrongValue } from "../util/check.js";
import { type SmallSlot, basesOf, isBase } from "./small-formats.js";
import type { Shape, Vector } from "../memory/tensor.js";

/** A tensor's part of the state dict of an average or of Lookahead. */
export interface SavedTensor {
  /** The tensor's shape, which a load compares. */
  readonly shape: Shape;
  /** The tensor's elements, row-major: an owned copy. */
  readonly values: Vector;
}

/** Reads an object: returns what gives one of its fields as the arguments of a check. */
export function fieldsOf(
  owner: string,
  prefix: string,
  value: unknown,
  expected?: string,
): (field: string) => [owner: string, option: string, value: unknown] {
  const given = record(owner, prefix, value, expected);
  return (field) => [owner, `${prefix}.${field}`, given[field]];
}

/** A saved object, whose fields of `header` must have exactly these values. */
export function readSaved(
  owner: string,
  value: unknown,
  header: Readonly<Record<string, string | number>>,
): Record<string, unknown> {
  const saved = record(owner, "saved", value);
  for (const field of Object.keys(header)) same(owner, `saved.${field}`, saved[field], header[field]);
  return saved;
}

/** `why` is for the message. */
export function same(owner: string, name: string, value: unknown, expected: unknown, why = ""): void {
  if (value === expected) return;
  const error = typeof value === typeof expected ? wrongValue : wrongType;
  throw error(owner, name, JSON.stringify(expected) + why, value);
}

/** Throws at a field that is not in `known`. */
export function onlyFields(owner: string, prefix: string, given: object, known: readonly string[]): void {
  const fields = new Set(known);
  for (const field of Object.keys(given))
    if (!fields.has(field))
      throw wrongValue(owner, prefix, known.length > 0 ? `only ${known.join(", ")}` : "nothing", field, known);
}

/** A Float32Array, of any realm. */
export function readVector(owner: string, name: string, value: unknown, length: number): Vector {
  return readArray(owner, name, value, "Float32Array", length);
}

/** A slot: a Float32Array or a {@link SmallSlot}. */
export function readSlot(owner: string, name: string, value: unknown, length: number): Vector | SmallSlot {
  if (typeof value !== "object" || value === null || !("format" in value))
    return readVector(owner, name, value, length);
  const at = fieldsOf(owner, name, value);
  const format = oneOf(["bfloat16", "8bit"]).read(...at("format"));
  if (format === "bfloat16") return { format, halves: readArray(...at("halves"), "Uint16Array", length) };
  const signed = flag.read(...at("signed"));
  const codes = readArray<Uint8Array>(...at("codes"), "Uint8Array", length);
  const bases = readArray<Uint16Array>(...at("bases"), "Uint16Array", basesOf(length));
  const bad = bases.findIndex((base) => !isBase(base, signed));
  if (bad >= 0) throw wrongValue(owner, `${name}.bases[${bad}]`, "the base of a block", bases[bad]);
  return { format, signed, codes, bases };
}

/** A typed array of one class, of any realm. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the class is known by its name only
function readArray<T>(owner: string, name: string, value: unknown, kind: string, length: number): T {
  const expected = `${withArticle(kind)} of ${length}`;
  const given = kindOf(value);
  if (given === "Object")
    throw wrongType(owner, name, `${expected}, which JSON.stringify does not keep (use toJSON and fromJSON)`, value);
  if (given !== kind) throw wrongType(owner, name, expected, value);
  if ((value as Vector).length !== length) throw wrongValue(owner, name, expected, value);
  return value as T;
}

export function checkShape(owner: string, name: string, value: unknown, shape: Shape): void {
  const fits = Array.isArray(value) && value.length === shape.length && shape.every((size, i) => size === value[i]);
  if (!fits) throw wrongValue(owner, name, `[${shape.join(", ")}]`, value);
}

/** Reads exactly one entry for each name. Messages name an entry by `prefix` and its name. */
export function readEach<T>(
  owner: string,
  prefix: string,
  value: unknown,
  names: readonly string[],
  kind: { read(owner: string, option: string, value: unknown, index: number): T },
): T[] {
  const given = record(owner, prefix, value);
  onlyFields(owner, prefix, given, names);
  return names.map((name, i) => kind.read(owner, `${prefix}.${name}`, given[name], i));
}
