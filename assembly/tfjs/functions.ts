// y = f(x) of n floats, for functions that the backend computes one float at a time.
import { exp, expm1, horner, tanh } from "../nn/math";
import { loadChannels, storeChannels } from "./channels";

/** The numbers of the functions: see src/tfjs/wasm/functions.ts. */
const TANH = 0, ERF = 1, EXP = 2, SQRT = 3;

export function apply(n: i32, name: i32, x: usize, y: usize): void {
  for (; n > 0; n -= 4, x += 16, y += 16) {
    let value = loadChannels(n, x);
    switch (name) {
      case TANH: value = tanh(value); break;
      case ERF: value = erf(value); break;
      case EXP: value = exp(value); break;
      case SQRT: value = f32x4.sqrt(value); break;
    }
    storeChannels(n, y, value);
  }
}

// erf x = ±(1 − g·e^−x²), g = t·P(t), t = 1/(1 + p|x|): Abramowitz and Stegun, 7.1.26, as TensorFlow.js has it. Where the
// difference is small it is (1 − g) − g·(e^−x² − 1), with 1 − g as a polynomial in u = 1 − t.
// @ts-ignore: decorator
@inline
function erf(x: v128): v128 {
  const one = f32x4.splat(1), size = f32x4.abs(x), scaled = f32x4.mul(size, f32x4.splat(0.3275911));
  const t = f32x4.div(one, f32x4.add(one, scaled)), u = f32x4.mul(scaled, t), power = f32x4.neg(f32x4.mul(x, x));
  let p = horner(f32x4.splat(1.061405429), t, -1.453152027);
  p = horner(p, t, 1.421413741);
  p = horner(p, t, -0.284496736);
  p = horner(p, t, 0.254829592);
  const g = f32x4.mul(p, t);
  let q = horner(f32x4.splat(1.061405429), u, -3.853875118);
  q = horner(q, u, 6.222859923);
  q = horner(q, u, -5.874886615);
  q = horner(q, u, 3.44449638);
  q = horner(q, u, 1e-9);
  const near = f32x4.sub(q, f32x4.mul(g, expm1(power))), far = f32x4.sub(one, f32x4.mul(g, exp(power)));
  return v128.or(v128.bitselect(near, far, f32x4.lt(size, f32x4.splat(0.5))), v128.and(x, i32x4.splat(0x80000000)));
}
