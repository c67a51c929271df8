// Converts slots between float32 and the formats that take two bytes per element (bfloat16) or one (8 bits). A block at a
// time is unpacked, swept by the kernel and packed again. A dither decides which of its two neighbours a number is rounded
// to: for slot k of element i of a tensor at the tensor's step t
//   r = i·A_k + t·B_k mod 2³²,
// a Weyl sequence in i and in t: over the steps, even the smallest change has its effect on average.
//
// bfloat16: the upper half of bits + (r >> 16). Infinities and NaN stay.
//
// 8 bits, in blocks of 256 elements: the bits of a float from the 20th up count codes, eight per octave. A block has a base,
// which is a number of codes, and the magnitude of an element has the code
//   c = ((bits + (r >> 12)) >> 20) − base,
// or 0 where that is negative. Signed: c < 128, and the sign. Positive: c < 256, and at least 1 where the number is normal,
// so that no divisor becomes 0. Code 0 means 0, code c the number with the bits (base + c) << 20.
// The base is such that the block's largest magnitude, rounded up, has the last code, and at least 7: no code is denormal.
// In a block with infinities or NaN the base has a flag, the last two codes mean these, and the base fits the other numbers.

import { BFLOAT16, LEAST_BASE, SHARED, SIGNED, SPECIAL } from "../layout/formats";

// A_k and B_k: the fractions of square roots, from SHA-256; 0x9e3779b9 is the fraction of the golden ratio.
// @ts-ignore: decorator
@inline
function elementIncrement(slot: i32): u32 {
  return slot == 0 ? 0xbb67ae85 : slot == 1 ? 0x3c6ef373 : slot == 2 ? 0xa54ff53b : 0x510e527f;
}
// @ts-ignore: decorator
@inline
function stepIncrement(slot: i32): u32 {
  return slot == 0 ? 0x9e3779b9 : slot == 1 ? 0x6a09e667 : slot == 2 ? 0x9b05688d : 0x5be0cd19;
}

/** The dither of four elements of a slot, from element i on, at step t. */
// @ts-ignore: decorator
@inline
export function dither(slot: i32, i: i32, t: i32): v128 {
  const a = elementIncrement(slot);
  const b: u32 = <u32>i * a + <u32>t * stepIncrement(slot);
  return i32x4(b, b + a, b + 2 * a, b + 3 * a);
}

