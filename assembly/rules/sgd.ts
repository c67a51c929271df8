// Gradient descent (Robbins, Monro 1951), momentum (Polyak 1964), Nesterov's form (Sutskever et al. 2013).
// For one vector, one rounding per operation, in this order:
//   x = gs·g               (coupled decay: + wd·θ)
//   b = mu·b + c·x         with momentum only; otherwise u = s·x
//   u = s·b                or, where q is not 0 (Nesterov), s·b + q·x
//   θ = θ − u              (decoupled decay: θ − (dec·θ + u))
// PyTorch: c = 1 − dampening (1 on a tensor's first step), s = lr; Nesterov s = lr·μ, q = lr.
// Moving average: c = 1 − μ, s = lr, or lr/(1 − μᵗ) with bias correction.
// Keras keeps −lr inside the buffer: c = −lr, s = −1; Nesterov s = −μ, q = lr.
import { Absent, Bfloat16, Float32, Moves, Present, average, gradient, has } from "../lane";
import { Unrolled, sweep } from "../sweep";

@unmanaged
class Plain {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, _0: usize, _1: usize, _2: usize, gs: v128, d: v128,
    mu: v128, c: v128, s: v128, q: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    return f32x4.mul(s, gradient<Decay>(p, g, gs, d));
  }
}

@unmanaged
class Momentum<Nesterov, Slot> {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, b: Slot, _1: Slot, _2: Slot, gs: v128, d: v128,
    mu: v128, c: v128, s: v128, q: v128, _4: v128, _5: v128, _6: v128, _7: v128,
    r0: v128 = i32x4.splat(0), _r1: v128 = i32x4.splat(0), _r2: v128 = i32x4.splat(0),
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const u = f32x4.mul(s, average<Slot>(mu, b, c, x, r0));
    return has<Nesterov>() ? f32x4.add(u, f32x4.mul(q, x)) : u;
  }
}

export function sgd(
  n: i32, p: usize, g: usize, b: usize, gs: f32, wd: f32, dec: f32,
  mu: f32, c: f32, s: f32, q: f32,
): void {
  if (!b) sweep<Plain, Moves, Unrolled>(n, p, g, 0, 0, 0, gs, wd, dec, mu, c, s, q);
  else if (q == 0) momentum<Absent>(n, p, g, b, gs, wd, dec, mu, c, s, q);
  else momentum<Present>(n, p, g, b, gs, wd, dec, mu, c, s, q);
}

// @ts-ignore: decorator
@inline
function momentum<Nesterov>(
  n: i32, p: usize, g: usize, b: usize, gs: f32, wd: f32, dec: f32,
  mu: f32, c: f32, s: f32, q: f32,
): void {
  sweep<Momentum<Nesterov, Float32>, Moves, Momentum<Nesterov, Bfloat16>>(n, p, g, b, 0, 0, gs, wd, dec, mu, c, s, q);
}
