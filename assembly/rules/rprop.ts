// Rprop (Riedmiller, Braun 1993). For one vector, one rounding per operation, in this order:
//   x = gs·g                                  (coupled decay: + wd·θ)
//   y = x·prev
//   h = min(max(h·η, min), max)               η = hi where y > 0, lo where y < 0, 1 elsewhere
//   x = 0 where y < 0
//   θ = θ − sign(x)·h                         (decoupled decay: θ − (dec·θ + …)); sign(±0) = ±0, sign(NaN) = NaN
//   prev = x
// h is never NaN, so pmin and pmax (one instruction each) suffice.
import { gradient, sign } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class Rprop {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, prev: usize, h: usize, _2: usize, gs: v128, d: v128,
    lo: v128, hi: v128, min: v128, max: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const zero = f32x4.splat(0);
    const x = gradient<Decay>(p, g, gs, d);
    const y = f32x4.mul(x, v128.load(prev));
    const turned = f32x4.lt(y, zero);
    const eta = v128.bitselect(hi, v128.bitselect(lo, f32x4.splat(1), turned), f32x4.gt(y, zero));
    const h1 = f32x4.pmin(f32x4.pmax(f32x4.mul(v128.load(h), eta), min), max);
    const x1 = v128.andnot(x, turned);
    v128.store(h, h1);
    v128.store(prev, x1);
    return f32x4.mul(sign(x1), h1);
  }
}

export function rprop(
  n: i32, p: usize, g: usize, prev: usize, h: usize, gs: f32, wd: f32, dec: f32,
  lo: f32, hi: f32, min: f32, max: f32,
): void {
  sweep<Rprop>(n, p, g, prev, h, 0, gs, wd, dec, lo, hi, min, max);
}
