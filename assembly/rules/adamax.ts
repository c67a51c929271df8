// Adamax (Kingma, Ba 2015, arXiv:1412.6980, section 7). For one vector, one rounding per operation, in this order:
//   x = gs·g                          (coupled decay: + wd·θ)
//   m = b1·m + a1·x                   a1 = 1 − β₁
//   u = max(b2·u, |x| + ei)           b2 = β₂
//   θ = θ − (s·m) / (u + eo)          (decoupled decay: θ − (dec·θ + …))
// s = lr/(1 − β₁ᵗ). PyTorch, optax: ei = ε, eo = 0. Keras: ei = 0, eo = ε.
import { average, gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class Adamax {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, u: usize, _2: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, s: v128, ei: v128, eo: v128, _6: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const m1 = average(b1, m, a1, x);
    const u1 = f32x4.max(f32x4.mul(b2, v128.load(u)), f32x4.add(f32x4.abs(x), ei));
    v128.store(u, u1);
    return f32x4.div(f32x4.mul(s, m1), f32x4.add(u1, eo));
  }
}

export function adamax(
  n: i32, p: usize, g: usize, m: usize, u: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, s: f32, ei: f32, eo: f32,
): void {
  sweep<Adamax>(n, p, g, m, u, 0, gs, wd, dec, b1, a1, b2, s, ei, eo);
}
