// Plain values as JSON without loss: typed arrays become tensors, and what JSON lacks becomes an object { "$": … }.
import { wrongType, wrongValue } from "../util/check.js";
import { MAX_DEPTH, quote } from "./json.js";
import { type Dtype, type Entry, damageOf, isObject } from "./safetensors.js";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A value that {@link flatten} accepts. */
export type Plain =
  | null
  | undefined
  | boolean
  | number
  | string
  | ArrayBufferView
  | readonly Plain[]
  | { readonly [name: string]: Plain };

const TAG = "$";
/** How deep objects and arrays may be nested; with a tag, one can take two levels of JSON. */
const MAX_LEVELS = MAX_DEPTH / 2 - 4;
const damaged = damageOf("load");

const kinds = {
  Float32Array: ["F32", Float32Array],
  Float64Array: ["F64", Float64Array],
  Int8Array: ["I8", Int8Array],
  Uint8Array: ["U8", Uint8Array],
  Uint8ClampedArray: ["U8", Uint8ClampedArray],
  Int16Array: ["I16", Int16Array],
  Uint16Array: ["U16", Uint16Array],
  Int32Array: ["I32", Int32Array],
  Uint32Array: ["U32", Uint32Array],
  BigInt64Array: ["I64", BigInt64Array],
  BigUint64Array: ["U64", BigUint64Array],
} as const satisfies Record<string, readonly [Dtype, unknown]>;
type Kind = keyof typeof kinds;

const specials = { NaN, Infinity, "-Infinity": -Infinity, "-0": -0, undefined };

export const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/**
 * The value as JSON. Each typed array is passed to `take` with its path, which returns its tensor's name.
 * @throws TypeError for a value that is not plain, RangeError for one that contains itself.
 */
export function flatten(
  value: unknown,
  option: string,
  path: readonly string[],
  take: (path: readonly string[], entry: Entry) => string,
  above: readonly unknown[] = [],
): Json {
  const expected = "plain objects, arrays, typed arrays, numbers, strings, booleans and null";
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value) && !Object.is(value, -0)) return value;
  if (typeof value === "number") return { [TAG]: Object.is(value, -0) ? "-0" : String(value) };
  if (value === undefined) return { [TAG]: "undefined" };
  if (typeof value !== "object") throw wrongType("save", option, expected, value);
  if (ArrayBuffer.isView(value)) {
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    if (!Object.hasOwn(kinds, kind)) throw wrongType("save", option, expected, value);
    const shape = [(value as unknown as ArrayLike<unknown>).length];
    return { [TAG]: "tensor", kind, name: take(path, { dtype: kinds[kind as Kind][0], shape, bytes: bytesOf(value) }) };
  }
  if (above.includes(value)) throw wrongValue("save", option, "a value that does not contain itself", value);
  if (above.length >= MAX_LEVELS)
    throw wrongValue("save", option, `at most ${MAX_LEVELS} objects and arrays inside one another`, value);
  const inside = [...above, value];
  if (Array.isArray(value))
    return Array.from(value, (item, i) => flatten(item, `${option}[${i}]`, [...path, String(i)], take, inside));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw wrongType("save", option, expected, value);
  const entries = Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      flatten(item, `${option}.${name}`, [...path, name], take, inside),
    ]),
  );
  return Object.hasOwn(entries, TAG) ? { [TAG]: "object", entries } : entries;
}

/** Restores plain values, copying each of the file's tensors once, however often it is named. */
export class Copies {
  readonly #tensors: ReadonlyMap<string, Entry>;
  readonly #copies = new Map<string, ArrayBuffer>();

  constructor(tensors: ReadonlyMap<string, Entry>) {
    this.#tensors = tensors;
  }

  /** The value that was passed to {@link flatten}. */
  inflate(json: Json): Plain {
    if (json === null || typeof json !== "object") return json;
    if (Array.isArray(json)) return json.map((item) => this.inflate(item));
    const tag = Object.hasOwn(json, TAG) ? json[TAG] : undefined;
    if (tag === undefined) return this.#all(json);
    if (tag === "object" && isObject(json.entries)) return this.#all(json.entries);
    if (tag === "tensor" && typeof json.kind === "string" && typeof json.name === "string")
      return this.#typed(json.kind, json.name);
    if (typeof tag === "string" && Object.hasOwn(specials, tag)) return specials[tag as keyof typeof specials];
    throw damaged(`has a value in "gradstep" that is unknown: ${typeof tag === "string" ? quote(tag) : typeof tag}`);
  }

  #all(object: Readonly<Record<string, Json>>): Plain {
    return Object.fromEntries(Object.entries(object).map(([name, item]) => [name, this.inflate(item)]));
  }

  #typed(kind: string, name: string): Plain {
    const entry = this.#tensors.get(name);
    if (entry === undefined) throw damaged(`has no tensor ${quote(name)}`);
    if (!Object.hasOwn(kinds, kind) || kinds[kind as Kind][0] !== entry.dtype)
      throw damaged(`has ${entry.dtype} for ${quote(name)}, which "gradstep" calls ${quote(kind)}`);
    let copy = this.#copies.get(name);
    if (copy === undefined) this.#copies.set(name, (copy = entry.bytes.slice().buffer));
    return new kinds[kind as Kind][1](copy);
  }
}
