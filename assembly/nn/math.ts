// exp, the logistic function σ and tanh of four float32, and ln of a float64, from basic operations that round one by one:
// the same bits on every engine. The polynomials of exp and tanh are Moshier's (Cephes, expf and tanhf).
// The error is within 2 ulp (exp, tanh) and 3 ulp (σ) over the whole range, denormal results included; only NaN gives NaN.

// @ts-ignore: decorator
@inline
function add(a: v128, b: v128): v128 {
  return f32x4.add(a, b);
}

// @ts-ignore: decorator
@inline
function mul(a: v128, b: v128): v128 {
  return f32x4.mul(a, b);
}

// p·x + c, a step of Horner's scheme.
// @ts-ignore: decorator
@inline
export function horner(p: v128, x: v128, c: f32): v128 {
  return add(mul(p, x), f32x4.splat(c));
}

// 2ⁿ for whole n in [−126, 127].
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

// eʳ − 1 for |r| ≤ ½·ln 2.
// @ts-ignore: decorator
@inline
function nearOne(r: v128): v128 {
  let p = horner(f32x4.splat(1.9875691500e-4), r, 1.3981999507e-3);
  p = horner(p, r, 8.3334519073e-3);
  p = horner(p, r, 4.1665795894e-2);
  p = horner(p, r, 1.6666665459e-1);
  p = horner(p, r, 5.0000001201e-1);
  return add(mul(p, mul(r, r)), r);
}

// x − n·ln 2, where ln 2 is subtracted in two parts, the first of them exact.
// @ts-ignore: decorator
@inline
function reduced(x: v128, n: v128): v128 {
  return f32x4.sub(f32x4.sub(x, mul(n, f32x4.splat(0.693359375))), mul(n, f32x4.splat(-2.12194440e-4)));
}

// eˣ = 2ⁿ·eʳ with n = nearest(x·log₂e) and r = x − n·ln 2.
// 2ⁿ is multiplied in two halves, so that denormal results and overflow are rounded correctly.
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104)), f32x4.splat(89));
  const n = f32x4.nearest(mul(x, f32x4.splat(1.44269504)));
  const r = reduced(x, n);
  const p = add(nearOne(r), f32x4.splat(1));
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  return mul(mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

// eˣ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1) for x ≤ 0, also where eˣ is near 1.
// @ts-ignore: decorator
@inline
export function expm1(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-80)), f32x4.splat(0));
  const n = f32x4.nearest(mul(x, f32x4.splat(1.44269504)));
  const scale = powerOfTwo(i32x4.trunc_sat_f32x4_s(n));
  return add(mul(scale, nearOne(reduced(x, n))), f32x4.sub(scale, f32x4.splat(1)));
}

// σ(x) = 1/(1 + e) for x ≥ 0 and e/(1 + e) below, with e = e^−|x|.
// @ts-ignore: decorator
@inline
export function logistic(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = exp(f32x4.neg(f32x4.abs(x)));
  return f32x4.div(v128.bitselect(one, e, f32x4.ge(x, f32x4.splat(0))), add(one, e));
}

// tanh x = x + (P(z)·z)·x with z = x² for |x| < 0.625, otherwise ±(1 − 2/(e^2|x| + 1)).
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const z = mul(x, x);
  let p = horner(f32x4.splat(-5.70498872745e-3), z, 2.06390887954e-2);
  p = horner(p, z, -5.37397155531e-2);
  p = horner(p, z, 1.33314422036e-1);
  p = horner(p, z, -3.33332819422e-1);
  const near = add(mul(mul(p, z), x), x);
  const size = f32x4.abs(x);
  const one = f32x4.splat(1);
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), add(exp(add(size, size)), one)));
  const signed = v128.or(far, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(near, signed, f32x4.lt(size, f32x4.splat(0.625)));
}

// ln x of a normal x > 0: x = 2ᵏ·m with m in [√½, √2), and ln m = 2f·(1 + f²/3 + f⁴/5 + … + f²⁰/21), f = (m − 1)/(m + 1).
// Within 1e-15. NaN and +∞ stay.
export function log(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<u64>(x);
  // The addend, the bits of 1 minus those of √½, carries into the exponent exactly where x ≥ 2ᵏ·√2.
  const k = <i64>((bits + 0x00095f619980c433) >> 52) - 1023;
  const m = reinterpret<f64>(bits - (<u64>k << 52));
  const f = (m - 1) / (m + 1);
  const z = f * f;
  let p = 0.0;
  for (let odd = 21.0; odd >= 1; odd -= 2) p = p * z + 1 / odd;
  return <f64>k * 0.6931471805599453 + 2 * f * p;
}

// The largest of the numbers before `end`; of NaN the first is returned, if it comes first, and others are passed over.
export function maximum(from: usize, end: usize): f32 {
  let largest = load<f32>(from);
  for (; from < end; from += 4) {
    const x = load<f32>(from);
    largest = x > largest ? x : largest;
  }
  return largest;
}

// The sum of four, in pairs.
export function sumOf(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}
