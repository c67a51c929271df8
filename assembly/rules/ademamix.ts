// AdEMAMix (Pagliardini, Ablin, Grangier 2024, arXiv:2409.03137). For one vector, one rounding per operation, in this order:
//   x = gs·g                                   (coupled decay: + wd·θ)
//   m = b1·m + a1·x                            aᵢ = 1 − βᵢ
//   w = b3·w + a3·x
//   v = b2·v + a2·(x·x)
//   θ = θ − (s1·m + s2·w) / (√v·k + e)         (decoupled decay: θ − (dec·θ + …))
// s1 = lr/(1 − β₁ᵗ), s2 = lr·α: the slow moment is not corrected; k = 1/√(1 − β₂ᵗ), e = ε.
import { Absent, Moves, Present, average, gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class AdEMAMix {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, w: usize, v: usize, _3: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, b3: v128, a3: v128, s1: v128, s2: v128, k: v128, e: v128, _10: v128, _11: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const m1 = average(b1, m, a1, x);
    const w1 = average(b3, w, a3, x);
    const v1 = average(b2, v, a2, f32x4.mul(x, x));
    const u = f32x4.add(f32x4.mul(s1, m1), f32x4.mul(s2, w1));
    return f32x4.div(u, f32x4.add(f32x4.mul(f32x4.sqrt(v1), k), e));
  }
}

export function ademamix(
  n: i32, p: usize, g: usize, m: usize, w: usize, v: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, b3: f32, a3: f32, s1: f32, s2: f32, k: f32, e: f32,
): void {
  sweep<AdEMAMix, Moves, Absent, Absent, Present>(n, p, g, m, w, v, gs, wd, dec, b1, a1, b2, a2, b3, a3, s1, s2, k, e);
}
