// Sums over the middle axis: y[i, j] = Σ x[i, k, j] over k, for x [outer, n, inner]. The sums are in float64, since a sum may
// be much smaller than its terms.
import { loadChannels, storeChannels } from "./channels";

export function sum(outer: i32, n: i32, inner: i32, x: usize, y: usize): void {
  const bytes = <usize>inner << 2;
  for (; outer; outer--, x += <usize>n * bytes, y += bytes) {
    if (inner == 1) store<f32>(y, sumRow(n, x));
    else sumColumns(n, inner, x, y);
  }
}

// @ts-ignore: decorator
@inline
function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}
// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(x, x, 1, 0));
}
// @ts-ignore: decorator
@inline
function joined(low: v128, high: v128): v128 {
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

function sumRow(n: i32, x: usize): f32 {
  let a = f64x2.splat(0), b = a, c = a, d = a;
  for (; n >= 8; n -= 8, x += 32) {
    const p = v128.load(x), q = v128.load(x, 16);
    a = f64x2.add(a, low(p)), b = f64x2.add(b, high(p)), c = f64x2.add(c, low(q)), d = f64x2.add(d, high(q));
  }
  for (; n > 0; n -= 4, x += 16) {
    const p = loadChannels(n, x);
    a = f64x2.add(a, low(p)), b = f64x2.add(b, high(p));
  }
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return <f32>(f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1));
}

function sumColumns(n: i32, inner: i32, x: usize, y: usize): void {
  const bytes = <usize>inner << 2, end = x + <usize>n * bytes, zero = f64x2.splat(0);
  let left = inner;
  for (; left >= 12; left -= 12, x += 48, y += 48) {
    let a = zero, b = zero, c = zero, d = zero, e = zero, f = zero;
    for (let row = x; row < end; row += bytes) {
      const p = v128.load(row), q = v128.load(row, 16), r = v128.load(row, 32);
      a = f64x2.add(a, low(p)), b = f64x2.add(b, high(p)), c = f64x2.add(c, low(q)), d = f64x2.add(d, high(q));
      e = f64x2.add(e, low(r)), f = f64x2.add(f, high(r));
    }
    v128.store(y, joined(a, b)), v128.store(y, joined(c, d), 16), v128.store(y, joined(e, f), 32);
  }
  for (; left > 0; left -= 4, x += 16, y += 16) {
    let a = zero, b = zero;
    for (let row = x; row < end; row += bytes) {
      const p = loadChannels(left, row);
      a = f64x2.add(a, low(p)), b = f64x2.add(b, high(p));
    }
    storeChannels(left, y, joined(a, b));
  }
}
