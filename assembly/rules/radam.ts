// RAdam (Liu et al. 2020, arXiv:1908.03265) in its first steps, before the rectification
// applies; adam.ts has the later ones. For one vector, one rounding per operation, in this order:
//   x = gs·g                      (coupled decay: + wd·θ)
//   m = b1·m + a1·x               a1 = 1 − β₁
//   v = b2·v + a2·(x·x)           a2 = 1 − β₂
//   θ = θ − s·m                   (decoupled decay: θ − (dec·θ + …)); s = lr/(1 − β₁ᵗ)
// v may overflow without any effect on θ.
import { Float32, Positive, average, gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class RAdam {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, v: usize, _2: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, s: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    average<Float32, Positive>(b2, v, a2, f32x4.mul(x, x));
    return f32x4.mul(s, average(b1, m, a1, x));
  }
}

export function radam(
  n: i32, p: usize, g: usize, m: usize, v: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, s: f32,
): void {
  sweep<RAdam>(n, p, g, m, v, 0, gs, wd, dec, b1, a1, b2, a2, s);
}
