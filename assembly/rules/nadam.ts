// NAdam (Dozat 2016, "Incorporating Nesterov momentum into Adam"). For one vector, one rounding per operation, in this order:
//   x = gs·g                              (coupled decay: + wd·θ)
//   m = b1·m + a1·x                       a1 = 1 − β₁
//   v = b2·v + a2·(x·x)                   a2 = 1 − β₂
//   θ = θ − (cg·x + cm·m) / (√v·k + e)    (decoupled decay: θ − (dec·θ + …))
// cg = lr(1 − μₜ)/(1 − Πμₜ), cm = lr·μₜ₊₁/(1 − Πμₜ₊₁), k = 1/√(1 − β₂ᵗ), where μₜ = β₁(1 − ½·0.96^(tψ)).
// optax: cg = lr(1 − β₁)/(1 − β₁ᵗ), cm = lr·β₁/(1 − β₁ᵗ⁺¹).
import { Bfloat16, Float32, Moves, Positive, average, gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class NAdam<Slot> {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: Slot, v: Slot, _: Slot, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, cg: v128, cm: v128, k: v128, e: v128,
    r0: v128 = i32x4.splat(0), r1: v128 = i32x4.splat(0), _r2: v128 = i32x4.splat(0),
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const m1 = average<Slot>(b1, m, a1, x, r0);
    const v1 = average<Slot, Positive>(b2, v, a2, f32x4.mul(x, x), r1);
    const u = f32x4.add(f32x4.mul(cg, x), f32x4.mul(cm, m1));
    return f32x4.div(u, f32x4.add(f32x4.mul(f32x4.sqrt(v1), k), e));
  }
}

export function nadam(
  n: i32, p: usize, g: usize, m: usize, v: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, cg: f32, cm: f32, k: f32, e: f32,
): void {
  sweep<NAdam<Float32>, Moves, NAdam<Bfloat16>>(n, p, g, m, v, 0, gs, wd, dec, b1, a1, b2, a2, cg, cm, k, e);
}
