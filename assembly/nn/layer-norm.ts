// Layer normalization of rows of n, as torch.nn.LayerNorm computes it, in float32:
//
//   h = (x − mean)·r,  r = 1/√(variance + ε)          y = h·w + b
//   dx = r·(e − mean e − h·mean(e·h)),  e = dy·w      dw = Σ dy·h and db = Σ dy over the rows in order
//
// Means are of two vectors of sums over the row's whole eights, then its rest in order. `stats` keeps mean and r of each row.
import { firstOf, lastOf } from "../products/parts";
import { storeChannels } from "./channels";
import { sumOf } from "./math";

// The mask of the valid lanes of four of n.
// @ts-ignore: decorator
@inline
function valid(n: i32): v128 {
  return i32x4.gt_s(i32x4.splat(n), i32x4(0, 1, 2, 3));
}

export function layerNorm(rows: i32, n: i32, epsilon: f32, x: usize, w: usize, b: usize, y: usize, stats: usize): void {
  const bytes = <usize>n << 2, size = <f32>n;
  for (let row = firstOf(rows), last = lastOf(rows); row < last; row++) {
    const from = x + <usize>row * bytes, to = y + <usize>row * bytes, kept = stats + (<usize>row << 3);
    let s = f32x4.splat(0), t = s;
    let i = n, at = from;
    for (; i >= 8; i -= 8, at += 32) s = f32x4.add(s, v128.load(at)), t = f32x4.add(t, v128.load(at, 16));
    for (; i > 0; i -= 4, at += 16) s = f32x4.add(s, v128.and(v128.load(at), valid(i)));
    const mean = sumOf(f32x4.add(s, t)) / size, m = f32x4.splat(mean);
    s = f32x4.splat(0), t = s;
    for (i = n, at = from; i >= 8; i -= 8, at += 32) {
      const c = f32x4.sub(v128.load(at), m), d = f32x4.sub(v128.load(at, 16), m);
      s = f32x4.add(s, f32x4.mul(c, c)), t = f32x4.add(t, f32x4.mul(d, d));
    }
    for (; i > 0; i -= 4, at += 16) {
      const c = v128.and(f32x4.sub(v128.load(at), m), valid(i));
      s = f32x4.add(s, f32x4.mul(c, c));
    }
    const r: f32 = <f32>1 / sqrt<f32>(sumOf(f32x4.add(s, t)) / size + epsilon), factor = f32x4.splat(r);
    store<f32>(kept, mean), store<f32>(kept, r, 4);
    for (i = n, at = 0; i > 0; i -= 4, at += 16) {
      const h = f32x4.mul(f32x4.sub(v128.load(from + at), m), factor);
      storeChannels(i, to + at, f32x4.add(f32x4.mul(h, v128.load(w + at)), v128.load(b + at)));
    }
  }
}

export function layerNormInput(rows: i32, n: i32, x: usize, w: usize, stats: usize, dy: usize, dx: usize): void {
  const bytes = <usize>n << 2, size = <f32>n;
  for (let row = firstOf(rows), last = lastOf(rows); row < last; row++) {
    const offset = <usize>row * bytes, kept = stats + (<usize>row << 3), from = x + offset, d = dy + offset, to = dx + offset;
    const m = v128.load32_splat(kept), r = v128.load32_splat(kept, 4);
    let s = f32x4.splat(0), t = s;
    let i = n, at: usize = 0;
    for (; i >= 4; i -= 4, at += 16) {
      const e = f32x4.mul(v128.load(d + at), v128.load(w + at));
      const h = f32x4.mul(f32x4.sub(v128.load(from + at), m), r);
      s = f32x4.add(s, e), t = f32x4.add(t, f32x4.mul(e, h));
    }
    if (i) {
      const e = f32x4.mul(v128.load(d + at), v128.load(w + at));
      const h = f32x4.mul(f32x4.sub(v128.load(from + at), m), r);
      s = f32x4.add(s, v128.and(e, valid(i))), t = f32x4.add(t, v128.and(f32x4.mul(e, h), valid(i)));
    }
    const es = f32x4.splat(sumOf(s) / size), hs = f32x4.splat(sumOf(t) / size);
    for (i = n, at = 0; i > 0; i -= 4, at += 16) {
      const e = f32x4.mul(v128.load(d + at), v128.load(w + at));
      const h = f32x4.mul(f32x4.sub(v128.load(from + at), m), r);
      storeChannels(i, to + at, f32x4.mul(r, f32x4.sub(f32x4.sub(e, es), f32x4.mul(h, hs))));
    }
  }
}

// Threads divide the columns.
export function layerNormWeight(rows: i32, n: i32, x: usize, stats: usize, dy: usize, dw: usize, db: usize): void {
  const bytes = <usize>n << 2, end = stats + (<usize>rows << 3), vectors = (n + 3) >> 2;
  for (let v = firstOf(vectors), last = lastOf(vectors); v < last; v++) {
    const i = n - (v << 2), column = <usize>v << 4;
    let s = f32x4.splat(0), t = s;
    for (let kept = stats, from = x + column, d = dy + column; kept < end; kept += 8, from += bytes, d += bytes) {
      const g = v128.load(d);
      const h = f32x4.mul(f32x4.sub(v128.load(from), v128.load32_splat(kept)), v128.load32_splat(kept, 4));
      s = f32x4.add(s, f32x4.mul(g, h)), t = f32x4.add(t, g);
    }
    storeChannels(i, dw + column, s), storeChannels(i, db + column, t);
  }
}
