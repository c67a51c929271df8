// Reads and writes the safetensors format: 8 bytes for the header's length, the header in JSON, then the tensors' bytes
// without gaps. https://github.com/huggingface/safetensors
import { clip, counted, thousands } from "../util/check.js";
import { parseMembers, quote } from "./json.js";

/** An element type, by the format's name for it. */
export type Dtype =
  | "F4"
  | "F6_E2M3"
  | "F6_E3M2"
  | "BOOL"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "F8_E8M0"
  | "F8_E4M3FNUZ"
  | "F8_E5M2FNUZ"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "C64"
  | "F64"
  | "I64"
  | "U64";

const dtypesByBits: Readonly<Record<number, readonly Dtype[]>> = {
  4: ["F4"],
  6: ["F6_E2M3", "F6_E3M2"],
  8: ["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"],
  16: ["I16", "U16", "F16", "BF16"],
  32: ["I32", "U32", "F32"],
  64: ["C64", "F64", "I64", "U64"],
};
/** Bits per element. */
const widths = Object.fromEntries(
  Object.entries(dtypesByBits).flatMap(([bits, dtypes]) => dtypes.map((dtype) => [dtype, Number(bits)])),
) as Readonly<Record<Dtype, number>>;

/** One tensor of a file. */
export interface Entry {
  /** The type of its elements, such as "F32", "BF16" or "I64". */
  readonly dtype: Dtype;
  /** Sizes of its dimensions; [] is a scalar. */
  readonly shape: readonly number[];
  /** Its elements, row-major and little-endian. */
  readonly bytes: Uint8Array;
}

/** Makes the error for a damaged file from a description of the fault. */
export type Damage = (fault: string) => RangeError;
export const damageOf =
  (owner: string): Damage =>
  (fault) =>
    new RangeError(`${owner}: the file ${clip(fault, 360)}`);

/** The contents of a file; the entries' bytes are views of it. */
export interface Contents {
  readonly tensors: ReadonlyMap<string, Entry>;
  readonly metadata: ReadonlyMap<string, string>;
}

const LENGTH = 8;
const MAX_HEADER = 100_000_000;
const METADATA = "__metadata__";

