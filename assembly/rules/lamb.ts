// LAMB (You et al. 2020, arXiv:1904.00962). For one vector, one rounding per operation, in this order:
//   x = gs·g
//   m = b1·m + a1·x                  a1 = 1 − β₁
//   v = b2·v + a2·(x·x)              a2 = 1 − β₂
//   u = (s·m) / (√v·k + e)           with wd: + wd·θ
// s = 1/(1 − β₁ᵗ), k = 1/√(1 − β₂ᵗ), e = ε. Then, with float64 sums over the tensor in the order of step/reductions.ts:
//   r = lr·‖θ‖/‖u‖, or lr where either norm is not above 0
//   θ = θ − r·u                      (decoupled decay: θ − (dec·θ + r·u)): by sgd's kernel with u as the gradient
// PyTorch, optax: wd = λ. Keras decays first: dec = lr·λ, and ‖θ‖·|1 − dec| in place of ‖θ‖.
import { Absent, Coupled, Stored, average } from "../lane";
import { pass } from "../sweep";

@unmanaged
class Lamb {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, v: usize, u: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, s: v128, k: v128, e: v128, _7: v128,
  ): v128 {
    const x = f32x4.mul(gs, v128.load(g));
    const m1 = average(b1, m, a1, x);
    const v1 = average(b2, v, a2, f32x4.mul(x, x));
    const y = f32x4.div(f32x4.mul(s, m1), f32x4.add(f32x4.mul(f32x4.sqrt(v1), k), e));
    v128.store(u, sizeof<Decay>() == sizeof<Coupled>() ? f32x4.add(y, f32x4.mul(d, v128.load(p))) : y);
    return y;
  }
}

export function lamb(
  n: i32, p: usize, g: usize, m: usize, v: usize, u: usize, gs: f32, wd: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, s: f32, k: f32, e: f32,
): void {
  if (wd != 0) pass<Lamb, Stored, Coupled>(n, p, g, m, v, u, gs, wd, b1, a1, b2, a2, s, k, e);
  else pass<Lamb, Stored, Absent>(n, p, g, m, v, u, gs, 0, b1, a1, b2, a2, s, k, e);
}
