// Averaged SGD (Polyak, Juditsky 1992). For one vector, one rounding per operation, in this order:
//   x = gs·g                       (coupled decay: + wd·θ)
//   θ = θ − (l·θ + s·x)            always, in addition to coupled decay
//   ax = nu·ax + mu·θ              with the new θ
// s = η = lr/(1 + λ·lr·(t − 1))^α, l = λη, mu = 1/max(1, t − 1 − t₀), nu = 1 − mu.
import { Becomes, Decoupled, average, gradient, moved } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class ASGD {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, ax: usize, _1: usize, _2: usize, gs: v128, d: v128,
    s: v128, mu: v128, nu: v128, l: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const y = moved<Decoupled>(p, f32x4.mul(s, gradient<Decay>(p, g, gs, d)), l);
    average(nu, ax, mu, y);
    return y;
  }
}

export function asgd(
  n: i32, p: usize, g: usize, ax: usize, gs: f32, wd: f32, dec: f32,
  s: f32, mu: f32, nu: f32, l: f32,
): void {
  sweep<ASGD, Becomes>(n, p, g, ax, 0, 0, gs, wd, dec, s, mu, nu, l);
}