/** Writes a file. Tensors are sorted by width, widest first, so that all are aligned, then by name, as PyTorch's library does. */
export function pack(tensors: ReadonlyMap<string, Entry>, metadata: ReadonlyMap<string, string>): Uint8Array {
  const ordered = [...tensors].sort(
    ([a, { dtype: x }], [b, { dtype: y }]) => widths[y] - widths[x] || byCodePoint(a, b),
  );
  let end = 0;
  const fields = ordered.map(([name, { dtype, shape, bytes }]) => {
    const begin = end;
    end += bytes.length;
    return `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${begin},${end}]}`;
  });
  const notes = [...metadata].map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`).join(",");
  const header = encode(`{${[`"${METADATA}":{${notes}}`, ...fields].join(",")}}`);
  const start = LENGTH + Math.ceil(header.length / 8) * 8;
  if (start > MAX_HEADER) throw new RangeError(`save: the names and "extra" take ${start} bytes of a header, too many`);

  const file = new Uint8Array(start + end);
  new DataView(file.buffer).setUint32(0, start - LENGTH, true);
  file.set(header, LENGTH);
  file.fill(0x20, LENGTH + header.length, start);
  let at = start;
  for (const [, { bytes }] of ordered) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** Compares by code points, as UTF-8 does: UTF-16's surrogates would sort differently. */
function byCodePoint(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  const [x, y] = [a, b].map((text) => {
    const unit = i < text.length ? text.charCodeAt(i) : -1;
    return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
  });
  return x - y;
}

/**
 * Parses a file and checks all of it.
 * @throws RangeError with what is wrong.
 */
export function unpack(file: Uint8Array, owner = "load"): Contents {
  const damaged = damageOf(owner);
  if (file.length < LENGTH)
    throw damaged(`is cut short: it has ${counted(file.length, "byte")}, and ${LENGTH} say how long its header is`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > MAX_HEADER)
    throw damaged(`says its header has ${length} bytes, more than ${MAX_HEADER}: it is no safetensors file`);
  const start = LENGTH + length;
  if (start > file.length)
    throw damaged(`is cut short: its header should end at byte ${start}, the file has ${file.length}`);

  const tensors = new Map<string, Placed>();
  const data = file.subarray(start);
  let metadata: Map<string, string> | undefined;
  parseMembers(
    decode(file.slice(LENGTH, start), owner),
    (fault) => damaged(`has a header that ${fault}`),
    (name, value) => {
      if (name === METADATA) {
        if (metadata !== undefined) return false;
        metadata = readMetadata(value, damaged);
        return true;
      }
      const before = tensors.size;
      return tensors.set(name, readEntry(name, value, data, damaged)).size > before;
    },
  );
  checkPlaces([...tensors.values()], data.length, damaged);
  return { tensors, metadata: metadata ?? new Map<string, string>() };
}

/** Tensors must fill the data without gaps or overlaps. */
function checkPlaces(places: Placed[], length: number, damaged: Damage): void {
  if (places.some(({ begin }, i) => i > 0 && begin < places[i - 1].end))
    places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of places) {
    if (begin < at) throw damaged(`has tensors that overlap: ${quote(name)} begins at ${begin}, inside another`);
    if (begin > at) throw damaged(`has a hole of ${counted(begin - at, "byte")} before ${quote(name)}`);
    at = end;
  }
  if (at < length) throw damaged(`has ${counted(length - at, "byte")} behind its last tensor`);
}

/** An entry that makes its view of the file only when needed, since a file can have a million entries. */
class Placed implements Entry {
  constructor(
    readonly name: string,
    readonly dtype: Dtype,
    readonly shape: readonly number[],
    readonly begin: number,
    readonly end: number,
    readonly data: Uint8Array,
  ) {}

  get bytes(): Uint8Array {
    return this.data.subarray(this.begin, this.end);
  }
}

/** @throws Error where the engine has no TextEncoder. */
export function encode(text: string): Uint8Array {
  if (typeof TextEncoder === "undefined") throw lacking("save", "TextEncoder");
  return new TextEncoder().encode(text);
}

const lacking = (owner: string, what: string): Error =>
  new Error(`${owner}: this JavaScript engine has no ${what}, which is needed; set one as globalThis.${what}`);

function decode(bytes: Uint8Array, owner: string): string {
  const damaged = damageOf(owner);
  if (bytes[0] !== 0x7b) throw damaged("has a header that does not begin with {: it is no safetensors file");
  if (typeof TextDecoder === "undefined") throw lacking(owner, "TextDecoder");
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if ((error as { name?: unknown }).name !== "TypeError") throw error;
    throw damaged("has a header that is no UTF-8");
  }
}

function readMetadata(value: unknown, damaged: Damage): Map<string, string> {
  if (!isObject(value)) throw damaged(`has "${METADATA}" that is no object`);
  const entries = Object.entries(value);
  const bad = entries.find(([, text]) => typeof text !== "string");
  if (bad) throw damaged(`has metadata ${quote(bad[0])} that is no string`);
  return new Map(entries as [string, string][]);
}

const FIELDS: ReadonlySet<string> = new Set(["dtype", "shape", "data_offsets"]);

function readEntry(name: string, value: unknown, data: Uint8Array, damaged: Damage): Placed {
  const wrong = (fault: string): RangeError => damaged(`is damaged at ${quote(name)}: ${fault}`);
  if (!isObject(value)) throw wrong("its entry in the header is no object");
  for (const field in value) if (!FIELDS.has(field)) throw wrong(`its entry has an unknown ${quote(field)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) throw wrong(`unknown dtype ${typeof dtype === "string" ? quote(dtype) : typeof dtype}`);
  if (!isSizes(shape)) throw wrong("its shape is no list of whole numbers >= 0");
  if (!isSizes(offsets) || offsets.length !== 2) throw wrong("its data_offsets are no two whole numbers >= 0");
  const [begin, end] = offsets;
  if (begin > end) throw wrong(`it ends (${end}) before it begins (${begin})`);
  if (end > data.length) throw wrong(`it reaches to byte ${end} of the data, which has ${data.length}: cut short?`);
  const bytes = shape.reduce((product, size) => product * size, widths[dtype]) / 8;
  if (bytes !== end - begin)
    throw wrong(
      `${dtype} [${clip(shape.join(", "), 80)}] takes ${counted(bytes, "byte")}, it has ${thousands(end - begin)}`,
    );
  return new Placed(name, dtype, shape, begin, end, data);
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isDtype = (value: unknown): value is Dtype => typeof value === "string" && Object.hasOwn(widths, value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
