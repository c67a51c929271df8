// ADOPT (Taniguchi et al. 2024, arXiv:2411.02853). For one vector, one rounding per operation, in this order:
//   x = gs·g                                            (coupled decay: + wd·θ)
//   u = min(max(x / max(√v, e), −clip), clip)           with the old v; e = ε
//   m = b1·m + a1·u                                     a1 = 1 − β₁
//   v = b2·v + a2·(x·x)                                 a2 = 1 − β₂
//   θ = θ − s·m                                         (decoupled decay: θ − (dec·θ + s·m)); s = lr
// pmin and pmax (one instruction each) keep a NaN that is their first operand.
// clip = (t − 1)^clipExponent. A tensor's first step only sets v: there clip = 0, b2 = 0, a2 = 1.
import { average, gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class ADOPT {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, v: usize, _2: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, clip: v128, e: v128, s: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const ratio = f32x4.div(x, f32x4.pmax(f32x4.sqrt(v128.load(v)), e));
    const m1 = average(b1, m, a1, f32x4.pmin(f32x4.pmax(ratio, f32x4.neg(clip)), clip));
    average(b2, v, a2, f32x4.mul(x, x));
    return f32x4.mul(s, m1);
  }
}

export function adopt(
  n: i32, p: usize, g: usize, m: usize, v: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, clip: f32, e: f32, s: f32,
): void {
  sweep<ADOPT>(n, p, g, m, v, 0, gs, wd, dec, b1, a1, b2, a2, clip, e, s);
}
