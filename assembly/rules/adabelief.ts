// AdaBelief (Zhuang et al. 2020, arXiv:2010.07468). For one vector, one rounding per operation, in this order:
//   x = gs·g                              (coupled decay: + wd·θ)
//   m = b1·m + a1·x                       a1 = 1 − β₁
//   y = x − m                             with the new m
//   v = (b2·v + a2·(y·y)) + e             a2 = 1 − β₂; ε enters v at every step
//   θ = θ − (s·m) / (√v·k + e)            (decoupled decay: θ − (dec·θ + …))
// s = lr/(1 − β₁ᵗ), k = 1/√(1 − β₂ᵗ), e = ε.
import { average, gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class AdaBelief {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, v: usize, _2: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, s: v128, k: v128, e: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const m1 = average(b1, m, a1, x);
    const y = f32x4.sub(x, m1);
    const v1 = f32x4.add(f32x4.add(f32x4.mul(b2, v128.load(v)), f32x4.mul(a2, f32x4.mul(y, y))), e);
    v128.store(v, v1);
    return f32x4.div(f32x4.mul(s, m1), f32x4.add(f32x4.mul(f32x4.sqrt(v1), k), e));
  }
}

export function adabelief(
  n: i32, p: usize, g: usize, m: usize, v: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, s: f32, k: f32, e: f32,
): void {
  sweep<AdaBelief>(n, p, g, m, v, 0, gs, wd, dec, b1, a1, b2, a2, s, k, e);
}
