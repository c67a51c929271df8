// AdaBound (Luo, Xiong, Liu, Sun 2019, arXiv:1902.09843). For one vector, one rounding per operation, in this order:
//   x = gs·g                              (coupled decay: + wd·θ)
//   m = b1·m + a1·x                       a1 = 1 − β₁
//   v = b2·v + a2·(x·x)                   a2 = 1 − β₂
//   h = max(h, v)                         AMSBound only; otherwise h is v
//   r = min(max(s / (√h + e), lo), hi)    lo where the quotient is NaN
//   θ = θ − r·m                           (decoupled decay: θ − (dec·θ + …))
// s = lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ), e = ε, lo = f·(1 − 1/(γt + 1)), hi = f·(1 + 1/(γt)), f = finalLr·lr/lr₀.
import { Absent, Float32, Positive, Present, average, gradient, has } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class AdaBound<Max> {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, v: usize, h: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, s: v128, e: v128, lo: v128, hi: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    let v1 = average<Float32, Positive>(b2, v, a2, f32x4.mul(x, x));
    const m1 = average(b1, m, a1, x);
    if (has<Max>()) {
      v1 = f32x4.pmax(v1, v128.load(h)); // a NaN in v is there for good, so in h too
      v128.store(h, v1);
    }
    const r = f32x4.div(s, f32x4.add(f32x4.sqrt(v1), e));
    return f32x4.mul(f32x4.pmin(hi, f32x4.pmax(lo, r)), m1);
  }
}

export function adabound(
  n: i32, p: usize, g: usize, m: usize, v: usize, h: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, s: f32, e: f32, lo: f32, hi: f32,
): void {
  if (h) sweep<AdaBound<Present>>(n, p, g, m, v, h, gs, wd, dec, b1, a1, b2, a2, s, e, lo, hi);
  else sweep<AdaBound<Absent>>(n, p, g, m, v, 0, gs, wd, dec, b1, a1, b2, a2, s, e, lo, hi);
}
