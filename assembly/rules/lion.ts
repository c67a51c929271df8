// Lion (Chen et al. 2023, arXiv:2302.06675). For one vector, one rounding per operation, in this order:
//   x = gs·g                               (coupled decay: + wd·θ)
//   θ = θ − s·sign(b1·m + a1·x)            (decoupled decay: θ − (dec·θ + …)); sign(±0) = ±0, sign(NaN) = NaN
//   m = b2·m + a2·x                        a1 = 1 − β₁, a2 = 1 − β₂, s = lr
// `lionUpdate` writes s·sign(…) to u and leaves θ: see cautious.ts.
import { Becomes, Bfloat16, Float32, Moves, Signed, gradient, read, sign, write } from "../lane";
import { pass, sweep } from "../sweep";

@unmanaged
class Lion<Slot> {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: Slot, _1: Slot, _2: Slot, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, s: v128, _5: v128, _6: v128, _7: v128,
    r0: v128 = i32x4.splat(0), _r1: v128 = i32x4.splat(0), _r2: v128 = i32x4.splat(0),
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const m0 = read<Slot>(m);
    const y = f32x4.add(f32x4.mul(b1, m0), f32x4.mul(a1, x));
    write<Slot, Signed>(m, f32x4.add(f32x4.mul(b2, m0), f32x4.mul(a2, x)), r0);
    return f32x4.mul(s, sign(y));
  }
}

export function lion(
  n: i32, p: usize, g: usize, m: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, s: f32,
): void {
  sweep<Lion<Float32>, Moves, Lion<Bfloat16>>(n, p, g, m, 0, 0, gs, wd, dec, b1, a1, b2, a2, s);
}

export function lionUpdate(
  n: i32, u: usize, g: usize, m: usize, gs: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, s: f32,
): void {
  pass<Lion<Float32>, Becomes>(n, u, g, m, 0, 0, gs, 0, b1, a1, b2, a2, s);
}
