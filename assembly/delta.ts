// The exports of delta.wasm, the kernels of gradstep/distributed: the update that a worker sends, the model that it gets, and
// the checksum of both. A binary of its own, with a memory of its own: parameters are copied there without padding.
//
// Numbers lie in blocks of 256; what follows the last number in its block is 0. An update has for each block
//   s = max |y − x| / 127, r = 127 / max |y − x|, both rounded to float32, and the codes q = nearest((y − x)·r), ties to even,
// where x is before and y after the training. A block whose maximum is below 2⁻¹⁰⁰ has s = 0 and codes 0, one with infinities
// or NaN has the NaN 0x7fc00000 and codes 0. Each subtraction, product and division is rounded to float32.
import { LARGEST } from "./lane";

// @ts-ignore: decorator
@inline
const BLOCK: usize = 256;
/** Below it 127 / max could be infinite. */
// @ts-ignore: decorator
@inline
const LEAST: f32 = 7.888609052210118e-31;

/** Writes scales and codes of n numbers, a multiple of 256. Returns how many blocks have infinities or NaN. */
export function quantize(n: i32, x: usize, y: usize, scales: usize, codes: usize): i32 {
  let bad = 0;
  for (const end = codes + <usize>n; codes < end; codes += BLOCK, scales += 4, x += BLOCK << 2, y += BLOCK << 2) {
    let most = f32x4.splat(0);
    for (let i: usize = 0; i < BLOCK << 2; i += 16)
      most = f32x4.max(most, f32x4.abs(f32x4.sub(v128.load(y + i), v128.load(x + i))));
    most = f32x4.max(most, v128.shuffle<i32>(most, most, 2, 3, 2, 3));
    const max = f32x4.extract_lane(f32x4.max(most, v128.shuffle<i32>(most, most, 1, 1, 1, 1)), 0);
    if (!(max <= LARGEST)) {
      store<u32>(scales, 0x7fc00000);
      memory.fill(codes, 0, BLOCK);
      bad++;
    } else if (max < LEAST) {
      store<f32>(scales, 0);
      memory.fill(codes, 0, BLOCK);
    } else {
      store<f32>(scales, max / 127);
      const r = f32x4.splat(127 / max);
      for (let i: usize = 0; i < BLOCK; i += 16) {
        const at = i << 2;
        v128.store(codes + i, i8x16.narrow_i16x8_s(
          i16x8.narrow_i32x4_s(code(x + at, y + at, r), code(x + at + 16, y + at + 16, r)),
          i16x8.narrow_i32x4_s(code(x + at + 32, y + at + 32, r), code(x + at + 48, y + at + 48, r)),
        ));
      }
    }
  }
  return bad;
}

// @ts-ignore: decorator
@inline
function code(x: usize, y: usize, r: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(f32x4.sub(v128.load(y), v128.load(x)), r)));
}

/** sum ← sum − s·q, for n numbers, a multiple of 256. */
export function subtract(n: i32, scales: usize, codes: usize, sum: usize): void {
  for (const end = codes + <usize>n; codes < end; scales += 4) {
    const s = v128.load32_splat(scales);
    for (const next = codes + BLOCK; codes < next; codes += 16, sum += 64) {
      const q = v128.load(codes);
      const low = i16x8.extend_low_i8x16_s(q), high = i16x8.extend_high_i8x16_s(q);
      move(sum, s, i32x4.extend_low_i16x8_s(low));
      move(sum + 16, s, i32x4.extend_high_i16x8_s(low));
      move(sum + 32, s, i32x4.extend_low_i16x8_s(high));
      move(sum + 48, s, i32x4.extend_high_i16x8_s(high));
    }
  }
}

// @ts-ignore: decorator
@inline
function move(sum: usize, s: v128, q: v128): void {
  v128.store(sum, f32x4.sub(v128.load(sum), f32x4.mul(s, f32x4.convert_i32x4_s(q))));
}

/** Rounds n float32, a multiple of 8, to bfloat16, ties to even; NaN becomes 0x7fc0. */
export function toHalves(n: i32, from: usize, to: usize): void {
  for (const end = from + (<usize>n << 2); from < end; from += 32, to += 16)
    v128.store(to, i16x8.narrow_i32x4_s(half(v128.load(from)), half(v128.load(from, 16))));
}

// @ts-ignore: decorator
@inline
function half(x: v128): v128 {
  const even = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), even);
  return i32x4.shr_s(v128.bitselect(rounded, i32x4.splat(0x7fc00000), f32x4.eq(x, x)), 16);
}

/** Widens n bfloat16, a multiple of 8, to float32. */
export function fromHalves(n: i32, from: usize, to: usize): void {
  const zero = i32x4.splat(0);
  for (const end = from + (<usize>n << 1); from < end; from += 16, to += 32) {
    const x = v128.load(from);
    v128.store(to, v128.shuffle<i16>(zero, x, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to, v128.shuffle<i16>(zero, x, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  }
}

/**
 * A checksum of n bytes, a multiple of 64, that differs by `seed`: for the 16 words of each 64 bytes h ← (h ^ word)·0x9e3779b1,
 * h ← h ^ h >> 15, then the same over the 16 values of h. Every change of a single word changes it.
 */
export function checksum(n: i32, at: usize, seed: i32): i32 {
  let a = i32x4(seed, seed + 1, seed + 2, seed + 3);
  let b = i32x4.add(a, i32x4.splat(4)), c = i32x4.add(a, i32x4.splat(8)), d = i32x4.add(a, i32x4.splat(12));
  for (const end = at + <usize>n; at < end; at += 64) {
    a = mix(a, v128.load(at));
    b = mix(b, v128.load(at, 16));
    c = mix(c, v128.load(at, 32));
    d = mix(d, v128.load(at, 48));
  }
  return fold(fold(fold(fold(n, a), b), c), d);
}

// @ts-ignore: decorator
@inline
function mix(h: v128, word: v128): v128 {
  const product = i32x4.mul(v128.xor(h, word), i32x4.splat(0x9e3779b1));
  return v128.xor(product, i32x4.shr_u(product, 15));
}

// @ts-ignore: decorator
@inline
function fold(h: u32, x: v128): u32 {
  h = mixWord(h, i32x4.extract_lane(x, 0));
  h = mixWord(h, i32x4.extract_lane(x, 1));
  h = mixWord(h, i32x4.extract_lane(x, 2));
  return mixWord(h, i32x4.extract_lane(x, 3));
}

// @ts-ignore: decorator
@inline
function mixWord(h: u32, word: u32): u32 {
  const product = (h ^ word) * 0x9e3779b1;
  return product ^ (product >> 15);
}
