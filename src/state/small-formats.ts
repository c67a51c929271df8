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
export const formatKind = oneOf("float32", "bfloat16", "8bit");

/**
 * What a slot holds: "signed" numbers; "positive" ones, >= 0, that something is divided by; or "exact" ones, which stay
 * float32: weights, what weights are computed from without a rate that makes an error small, a difference of two slots, and
 * averages whose steps are too small to survive rounding.
 */
export type SlotKind = "signed" | "positive" | "exact";

/** The least number of elements for slots in 8 bits. */
const LEAST = 4096;
/** The upper 12 bits of infinity as a float32. */
const INFINITE = 0x7f8;
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
  if (format === "float32" || kind === "exact") return FLOAT32;
  if (format === "bfloat16") return BFLOAT16;
  if (length < LEAST) return FLOAT32;
  return kind === "signed" ? SIGNED : POSITIVE;
}

/** Bytes of a slot's elements and bases. */
export function bytesIn(format: number, length: number): number {
  if (format === FLOAT32) return 4 * length;
  return format === BFLOAT16 ? 2 * length : length + 2 * Math.ceil(length / SHARED);
}

/** Bytes that a slot takes in the arena, with padding. */
export function slotBytes(format: number, length: number): number {
  const whole = Math.ceil(length / SWEPT_TOGETHER) * SWEPT_TOGETHER;
  return Math.ceil(bytesIn(format, whole) / ALIGNMENT) * ALIGNMENT;
}

/** The address of a slot's bases; `length` includes padding. */
export const basesAt = (slot: number, length: number): number => slot + length;

/** A copy of a small slot. */
export function readSmall(arena: Arena, table: Table, i: number, k: number): SmallSlot {
  const { buffer } = arena;
  const [format, size, at] = [table.formats[k][i], table.slotSizes[k][i], table.slots[k][i]];
  if (format === BFLOAT16) return { format: "bfloat16", halves: new Uint16Array(buffer, at, size).slice() };
  const bases = new Uint16Array(buffer, basesAt(at, table.length[i]), Math.ceil(size / SHARED)).slice();
  return { format: "8bit", signed: format === SIGNED, codes: new Uint8Array(buffer, at, size).slice(), bases };
}

/** Writes a small slot: copies one of its own format, or rounds float32s with step 0's dither; missing values are 0. */
export function writeSmall(
  arena: Arena,
  table: Table,
  i: number,
  k: number,
  values: Vector | SmallSlot,
  converter: number,
): void {
  const { buffer, kernels } = arena;
  const [format, size, at] = [table.formats[k][i], table.slotSizes[k][i], table.slots[k][i]];
  if (size === 0) return;
  const bases = basesAt(at, table.length[i]);
  if ("format" in values) {
    if (values.format === "bfloat16") new Uint16Array(buffer, at, size).set(values.halves);
    else {
      new Uint8Array(buffer, at, size).set(values.codes);
      new Uint16Array(buffer, bases, values.bases.length).set(values.bases);
    }
    return;
  }
  const scratch = new Float32Array(buffer, converter, BLOCK);
  for (let from = 0; from < table.length[i]; from += BLOCK) {
    const part = values.subarray(from, from + BLOCK);
    scratch.fill(0).set(part);
    const count = Math.min(BLOCK, table.length[i] - from);
    const codes = at + from * (format === BFLOAT16 ? 2 : 1);
    kernels.pack(format, count, converter, codes, bases + (from / SHARED) * 2, k, from, 0);
  }
}

/** Whether a base is valid: none of its codes is denormal or exceeds infinity's bits. */
export function isBase(bits: number, signed: boolean): boolean {
  const base = bits & ~SPECIAL;
  const highest = (signed ? 127 : 255) - (bits === base ? 0 : 2);
  return base >= LEAST_BASE && base + highest <= INFINITE;
}

/** Whether a slot of this format can take a saved one as it is. */
export function keeps(format: number, slot: SmallSlot): boolean {
  if (slot.format === "bfloat16") return format === BFLOAT16;
  return format === (slot.signed ? SIGNED : POSITIVE);
}

export function elementsOf(slot: Vector | SmallSlot): number {
  if (!("format" in slot)) return slot.length;
  return slot.format === "bfloat16" ? slot.halves.length : slot.codes.length;
}

/** The values of a small slot. */
export function toFloat32(slot: SmallSlot): Vector {
  if (slot.format === "bfloat16") return new Float32Array(Uint32Array.from(slot.halves, (half) => half << 16).buffer);
  const { codes, bases, signed } = slot;
  const last = signed ? 127 : 255;
  const bits = Uint32Array.from(codes, (code, i) => {
    const base = bases[Math.floor(i / SHARED)];
    const c = code & last;
    const sign = signed ? (code & 0x80) << 24 : 0;
    if ((base & SPECIAL) !== 0 && c >= last - 1) return sign | (c === last ? 0x7fc00000 : 0x7f800000);
    return c === 0 ? sign : sign | (((base & ~SPECIAL) + c) << 20);
  });
  return new Float32Array(bits.buffer);
}
