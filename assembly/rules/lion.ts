// Lion (Chen et al. 2023, arXiv:2302.06675). One vector, one rounding an operation, in this order:
//   x = gs·g                               (coupled decay: + wd·θ)
//   θ = θ − s·sign(b1·m + a1·x)            (decoupled decay: θ − (dec·θ + …)); sign(±0) = ±0, sign(NaN) = NaN
//   m = b2·m + a2·x                        a1 = 1 − β₁, a2 = 1 − β₂, s = lr
import { average, gradient, sign, sweep } from "../lane";

@unmanaged
class Lion {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, _1: usize, _2: usize, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, s: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const y = f32x4.add(f32x4.mul(b1, v128.load(m)), f32x4.mul(a1, x));
    average(b2, m, a2, x);
    return f32x4.mul(s, sign(y));
  }
}

export function lion(
  n: i32, p: usize, g: usize, m: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, s: f32,
): void {
  sweep<Lion>(n, p, g, m, 0, 0, gs, wd, dec, b1, a1, b2, a2, s);
}
