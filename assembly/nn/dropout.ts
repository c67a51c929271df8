// Inverted dropout: y = x·scale where the element is kept, else x·0. Whether it is kept depends only on a key, made of seed, step
// and layer (src/nn/layers/dropout.ts), and on the element's index in PyTorch's order: the gradient draws the same again, and so
// does every thread.
//
//   h = mix(index·0x9e3779b1 + key) ≥ threshold      mix: Wellons' and degski's integer hash with the least bias
import { firstOf, lastOf } from "../products/parts";
import { storeChannels } from "./channels";

// x [rows, positions, channels], whose elements count as [rows, channels, positions]. y may be x.
export function dropout(
  rows: i32, positions: i32, channels: i32, key: u32, threshold: u32, scale: f32, x: usize, y: usize,
): void {
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
    for (let c = channels, i: usize = 0; c > 0; c -= 4, i += 16, h = i32x4.add(h, next))
      storeChannels(c, y + i, kept(h, v128.load(x + i), factor, least));
    x += bytes, y += bytes;
  }
}

// @ts-ignore: decorator
@inline
function kept(h: v128, x: v128, factor: v128, least: v128): v128 {
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x21f0aaad));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), i32x4.splat(0x735a2d97));
  return f32x4.mul(x, v128.and(factor, i32x4.ge_u(v128.xor(h, i32x4.shr_u(h, 15)), least)));
}
