// Reductions of a vector to one number, and simple operations on whole vectors.
//
// Sums are taken in float64, where squares of float32 cannot overflow, and in one fixed order. A tensor is cut into blocks
// of 16,384 elements. In a block, element i of the whole groups of eight is added to sum i mod 8, in order of i, and the
// elements that are left over are added up in order by themselves; the block's sum is
//   (((l0 + l2) + (l4 + l6)) + ((l1 + l3) + (l5 + l7))) + left
// and the blocks are added in order. So a sum does not depend on the number of threads.
// Reductions take the true length and read nothing beyond it: padding may hold anything.

import { BLOCK } from "../layout/reductions";

// The terms of the sums: `pair` of two neighbouring elements, `one` of one. Each reads what it needs at the addresses; `c` is a
// number that all have in common.

@unmanaged
class Squares {
  // @ts-ignore: decorator
  @inline
  pair(x: usize, y: usize, z: usize, _: f64): v128 {
    const v = low(x);
    return f64x2.mul(v, v);
  }
  // @ts-ignore: decorator
  @inline
  one(x: usize, y: usize, z: usize, _: f64): f64 {
    const v = <f64>load<f32>(x);
    return v * v;
  }
}

@unmanaged
class Magnitudes {
  // @ts-ignore: decorator
  @inline
  pair(x: usize, y: usize, z: usize, _: f64): v128 {
    return f64x2.abs(low(x));
  }
  // @ts-ignore: decorator
  @inline
  one(x: usize, y: usize, z: usize, _: f64): f64 {
    return Math.abs(<f64>load<f32>(x));
  }
}

@unmanaged
class Products {
  // @ts-ignore: decorator
  @inline
  pair(x: usize, y: usize, z: usize, _: f64): v128 {
    return f64x2.mul(low(x), low(y));
  }
  // @ts-ignore: decorator
  @inline
  one(x: usize, y: usize, z: usize, _: f64): f64 {
    return <f64>load<f32>(x) * <f64>load<f32>(y);
  }
}

@unmanaged
class ProductsWithDifferences {
  // @ts-ignore: decorator
  @inline
  pair(x: usize, y: usize, z: usize, _: f64): v128 {
    const d = f32x4.sub(v128.load64_zero(y), v128.load64_zero(z));
    return f64x2.mul(low(x), f64x2.promote_low_f32x4(d));
  }
  // @ts-ignore: decorator
  @inline
  one(x: usize, y: usize, z: usize, _: f64): f64 {
    return <f64>load<f32>(x) * <f64>(load<f32>(y) - load<f32>(z));
  }
}

@unmanaged
class Elements {
  // @ts-ignore: decorator
  @inline
  pair(x: usize, y: usize, z: usize, _: f64): v128 {
    return low(x);
  }
  // @ts-ignore: decorator
  @inline
  one(x: usize, y: usize, z: usize, _: f64): f64 {
    return <f64>load<f32>(x);
  }
}

@unmanaged
class SquaredProducts {
  // @ts-ignore: decorator
  @inline
  pair(x: usize, y: usize, z: usize, _: f64): v128 {
    const v = f64x2.mul(low(x), low(y));
    return f64x2.mul(v, v);
  }
  // @ts-ignore: decorator
  @inline
  one(x: usize, y: usize, z: usize, _: f64): f64 {
    const v = <f64>load<f32>(x) * <f64>load<f32>(y);
    return v * v;
  }
}

@unmanaged
class Ratios {
  // @ts-ignore: decorator
  @inline
  pair(x: usize, y: usize, z: usize, c: f64): v128 {
    const v = low(x);
    return f64x2.div(f64x2.mul(v, v), f64x2.max(low(y), f64x2.splat(c)));
  }
  // @ts-ignore: decorator
  @inline
  one(x: usize, y: usize, z: usize, c: f64): f64 {
    const v = <f64>load<f32>(x);
    return (v * v) / max(<f64>load<f32>(y), c);
  }
}

