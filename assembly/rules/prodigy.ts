// Prodigy (Mishchenko, Defazio 2024, arXiv:2306.06101), in two passes over all tensors. The first, for one vector,
// one rounding per operation, in this order:
//   x = gs·g
//   m = b1·m + a1·x                 a1 = d·(1 − β₁)
//   v = b2·v + a2·(x·x)             a2 = d²·(1 − β₂)
//   h = b3·h + a3·x                 b3 = √β₂, a3 = d/d₀·d·lr
// and float64 sums in the order of step/reductions.ts, over the tensors in the order of their addresses, taken before this
// step; θ₀ are the parameters before the first step:
//   N = √β₂·N + Σ d/d₀·d·lr·gs·Σ g·(θ₀ − θ),  D = Σ Σ|h|
// The new d is computed from N and D (see src/rules/prodigy.ts). The second pass, unless D is 0:
//   θ = θ − (l·m) / (√v + e)        (decay: θ − (dec·θ + …))
// with the old d in l = d·lr and dec = λ·d·lr, and the new one in e = d·ε.
import { Absent, Decoupled, Moves, Stored, average } from "../lane";
import { pass } from "../sweep";

@unmanaged
class Moments {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    _: usize, g: usize, m: usize, v: usize, h: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, b3: v128, a3: v128, _6: v128, _7: v128,
  ): v128 {
    const x = f32x4.mul(gs, v128.load(g));
    average(b1, m, a1, x);
    average(b2, v, a2, f32x4.mul(x, x));
    return average(b3, h, a3, x);
  }
}

@unmanaged
class Prodigy {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, _: usize, m: usize, v: usize, _2: usize, gs: v128, d: v128,
    l: v128, e: v128, _c2: v128, _c3: v128, _c4: v128, _c5: v128, _c6: v128, _c7: v128,
  ): v128 {
    const u = f32x4.div(f32x4.mul(l, v128.load(m)), f32x4.add(f32x4.sqrt(v128.load(v)), e));
    return u;
  }
}

export function prodigyMoments(
  n: i32, g: usize, m: usize, v: usize, h: usize, gs: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, b3: f32, a3: f32,
): void {
  pass<Moments, Stored>(n, g, g, m, v, h, gs, 0, b1, a1, b2, a2, b3, a3);
}

export function prodigy(n: i32, p: usize, m: usize, v: usize, dec: f32, l: f32, e: f32): void {
  if (dec != 0) pass<Prodigy, Moves, Decoupled>(n, p, p, m, v, 0, 1, dec, l, e);
  else pass<Prodigy, Moves, Absent>(n, p, p, m, v, 0, 1, 0, l, e);
}
