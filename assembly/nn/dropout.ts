// Inverted dropout: y = x·scale where the element is kept, else 0. Whether it is kept depends only on a key, made of seed, step
// and layer, and on the element's index in PyTorch's order: the gradient draws the same again, and so does every thread.
//
//   h = mix(index·0x9e3779b1 + key) ≥ threshold      mix: Wellons' and degski's integer hash with the least bias
import { firstOf, lastOf } from "../products/parts";

function mixed(h: u32): u32 {
  h = (h ^ (h >> 16)) * 0x21f0aaad;
  h = (h ^ (h >> 15)) * 0x735a2d97;
  return h ^ (h >> 15);
}

// x [rows, positions, channels], whose elements count as [rows, channels, positions]. y may be x.
export function dropout(
  rows: i32, positions: i32, channels: i32, seedLow: u32, seedHigh: u32, step: u32, layer: u32, threshold: u32, scale: f32,
  x: usize, y: usize,
): void {
  const key = mixed(mixed(mixed(mixed(seedLow) + seedHigh) + step) + layer);
  const first = firstOf(rows * positions), last = lastOf(rows * positions);
  const increment: u32 = 0x9e3779b1;
  const step1 = <u32>positions * increment;
  const lanes = i32x4(0, step1, 2 * step1, 3 * step1), next = i32x4.splat(4 * step1);
  const least = i32x4.splat(threshold), factor = f32x4.splat(scale);
  const bytes = <usize>channels << 2;
  x += <usize>first * bytes, y += <usize>first * bytes;
  for (let at = first; at < last; at++) {
    const row = at / positions;
    let h = i32x4.add(i32x4.splat(<u32>(row * channels * positions + at - row * positions) * increment + key), lanes);
    let c = channels;
    for (; c >= 4; c -= 4, x += 16, y += 16, h = i32x4.add(h, next)) v128.store(y, kept(h, v128.load(x), factor, least));
    if (!c) continue;
    const z = kept(h, f32x4(load<f32>(x), c > 1 ? load<f32>(x, 4) : 0, c > 2 ? load<f32>(x, 8) : 0, 0), factor, least);
    v128.store32_lane(y, z, 0);
    if (c > 1) v128.store32_lane(y, z, 1, 4);
    if (c > 2) v128.store32_lane(y, z, 2, 8);
    x += <usize>c << 2, y += <usize>c << 2;
  }
}

// @ts-ignore: decorator
@inline
function kept(h: v128, x: v128, factor: v128, least: v128): v128 {
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x21f0aaad));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), i32x4.splat(0x735a2d97));
  return v128.and(f32x4.mul(x, factor), i32x4.ge_u(v128.xor(h, i32x4.shr_u(h, 15)), least));
}
