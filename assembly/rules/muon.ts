// Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/). θ is a matrix [A, B].
// For one vector, one rounding per operation, in this order:
//   x = gs·g
//   b = mu·b + c·x         c = 1 − μ
//   u = s·b                or, where q is not 0 (Nesterov), s·b + q·x
// s = 1; Nesterov s = μ, q = 1 − μ. Then on the whole matrix, ‖u‖ being a float64 sum in the order of step/reductions.ts,
// with the products of nn/product.ts and whole-vector operations:
//   X = u·(1/max(‖u‖, 1e-7))
// and in each Newton–Schulz step, with S on the smaller side, X·Xᵀ where A ≤ B, otherwise Xᵀ·X:
//   P = −4.7750·S + 2.0315·(S·S)
//   X = 3.4445·X + P·X     (A > B: + X·P)
//   θ = θ − r·X            (decay: θ − (dec·θ + r·X)): by sgd's kernel with X as the gradient
// r = lr·√max(1, A/B), or 0.2·lr·√max(A, B) to match AdamW's root mean square; dec = lr·λ.
import { Absent, Present, Stored, average, has } from "../lane";
import { pass } from "../sweep";

@unmanaged
class Muon<Nesterov> {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    _: usize, g: usize, b: usize, u: usize, _2: usize, gs: v128, d: v128,
    mu: v128, c: v128, s: v128, q: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const x = f32x4.mul(gs, v128.load(g));
    const y = f32x4.mul(s, average(mu, b, c, x));
    v128.store(u, has<Nesterov>() ? f32x4.add(y, f32x4.mul(q, x)) : y);
    return y;
  }
}

export function muon(n: i32, g: usize, b: usize, u: usize, gs: f32, mu: f32, c: f32, s: f32, q: f32): void {
  if (q == 0) pass<Muon<Absent>, Stored>(n, g, g, b, u, 0, gs, 0, mu, c, s, q);
  else pass<Muon<Present>, Stored>(n, g, g, b, u, 0, gs, 0, mu, c, s, q);
}
