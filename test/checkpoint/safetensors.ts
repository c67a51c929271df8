// Files as another program writes them.
import type { Dtype } from "../../src/checkpoint/index.js";
import { writeChecksum } from "../../src/checkpoint/gradstep-metadata.js";
import { pack, unpack } from "../../src/checkpoint/safetensors.js";

/** A tensor of such a file. */
export interface Written {
  dtype: Dtype;
  shape: number[];
  bytes: Uint8Array;
}

/** A safetensors file, its tensors in the order given. */
export function fileOf(tensors: Record<string, Written>, metadata?: Record<string, string>): Uint8Array {
  let at = 0;
  const fields = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const begin = at;
    at += bytes.length;
    return [name, { dtype, shape, data_offsets: [begin, at] }] as const;
  });
  const header = JSON.stringify({ ...(metadata && { __metadata__: metadata }), ...Object.fromEntries(fields) });
  return withHeader(
    header,
    Object.values(tensors).map(({ bytes }) => bytes),
  );
}

/** The length of the header, the header and the data. */
export function withHeader(header: string, data: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return Uint8Array.from(Buffer.concat([length, text, ...data]));
}

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const makers: Partial<Record<Dtype, (values: number[]) => ArrayBufferView>> = {
  F32: (values) => Float32Array.from(values),
  F64: (values) => Float64Array.from(values),
  I64: (values) => BigInt64Array.from(values, BigInt),
  U64: (values) => BigUint64Array.from(values, BigInt),
  I32: (values) => Int32Array.from(values),
  U32: (values) => Uint32Array.from(values),
  I16: (values) => Int16Array.from(values),
  U16: (values) => Uint16Array.from(values),
  I8: (values) => Int8Array.from(values),
  U8: (values) => Uint8Array.from(values),
  BOOL: (values) => Uint8Array.from(values),
  BF16: (values) => Uint16Array.from(values),
  F16: (values) => Uint16Array.from(values),
};

/** A tensor of these values; of BF16 and F16 their bits. */
export function tensor(dtype: Dtype, shape: number[], ...values: number[]): Written {
  const size = shape.reduce((product, n) => product * n, 1);
  const make = makers[dtype] ?? makers.U8;
  const all = Array.from({ length: size }, (_, i) => values[i] ?? 0);
  return { dtype, shape, bytes: bytesOf((make as (values: number[]) => ArrayBufferView)(all)) };
}

/** PyTorch's `param_groups` for tensors of these names, with the same options. */
export const paramGroups = (names: readonly string[], options: object): { param_groups: string } => ({
  param_groups: JSON.stringify(
    Object.fromEntries(
      names.flatMap((name) =>
        Object.entries(options).map(([option, value]) => [`param_groups.${name}.${option}`, value as unknown]),
      ),
    ),
  ),
});

/** What PyTorch's AdamW has in a group. */
export const adamw = {
  lr: 0.1,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weight_decay: 0.01,
  amsgrad: false,
  maximize: false,
  foreach: null,
  capturable: false,
  differentiable: false,
  fused: null,
  decoupled_weight_decay: true,
};

/** A file of ours with other metadata, and the checksum that fits it. */
export function recrafted(bytes: Uint8Array, change: (own: Own, metadata: Map<string, string>) => void): Uint8Array {
  const { tensors, metadata } = unpack(bytes);
  const own = JSON.parse(metadata.get("gradstep") ?? "") as Own;
  const changed = new Map([...metadata, ["gradstep.crc32", "00000000"]]);
  change(own, changed);
  changed.set("gradstep", JSON.stringify(own));
  const file = pack(tensors, changed);
  writeChecksum(file);
  return file;
}

/** The metadata entry "gradstep", taken apart. */
export interface Own {
  version: unknown;
  params: unknown;
  optimizers: unknown;
  extra: Record<string, unknown>;
}