/** Loads four elements in bfloat16 as float32. */
// @ts-ignore: decorator
@inline
export function unpackHalf(from: usize): v128 {
  return v128.shuffle<i16>(i32x4.splat(0), v128.load64_zero(from), 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
export function packHalf(to: usize, x: v128, r: v128): void {
  storeUpper(to, dithered(x, r));
}

/** The same for numbers that are not negative, with one operation less: pmax keeps its first operand if that is infinity or NaN. */
// @ts-ignore: decorator
@inline
export function packPositiveHalf(to: usize, x: v128, r: v128): void {
  storeUpper(to, f32x4.pmax(x, i32x4.add(x, i32x4.shr_u(r, 16))));
}

// @ts-ignore: decorator
@inline
function storeUpper(to: usize, x: v128): void {
  const upper = i8x16(2, 3, 6, 7, 10, 11, 14, 15, -1, -1, -1, -1, -1, -1, -1, -1);
  v128.store64_lane(to, i8x16.swizzle(x, upper), 0);
}

/** Converts n elements of one slot, a multiple of 16, to float32. `from` and `bases` are where a block of 256 begins. */
export function unpack(format: i32, n: i32, from: usize, bases: usize, to: usize): void {
  if (format == BFLOAT16) unpackHalves(n, from, to);
  else
    for (; n > 0; n -= SHARED, from += SHARED, to += SHARED << 2, bases += 2)
      unpackCodes(format == SIGNED, min(n, SHARED), from, <i32>load<u16>(bases), to);
}

/** Converts them back: the elements from index `first` of the tensor on, at its step t. */
export function pack(format: i32, n: i32, from: usize, to: usize, bases: usize, slot: i32, first: i32, t: i32): void {
  const r = dither(slot, first, t), next = i32x4.splat(elementIncrement(slot) << 2);
  if (format == BFLOAT16) packHalves(n, from, to, r, next);
  else packCodes(format == SIGNED, n, from, to, bases, r, next);
}

function unpackHalves(n: i32, from: usize, to: usize): void {
  const zero = i32x4.splat(0);
  for (const end = from + (<usize>n << 1); from < end; from += 16, to += 32) {
    const x = v128.load(from);
    v128.store(to, v128.shuffle<i16>(zero, x, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to, v128.shuffle<i16>(zero, x, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  }
}

function packHalves(n: i32, from: usize, to: usize, r: v128, next: v128): void {
  for (const end = from + (<usize>n << 2); from < end; from += 32, to += 16) {
    const x = half(v128.load(from), r);
    r = i32x4.add(r, next);
    const y = half(v128.load(from, 16), r);
    r = i32x4.add(r, next);
    v128.store(to, i16x8.narrow_i32x4_s(x, y));
  }
}

// @ts-ignore: decorator
@inline
function half(x: v128, r: v128): v128 {
  return i32x4.shr_s(dithered(x, r), 16);
}

// @ts-ignore: decorator
@inline
function dithered(x: v128, r: v128): v128 {
  return i32x4.add(x, v128.and(i32x4.shr_u(r, 16), f32x4.eq(x, x)));
}

function unpackCodes(signed: bool, n: i32, from: usize, base: i32, to: usize): void {
  const zero = i32x4.splat(0), least = i16x8.splat(<i16>(base & ~SPECIAL));
  const last = signed ? i16x8.splat(127) : i16x8.splat(255);
  const start = from, out = to;
  for (const end = from + <usize>n; from < end; from += 8, to += 32) {
    const x = v128.load8x8_s(from);
    const c = v128.and(x, last);
    const above = v128.andnot(i16x8.add(c, least), i16x8.eq(c, zero));
    const sign = v128.andnot(v128.and(x, i16x8.splat(-32768)), i16x8.gt_s(last, i16x8.splat(127)));
    const y = v128.or(i16x8.shl(above, 4), sign);
    v128.store(to, v128.shuffle<i16>(zero, y, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to, v128.shuffle<i16>(zero, y, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  }
  if (base & SPECIAL) {
    const nan = signed ? 127 : 255;
    for (let i = 0; i < n; i++) {
      const c = <i32>load<u8>(start + i) & nan;
      if (c < nan - 1) continue;
      const at = out + (<usize>i << 2);
      store<i32>(at, (load<i32>(at) & (1 << 31)) | (c == nan ? 0x7fc00000 : 0x7f800000));
    }
  }
}

function packCodes(signed: bool, n: i32, from: usize, to: usize, bases: usize, r: v128, next: v128): void {
  const magnitude = i32x4.splat(0x7fffffff);
  for (; n > 0; n -= SHARED, bases += 2) {
    const count = min(n, SHARED);
    const top = signed ? 126 : 254;
    let most = i32x4.splat(0), more = most;
    for (let x = from, end = from + (<usize>count << 2); x < end; x += 32) {
      most = i32x4.max_s(most, v128.and(v128.load(x), magnitude));
      more = i32x4.max_s(more, v128.and(v128.load(x, 16), magnitude));
    }
    most = i32x4.max_s(most, more);
    most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 2, 3));
    const largest = max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1));
    if (largest >= 0x7f800000) {
      store<u16>(bases, <u16>packSpecial(signed, count, from, to, r));
      from += <usize>count << 2;
      to += count;
      for (let i = 0; i < count; i += 4) r = i32x4.add(r, next);
      continue;
    }
    const base = max((largest >> 20) - top, LEAST_BASE);
    store<u16>(bases, <u16>base);
    const least = i16x8.splat(<i16>base), normal = i16x8.splat(<i16>LEAST_BASE);
    for (const end = from + (<usize>count << 2); from < end; from += 64, to += 16) {
      const x0 = v128.load(from), x1 = v128.load(from, 16), x2 = v128.load(from, 32), x3 = v128.load(from, 48);
      const r1 = i32x4.add(r, next), r2 = i32x4.add(r1, next), r3 = i32x4.add(r2, next);
      const low = i16x8.narrow_i32x4_s(codeOf(x0, r, magnitude), codeOf(x1, r1, magnitude));
      const high = i16x8.narrow_i32x4_s(codeOf(x2, r2, magnitude), codeOf(x3, r3, magnitude));
      r = i32x4.add(r3, next);
      let c = i8x16.narrow_i16x8_u(i16x8.sub(low, least), i16x8.sub(high, least));
      if (signed) {
        const sign = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(x0, x1), i16x8.narrow_i32x4_s(x2, x3));
        c = v128.or(c, v128.and(sign, i8x16.splat(-128)));
      } else {
        const some = i8x16.narrow_i16x8_u(i16x8.sub(low, normal), i16x8.sub(high, normal));
        c = i8x16.max_u(c, i8x16.min_u(some, i8x16.splat(1)));
      }
      v128.store(to, c);
    }
  }
}

/** The number of codes from 0 to a magnitude, rounded up or down by the dither. */
// @ts-ignore: decorator
@inline
function codeOf(x: v128, r: v128, magnitude: v128): v128 {
  return i32x4.shr_u(i32x4.add(v128.and(x, magnitude), i32x4.shr_u(r, 12)), 20);
}

/** Packs a block with infinities or NaN; returns its base. */
function packSpecial(signed: bool, n: i32, from: usize, to: usize, r: v128): i32 {
  const nan = signed ? 127 : 255;
  let largest = 0;
  for (let i = 0; i < n; i++) {
    const x = load<i32>(from + (<usize>i << 2)) & 0x7fffffff;
    if (x < 0x7f800000) largest = max(largest, x);
  }
  const base = max((largest >> 20) - (nan - 3), LEAST_BASE);
  let w = <u32>i32x4.extract_lane(r, 0);
  const a = <u32>i32x4.extract_lane(r, 1) - w;
  for (let i = 0; i < n; i++, w += a) {
    const bits = load<i32>(from + (<usize>i << 2)), x = bits & 0x7fffffff;
    const h = (x + <i32>(w >> 12)) >> 20;
    let c = max(h - base, !signed && h > LEAST_BASE ? 1 : 0);
    if (x >= 0x7f800000) c = x > 0x7f800000 ? nan : nan - 1;
    store<u8>(to + i, <u8>(c | (signed ? (bits >> 31) & 0x80 : 0)));
  }
  return base | SPECIAL;
}
