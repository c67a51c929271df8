// Adan (Xie et al. 2022, arXiv:2208.06677). For one vector, one rounding per operation, in this order:
//   x = gs·g                                   (coupled decay: + wd·θ)
//   y = kd·(x + h), h = −x                     h: minus the previous gradient; kd = 0 on a tensor's first step, 1 later
//   m = b1·m + a1·x                            aᵢ = 1 − βᵢ
//   w = b2·w + a2·y
//   z = x + b2·y
//   v = b3·v + a3·(z·z)
//   θ = θ − (s1·m + s2·w) / (√v·k + e)         (decoupled decay: θ − (dec·θ + …))
// Decay divides by 1 + lr·λ after the update: s1 = lr/(1 − β₁ᵗ)/(1 + lr·λ), s2 = lr·β₂/(1 − β₂ᵗ)/(1 + lr·λ),
// dec = lr·λ/(1 + lr·λ); k = 1/√(1 − β₃ᵗ), e = ε.
import { Absent, Moves, Present, average, gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class Adan {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, w: usize, v: usize, h: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, b3: v128, a3: v128, kd: v128, s1: v128, s2: v128, k: v128, e: v128, _: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const y = f32x4.mul(kd, f32x4.add(x, v128.load(h)));
    v128.store(h, f32x4.neg(x));
    const m1 = average(b1, m, a1, x);
    const w1 = average(b2, w, a2, y);
    const z = f32x4.add(x, f32x4.mul(b2, y));
    const v1 = average(b3, v, a3, f32x4.mul(z, z));
    const u = f32x4.add(f32x4.mul(s1, m1), f32x4.mul(s2, w1));
    return f32x4.div(u, f32x4.add(f32x4.mul(f32x4.sqrt(v1), k), e));
  }
}

export function adan(
  n: i32, p: usize, g: usize, m: usize, w: usize, v: usize, h: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, b3: f32, a3: f32, kd: f32, s1: f32, s2: f32, k: f32, e: f32,
): void {
  sweep<Adan, Moves, Absent, Absent, Present>(n, p, g, m, w, v, gs, wd, dec, b1, a1, b2, a2, b3, a3, kd, s1, s2, k, e, 0, h);
}
