// D-Adaptation's Adam (Defazio, Mishchenko 2023, arXiv:2301.07733), in two passes over all tensors. The first, for one
// vector, one rounding per operation, in this order:
//   x = gs·g                        (coupled decay: + wd·θ)
//   y = h / (√v + e)                of the old h and v; 0 where h is 0
//   m = b1·m + a1·x                 a1 = κ·(1 − β₁), κ = d·lr
//   v = b2·v + a2·(x·x)             a2 = 1 − β₂
//   h = b3·h + a3·x                 b3 = √β₂, a3 = κ·(1 − √β₂)
// and float64 sums in the order of step/reductions.ts, over the tensors in the order of their addresses:
//   N = Σ κ·(gs·Σ g·y + wd·Σ θ·y),  S = Σ Σ|h|
// The new d is computed from N and S (see src/rules/dadaptadam.ts). The second pass, unless S is 0, is Prodigy's, with the
// old d in κ:
//   θ = θ − m / (√v + e)            (decoupled decay: θ − (dec·θ + …)); dec = κ·λ
import { Absent, Coupled, Float32, Positive, Present, Stored, average, gradient } from "../lane";
import { pass } from "../sweep";

@unmanaged
class DAdaptAdam {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, v: usize, h: usize, y: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, b3: v128, a3: v128, e: v128, _7: v128,
    _8: v128, _9: v128, _10: v128, _11: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const h0 = v128.load(h);
    const q = f32x4.div(h0, f32x4.add(f32x4.sqrt(v128.load(v)), e));
    v128.store(y, v128.andnot(q, f32x4.eq(h0, f32x4.splat(0))));
    average(b1, m, a1, x);
    average<Float32, Positive>(b2, v, a2, f32x4.mul(x, x));
    return average(b3, h, a3, x);
  }
}

export function dadaptadam(
  n: i32, p: usize, g: usize, m: usize, v: usize, h: usize, y: usize, gs: f32, wd: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, b3: f32, a3: f32, e: f32,
): void {
  if (wd != 0) pass<DAdaptAdam, Stored, Coupled, Present>(n, p, g, m, v, h, gs, wd, b1, a1, b2, a2, b3, a3, e, 0, y);
  else pass<DAdaptAdam, Stored, Absent, Present>(n, p, g, m, v, h, gs, 0, b1, a1, b2, a2, b3, a3, e, 0, y);
}
