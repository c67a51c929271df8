// RMSprop (Tieleman, Hinton 2012, lecture 6.5), centred (Graves 2013, arXiv:1308.0850), with momentum.
// For one vector, one rounding per operation, in this order:
//   x = gs·g                              (coupled decay: + wd·θ)
//   v = r·v + q·(x·x)                     q = 1 − α
//   a = r·a + q·x, w = max(v − min(a·a, 3.4e38), 0)   centred only; otherwise w = v. The clamps keep steps on a constant gradient finite, and avoid ∞ − ∞
//   u = (si·x) / (√(w + ei) + eo)
//   b = mu·b + u, u = so·b                with momentum only
//   θ = θ − u                             (decoupled decay: θ − (dec·θ + u))
// PyTorch: ei = 0, eo = ε; with momentum si = 1, so = lr. Keras, optax: ei = ε, eo = 0; si = lr, so = 1.
import { Absent, Bfloat16, Float32, LARGEST, Moves, Positive, Present, Signed, average, gradient, has, read, write } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class RMSprop<Centered, Momentum, Slot> {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, v: Slot, a: Slot, b: Slot, gs: v128, d: v128,
    r: v128, q: v128, mu: v128, ei: v128, eo: v128, si: v128, so: v128, _7: v128,
    r0: v128 = i32x4.splat(0), r1: v128 = i32x4.splat(0), r2: v128 = i32x4.splat(0),
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    let w = average<Slot, Positive>(r, v, q, f32x4.mul(x, x), r0);
    if (has<Centered>()) {
      const a1 = average<Slot>(r, a, q, x, r1);
      w = f32x4.max(f32x4.sub(w, f32x4.pmin(f32x4.mul(a1, a1), f32x4.splat(LARGEST))), f32x4.splat(0));
    }
    let u = f32x4.div(f32x4.mul(si, x), f32x4.add(f32x4.sqrt(f32x4.add(w, ei)), eo));
    if (has<Momentum>()) {
      const b1 = f32x4.add(f32x4.mul(mu, read<Slot>(b)), u);
      write<Slot, Signed>(b, b1, r2);
      u = f32x4.mul(so, b1);
    }
    return u;
  }
}

export function rmsprop(
  n: i32, p: usize, g: usize, v: usize, a: usize, b: usize, gs: f32, wd: f32, dec: f32,
  r: f32, q: f32, mu: f32, ei: f32, eo: f32, si: f32, so: f32,
): void {
  if (a) {
    if (b) sweep<RMSprop<Present, Present, Float32>>(n, p, g, v, a, b, gs, wd, dec, r, q, mu, ei, eo, si, so);
    else sweep<RMSprop<Present, Absent, Float32>>(n, p, g, v, a, 0, gs, wd, dec, r, q, mu, ei, eo, si, so);
  } else {
    if (b) sweep<RMSprop<Absent, Present, Float32>>(n, p, g, v, 0, b, gs, wd, dec, r, q, mu, ei, eo, si, so);
    else sweep<RMSprop<Absent, Absent, Float32>>(n, p, g, v, 0, 0, gs, wd, dec, r, q, mu, ei, eo, si, so);
  }
}
