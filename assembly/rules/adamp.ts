// AdamP (Heo et al. 2021, arXiv:2006.08217). For one vector, one rounding per operation, in this order:
//   x = gs·g
//   m = b1·m + a1·x                       a1 = 1 − β₁
//   v = b2·v + a2·(x·x)                   a2 = 1 − β₂
//   u = (km·m + kx·x) / (√v·k + e)        km = 1, kx = 0; Nesterov km = β₁, kx = 1 − β₁
// k = 1/√(1 − β₂ᵗ), e = ε. Then, for tensors of two or more dimensions, with float64 sums in the order of step/reductions.ts,
// for views as [rows of the first dimension, then one row of everything]; N elements in a row:
//   cos = |g·θ| / (max(‖g‖, ε)·max(‖θ‖, ε))          of each row, g times gs
//   if every cos < delta/√N:  u = u − a·θ in each row, a = θ·u/(‖θ‖ + ε)², and the decay is multiplied by wdRatio: done
//   θ = θ − (dec·θ + s·u)                 by sgd's kernel with u as the gradient; s = lr/(1 − β₁ᵗ)
// SGDP (src/rules/sgdp.ts) projects in the same way.
import { Becomes, Float32, Positive, average, gradient } from "../lane";
import { pass } from "../sweep";

@unmanaged
class AdamP {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    _: usize, g: usize, m: usize, v: usize, _2: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, km: v128, kx: v128, k: v128, e: v128,
  ): v128 {
    const x = gradient<Decay>(g, g, gs, d);
    const v1 = average<Float32, Positive>(b2, v, a2, f32x4.mul(x, x));
    const y = f32x4.add(f32x4.mul(km, average(b1, m, a1, x)), f32x4.mul(kx, x));
    return f32x4.div(y, f32x4.add(f32x4.mul(f32x4.sqrt(v1), k), e));
  }
}

export function adamp(
  n: i32, u: usize, g: usize, m: usize, v: usize, gs: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, km: f32, kx: f32, k: f32, e: f32,
): void {
  pass<AdamP, Becomes>(n, u, g, m, v, 0, gs, 0, b1, a1, b2, a2, km, kx, k, e);
}
