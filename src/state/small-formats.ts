// State buffers in two bytes or one byte per element; assembly/state/small-formats.ts explains the codes.
import { ALIGNMENT, type Arena } from "../memory/arena.js";
import { oneOf } from "../util/check.js";
import type { Vector } from "../memory/tensor.js";
import type { Table } from "../step/tensor-table.js";
import { BFLOAT16, FLOAT32, LEAST_BASE, POSITIVE, SHARED, SIGNED, SPECIAL } from "../wasm/generated/layout/formats.js";
import { SWEPT_TOGETHER } from "../wasm/generated/layout/memory.js";
import { BLOCK } from "../wasm/generated/layout/run-list.js";

export { FLOAT32 };

/** How an optimizer keeps its state. */
export type StateFormat = "float32" | "bfloat16" | "8bit";
export const formatKind = oneOf(["float32", "bfloat16", "8bit"], "bfloat16=bf16 8bit=int8 float32=fp32");

/**
 * What a slot holds: "signed" numbers; "positive" ones, >= 0, that something is divided by; or "exact" ones, which stay
 * float32: weights, what weights are computed from without a rate that makes an error small, a difference of two slots, and
 * averages whose steps are too small to survive rounding.
 */
export type SlotKind = "signed" | "positive" | "exact";

/** The least number of elements for slots in 8 bits. */
const LEAST = 4096;
/** The upper 12 bits of infinity and of NaN as float32s. */
const INFINITE = 0x7f8;
const NOT_A_NUMBER = 0x7fc;
/** A slot in bfloat16 (upper halves of float32s) or in 8 bits (codes, and one base per 256 of them). Owned. */
export type SmallSlot =
  | {
      /** Two bytes per element. */
      readonly format: "bfloat16";
      /** The upper 16 bits of each element's float32, row-major. */
      readonly halves: Uint16Array;
    }
  | {
      /** One byte per element, and two per 256 elements. */
      readonly format: "8bit";
      /** Whether the highest bit of each code is a sign; otherwise all elements are >= 0. */
      readonly signed: boolean;
      /** A code per element, row-major: 0 is zero, c > 0 the float32 whose upper 12 bits, sign aside, are base + c. */
      readonly codes: Uint8Array;
      /**
       * The base of each 256 codes: at least 7; base + c of the largest number is at most 2040, infinity's upper bits. With 0x8000
       * added, the two highest codes mean infinity and NaN.
       */
      readonly bases: Uint16Array;
    };

export function formatOf(format: StateFormat, kind: SlotKind, length: number): number {
  if (format === "float32" || kind === "exact" || (format === "8bit" && length < LEAST)) return FLOAT32;
  if (format === "bfloat16") return BFLOAT16;
  return kind === "signed" ? SIGNED : POSITIVE;
}

/** Bytes that a slot's elements and bases take in the arena, with padding. */
export function slotBytes(format: number, length: number): number {
  const whole = Math.ceil(length / SWEPT_TOGETHER) * SWEPT_TOGETHER;
  const bases = format > BFLOAT16 ? 2 * basesOf(whole) : 0;
  return Math.ceil((whole * bytesOf(format) + bases) / ALIGNMENT) * ALIGNMENT;
}

/** Bytes of an element. */
const bytesOf = (format: number): number => (format === FLOAT32 ? 4 : format === BFLOAT16 ? 2 : 1);

/** The address of a slot's bases; `length` includes padding. */
export const basesAt = (slot: number, length: number): number => slot + length;

/** How many bases the codes of so many elements have. */
export const basesOf = (elements: number): number => Math.ceil(elements / SHARED);

/** Views of a slot in the arena. */
export function viewOf(arena: Arena, table: Table, i: number, k: number): Vector | SmallSlot {
  const { buffer } = arena;
  const [code, size, at] = [table.formats[k][i], table.slotSizes[k][i], table.slots[k][i]];
  if (code === FLOAT32) return new Float32Array(buffer, at, size);
  if (code === BFLOAT16) return { format: "bfloat16", halves: new Uint16Array(buffer, at, size) };
  const codes = new Uint8Array(buffer, at, size);
  const bases = new Uint16Array(buffer, basesAt(at, table.length[i]), basesOf(size));
  return { format: "8bit", signed: code === SIGNED, codes, bases };
}

/** An owned copy of a slot. */
export function copyOf(slot: Vector | SmallSlot): Vector | SmallSlot {
  if (!("format" in slot)) return slot.slice();
  const copy: Record<string, unknown> = { ...slot };
  for (const name in copy) if (ArrayBuffer.isView(copy[name])) copy[name] = (copy[name] as Uint8Array).slice();
  return copy as unknown as SmallSlot;
}

/** Sets a slot in the arena: copies one of its format, or converts it; rounds float32s with step 0's dither; missing ones are 0. */
export function setSlot(
  arena: Arena,
  table: Table,
  i: number,
  k: number,
  values: Vector | SmallSlot,
  converter: number,
): void {
  const slot = viewOf(arena, table, i, k);
  if (isAlike(slot, values)) {
    const arrays = arraysOf(values);
    arraysOf(slot).forEach((array, n) => array.set(arrays[n]));
    return;
  }
  const floats = "format" in values ? toFloat32(values) : values;
  if (!("format" in slot)) {
    slot.set(floats);
    return;
  }
  const { buffer, kernels } = arena;
  const [format, length, at] = [table.formats[k][i], table.length[i], table.slots[k][i]];
  const scratch = new Float32Array(buffer, converter, BLOCK);
  for (let from = 0; from < length; from += BLOCK) {
    scratch.fill(0).set(floats.subarray(from, from + BLOCK));
    const codes = at + from * bytesOf(format);
    const bases = basesAt(at, length) + (from / SHARED) * 2;
    kernels.pack(format, Math.min(BLOCK, length - from), converter, codes, bases, k, from, 0);
  }
}

const arraysOf = (slot: Vector | SmallSlot): Vector[] =>
  "format" in slot ? Object.values<unknown>(slot).filter((part): part is Vector => ArrayBuffer.isView(part)) : [slot];

type Loose = object & { readonly format?: string; readonly signed?: boolean; readonly length?: number };
const isAlike = (a: Loose, b: Loose): boolean => a.format === b.format && a.signed === b.signed;

/** Whether a base is valid: none of its codes is denormal or exceeds infinity's bits. */
export function isBase(bits: number, signed: boolean): boolean {
  const base = bits & ~SPECIAL;
  const highest = (signed ? 127 : 255) - (bits === base ? 0 : 2);
  return base >= LEAST_BASE && base + highest <= INFINITE;
}

export const elementsOf = (slot: Vector | SmallSlot): number =>
  ("format" in slot ? (slot.format === "bfloat16" ? slot.halves : slot.codes) : slot).length;

/** The values of a small slot. */
export function toFloat32(slot: SmallSlot): Vector {
  if (slot.format === "bfloat16") return new Float32Array(Uint32Array.from(slot.halves, (half) => half << 16).buffer);
  const { codes, bases, signed } = slot;
  const last = signed ? 127 : 255;
  const bits = Uint32Array.from(codes, (code, i) => {
    const base = bases[Math.floor(i / SHARED)];
    const c = code & last;
    const isSpecial = (base & SPECIAL) !== 0 && c >= last - 1;
    const upper = isSpecial ? (c === last ? NOT_A_NUMBER : INFINITE) : c === 0 ? 0 : (base & ~SPECIAL) + c;
    return ((code - c) << 24) | (upper << 20);
  });
  return new Float32Array(bits.buffer);
}
