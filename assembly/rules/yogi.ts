// Yogi (Zaheer et al. 2018, NeurIPS 31). For one vector, one rounding per operation, in this order:
//   x = gs·g                              (coupled decay: + wd·θ)
//   m = b1·m + a1·x                       a1 = 1 − β₁
//   q = min(x·x, 3.4e38)                  the largest float32: ∞ − ∞ would be NaN
//   v = v − (a2·sign(v − q))·q            a2 = 1 − β₂; sign(±0) = ±0, sign(NaN) = NaN
//   θ = θ − (s·m) / (√v·k + e)            (decoupled decay: θ − (dec·θ + …))
// s = lr/(1 − β₁ᵗ), k = 1/√(1 − β₂ᵗ), e = ε; m and v start at 10⁻⁶.
import { LARGEST, average, gradient, sign } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class Yogi {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: usize, v: usize, _2: usize, gs: v128, d: v128,
    b1: v128, a1: v128, a2: v128, s: v128, k: v128, e: v128, _6: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const m1 = average(b1, m, a1, x);
    const q = f32x4.pmin(f32x4.mul(x, x), f32x4.splat(LARGEST));
    const v0 = v128.load(v);
    const v1 = f32x4.sub(v0, f32x4.mul(f32x4.mul(a2, sign(f32x4.sub(v0, q))), q));
    v128.store(v, v1);
    return f32x4.div(f32x4.mul(s, m1), f32x4.add(f32x4.mul(f32x4.sqrt(v1), k), e));
  }
}

export function yogi(
  n: i32, p: usize, g: usize, m: usize, v: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, a2: f32, s: f32, k: f32, e: f32,
): void {
  sweep<Yogi>(n, p, g, m, v, 0, gs, wd, dec, b1, a1, a2, s, k, e);
}
