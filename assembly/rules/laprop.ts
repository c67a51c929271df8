// LaProp (Ziyin, Wang, Ueda 2020, arXiv:2002.04839). For one vector, one rounding per operation, in this order:
//   x = gs·g                        (coupled decay: + wd·θ)
//   v = b2·v + a2·(x·x)             a2 = 1 − β₂
//   m = b1·m + a1·(x / (√v·k + e))  a1 = lr·(1 − β₁): the rate is inside the moment
//   θ = θ − s·m                     (decoupled decay: θ − (dec·θ + …))
// l₁ and l₂ are 0 at first; a step begins with l₁ = β₁l₁ + (1 − β₁)·lr, l₂ = β₂l₂ + (1 − β₂), in float64. k = 1/√l₂, e = ε,
// s = lr/l₁·(1 − dec), since the decay is of the moved θ; 0 where l₁ is 0.
// `lapropUpdate` writes s·m to u and leaves θ: see cautious.ts.
import { Becomes, Float32, Positive, average, gradient } from "../lane";
import { pass, sweep } from "../sweep";

@unmanaged
class LaProp {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, v: usize, _2: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, k: v128, e: v128, s: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const v1 = average<Float32, Positive>(b2, v, a2, f32x4.mul(x, x));
    const q = f32x4.div(x, f32x4.add(f32x4.mul(f32x4.sqrt(v1), k), e));
    return f32x4.mul(s, average(b1, m, a1, q));
  }
}

export function laprop(
  n: i32, p: usize, g: usize, m: usize, v: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, k: f32, e: f32, s: f32,
): void {
  sweep<LaProp>(n, p, g, m, v, 0, gs, wd, dec, b1, a1, b2, a2, k, e, s);
}

export function lapropUpdate(
  n: i32, u: usize, g: usize, m: usize, v: usize, gs: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, k: f32, e: f32, s: f32,
): void {
  pass<LaProp, Becomes>(n, u, g, m, v, 0, gs, 0, b1, a1, b2, a2, k, e, s);
}
