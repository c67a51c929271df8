// The format safetensors: eight bytes of the header's length, the header in JSON, then the tensors' bytes, which it
// places one behind the other without a gap. https://github.com/huggingface/safetensors
import { parseJson } from "./json.js";

/** What the format can hold, and the bytes of an element. */
const widths = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

export type Dtype = keyof typeof widths;

/** One tensor of a file: little-endian, row-major. */
export interface Entry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A file taken apart; the entries' bytes are views of it. */
export interface Contents {
  readonly tensors: ReadonlyMap<string, Entry>;
  readonly metadata: ReadonlyMap<string, string>;
}

const LENGTH = 8;
const MAX_HEADER = 100_000_000;
const METADATA = "__metadata__";

/** Writes tensors and metadata: wide elements first, so that all are aligned, then by name, as PyTorch's library does. */
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
  const header = new TextEncoder().encode(`{${[`"${METADATA}":{${notes}}`, ...fields].join(",")}}`);
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

/** Compares as UTF-8 would, and not by the surrogates of UTF-16. */
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
 * Takes a file apart and checks all of it.
 * @throws RangeError with what is wrong.
 */
export function unpack(file: Uint8Array): Contents {
  if (file.length < LENGTH)
    throw damaged(`is cut short: it has ${file.length} bytes, and ${LENGTH} say how long its header is`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > MAX_HEADER)
    throw damaged(`says its header has ${length} bytes, more than ${MAX_HEADER}: it is no safetensors file`);
  const start = LENGTH + length;
  if (start > file.length)
    throw damaged(`is cut short: its header should end at byte ${start}, the file has ${file.length}`);
  const header = readHeader(file.slice(LENGTH, start));

  const tensors = new Map<string, Entry>();
  const places: { name: string; begin: number; end: number }[] = [];
  const data = file.subarray(start);
  let metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) {
      metadata = readMetadata(value);
      continue;
    }
    const { dtype, shape, begin, end } = readField(name, value, data.length);
    tensors.set(name, { dtype, shape, bytes: data.subarray(begin, end) });
    places.push({ name, begin, end });
  }

  places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of places) {
    if (begin < at) throw damaged(`has tensors that overlap: ${quote(name)} begins at ${begin}, inside another`);
    if (begin > at) throw damaged(`has a hole of ${begin - at} bytes before ${quote(name)}`);
    at = end;
  }
  if (at < data.length) throw damaged(`has ${data.length - at} bytes behind its last tensor`);
  return { tensors, metadata };
}

export const damaged = (fault: string): RangeError => new RangeError(`load: the file ${fault}`);
const quote = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);

function readHeader(bytes: Uint8Array): object {
  if (bytes[0] !== 0x7b) throw damaged("has a header that does not begin with {: it is no safetensors file");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw damaged("has a header that is no UTF-8");
  }
  return parseJson(text, (fault) => damaged(`has a header that ${fault}`)) as object;
}

function readMetadata(value: unknown): Map<string, string> {
  if (!isObject(value)) throw damaged(`has "${METADATA}" that is no object`);
  const entries = Object.entries(value);
  const bad = entries.find(([, text]) => typeof text !== "string");
  if (bad) throw damaged(`has metadata ${quote(bad[0])} that is no string`);
  return new Map(entries as [string, string][]);
}

interface Field {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readField(name: string, value: unknown, dataLength: number): Field {
  const wrong = (fault: string): RangeError => damaged(`is damaged at ${quote(name)}: ${fault}`);
  if (!isObject(value)) throw wrong("its entry in the header is no object");
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const stranger = Object.keys(rest).at(0);
  if (stranger !== undefined) throw wrong(`its entry has an unknown ${quote(stranger)}`);
  if (typeof dtype !== "string" || !Object.hasOwn(widths, dtype)) throw wrong(`unknown dtype ${JSON.stringify(dtype)}`);
  if (!isSizes(shape)) throw wrong("its shape is no list of whole numbers >= 0");
  if (!isSizes(offsets) || offsets.length !== 2) throw wrong("its data_offsets are no two whole numbers >= 0");
  const [begin, end] = offsets;
  if (begin > end) throw wrong(`it ends (${end}) before it begins (${begin})`);
  if (end > dataLength) throw wrong(`it reaches to byte ${end} of the data, which has ${dataLength}: cut short?`);
  const bytes = shape.reduce((product, size) => product * size, widths[dtype as Dtype]);
  if (bytes !== end - begin) throw wrong(`${dtype} [${shape.join(", ")}] takes ${bytes} bytes, it has ${end - begin}`);
  return { dtype: dtype as Dtype, shape, begin, end };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
