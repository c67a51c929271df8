// MARS (Yuan, Liu, Wu, Zhou, Gu 2024, arXiv:2411.10438), in its AdamW form. For one vector, one rounding per operation, in
// this order:
//   x = gs·g
//   c = x + cg·(x − h)        with cg; otherwise c is x
//   h = x                     the gradient of the tensor's last step
// cg = γβ₁/(1 − β₁), 0 at the first step and for tensors without correction. Then c is the gradient of adam.ts, with the
// factor 1/max(1, ‖c‖), or 1 for tensors without correction; ‖c‖ by step/reductions.ts. The decay is decoupled.
import { Absent, Becomes, Present, gradient, has } from "../lane";
import { pass } from "../sweep";

@unmanaged
class MARS<Corrected> {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    _: usize, g: usize, h: usize, _1: usize, _2: usize, gs: v128, d: v128,
    cg: v128, _c1: v128, _c2: v128, _c3: v128, _c4: v128, _c5: v128, _c6: v128, _c7: v128,
  ): v128 {
    const x = gradient<Decay>(g, g, gs, d);
    const c = has<Corrected>() ? f32x4.add(x, f32x4.mul(cg, f32x4.sub(x, v128.load(h)))) : x;
    v128.store(h, x);
    return c;
  }
}

export function mars(n: i32, c: usize, g: usize, h: usize, gs: f32, cg: f32): void {
  if (cg != 0) pass<MARS<Present>, Becomes>(n, c, g, h, 0, 0, gs, 0, cg);
  else pass<MARS<Absent>, Becomes>(n, c, g, h, 0, 0, gs, 0);
}