// @ts-ignore: decorator
@inline
function low(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

// @ts-ignore: decorator
@inline
function sum<Term>(n: i32, x: usize, y: usize, z: usize, c: f64 = 0): f64 {
  let total: f64 = 0;
  for (; n > 0; n -= BLOCK) {
    const count = min(n, BLOCK);
    let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (const end = x + (<usize>(count & -8) << 2); x < end; x += 32, y += 32, z += 32) {
      s0 = f64x2.add(s0, changetype<Term>(0).pair(x, y, z, c));
      s1 = f64x2.add(s1, changetype<Term>(0).pair(x + 8, y + 8, z + 8, c));
      s2 = f64x2.add(s2, changetype<Term>(0).pair(x + 16, y + 16, z + 16, c));
      s3 = f64x2.add(s3, changetype<Term>(0).pair(x + 24, y + 24, z + 24, c));
    }
    const lanes = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
    let left: f64 = 0;
    for (let rest = count & 7; rest; rest--, x += 4, y += 4, z += 4) left += changetype<Term>(0).one(x, y, z, c);
    total += f64x2.extract_lane(lanes, 0) + f64x2.extract_lane(lanes, 1) + left;
  }
  return total;
}

// Σ x².
export function sumOfSquares(n: i32, x: usize): f64 {
  return sum<Squares>(n, x, x, x);
}

// Σ |x|.
export function sumOfAbs(n: i32, x: usize): f64 {
  return sum<Magnitudes>(n, x, x, x);
}

// Σ x·y.
export function dot(n: i32, x: usize, y: usize): f64 {
  return sum<Products>(n, x, y, y);
}

// Σ x·(y − z), the difference in float32.
export function dotDifference(n: i32, x: usize, y: usize, z: usize): f64 {
  return sum<ProductsWithDifferences>(n, x, y, z);
}

// Σ (x·y)².
export function sumOfSquaredProducts(n: i32, x: usize, y: usize): f64 {
  return sum<SquaredProducts>(n, x, y, y);
}

// Σ x²/max(y, least).
export function sumOfRatios(n: i32, x: usize, y: usize, least: f64): f64 {
  return sum<Ratios>(n, x, y, y, least);
}

// The largest |x|: 0 of no elements, NaN if one is NaN.
export function maxAbs(n: i32, x: usize): f32 {
  let most = f32x4.splat(0);
  const end = x + (<usize>n << 2);
  for (const whole = x + (<usize>(n & -4) << 2); x < whole; x += 16) most = f32x4.max(most, f32x4.abs(v128.load(x)));
  for (; x < end; x += 4) most = f32x4.max(most, f32x4.abs(v128.load32_splat(x)));
  return max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
}

// The index of the first element that is NaN or infinite, by itself or times c if c > 1; or −1.
export function firstNonFinite(n: i32, x: usize, c: f32): i32 {
  const start = x;
  const end = x + (<usize>n << 2);
  const factor = f32x4.pmax(f32x4.splat(1), f32x4.splat(c));
  for (const whole = x + (<usize>(n & -4) << 2); x < whole; x += 16) if (isAnyNonFinite(v128.load(x), factor)) break;
  for (; x < end; x += 4) if (isAnyNonFinite(v128.load32_splat(x), factor)) return <i32>((x - start) >> 2);
  return -1;
}

// @ts-ignore: decorator
@inline
function isAnyNonFinite(v: v128, factor: v128): bool {
  const scaled = f32x4.mul(factor, v);
  return v128.any_true(f32x4.ne(f32x4.sub(scaled, scaled), f32x4.splat(0)));
}

// Below, n is rounded up to whole vectors, and the padding is read and written like the elements. One rounding per operation.

// x ← c·x.
export function scale(n: i32, x: usize, c: f32): void {
  const v = f32x4.splat(c);
  for (const end = x + (<usize>n << 2); x < end; x += 16) v128.store(x, f32x4.mul(v, v128.load(x)));
}

// x ← min(max(x, −limit), limit); NaN stays.
export function clamp(n: i32, x: usize, limit: f32): void {
  const high = f32x4.splat(limit), low = f32x4.splat(-limit);
  for (const end = x + (<usize>n << 2); x < end; x += 16) {
    v128.store(x, f32x4.min(f32x4.max(v128.load(x), low), high));
  }
}

// x ← x + w·(y − x).
export function approach(n: i32, x: usize, y: usize, w: f32): void {
  const v = f32x4.splat(w);
  for (const end = x + (<usize>n << 2); x < end; x += 16, y += 16) {
    const from = v128.load(x);
    v128.store(x, f32x4.add(from, f32x4.mul(v, f32x4.sub(v128.load(y), from))));
  }
}

// x ← x + c·y.
export function addScaled(n: i32, x: usize, y: usize, c: f32): void {
  const v = f32x4.splat(c);
  for (const end = x + (<usize>n << 2); x < end; x += 16, y += 16) {
    v128.store(x, f32x4.add(v128.load(x), f32x4.mul(v, v128.load(y))));
  }
}

// x ← x + c·(x²·y).
export function climb(n: i32, x: usize, y: usize, c: f32): void {
  const v = f32x4.splat(c);
  for (const end = x + (<usize>n << 2); x < end; x += 16, y += 16) {
    const from = v128.load(x);
    v128.store(x, f32x4.add(from, f32x4.mul(v, f32x4.mul(f32x4.mul(from, from), v128.load(y)))));
  }
}

// x ← y, y ← x.
export function exchange(n: i32, x: usize, y: usize): void {
  for (const end = x + (<usize>n << 2); x < end; x += 16, y += 16) {
    const from = v128.load(x);
    v128.store(x, v128.load(y));
    v128.store(y, from);
  }
}

// x ← 0 where |x| < 2⁻¹²⁶: denormals, which slow arithmetic down, become zeros.
export function flushDenormals(n: i32, x: usize): void {
  const least = f32x4.splat(1.1754943508222875e-38);
  for (const end = x + (<usize>n << 2); x < end; x += 16) {
    const v = v128.load(x);
    v128.store(x, v128.andnot(v, f32x4.lt(f32x4.abs(v), least)));
  }
}

// Below, what follows the n elements is not touched: rows of a tensor need not be whole vectors.

// x ← x − c·y.
export function project(n: i32, x: usize, y: usize, c: f32): void {
  const v = f32x4.splat(c);
  const end = x + (<usize>n << 2);
  for (const whole = x + (<usize>(n & -4) << 2); x < whole; x += 16, y += 16) {
    v128.store(x, f32x4.sub(v128.load(x), f32x4.mul(v, v128.load(y))));
  }
  for (; x < end; x += 4, y += 4) store<f32>(x, load<f32>(x) - c * load<f32>(y));
}

// x ← x − mean of x, for each of `rows` rows of n elements; the mean is the float64 sum divided by n.
export function centralize(rows: i32, n: i32, x: usize): void {
  for (; rows > 0; rows--) {
    const mean = <f32>(sum<Elements>(n, x, x, x) / <f64>n);
    const v = f32x4.splat(mean);
    const end = x + (<usize>n << 2);
    for (const whole = x + (<usize>(n & -4) << 2); x < whole; x += 16) v128.store(x, f32x4.sub(v128.load(x), v));
    for (; x < end; x += 4) store<f32>(x, load<f32>(x) - mean);
  }
}
