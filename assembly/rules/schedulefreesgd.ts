// Schedule-free SGD (Defazio et al. 2024, arXiv:2405.15682). θ is y, where gradients are taken; z is the point of plain
// SGD; x, the average of z, is not stored: y = (1 − β)z + βx. For one vector, one rounding per operation, in this order:
//   x = gs·g                              (coupled decay: + wd·θ)
//   θ = θ − (a·x − c1·(z − θ))            with the old z (decoupled decay: θ − (dec·θ + …))
//   z = z − l·x
// l is lr (rising over the warm-up), a = l·(1 − β(1 − c1)), c1 the new z's weight in the average:
// w/Σw with w = kʳ·lmaxᵖ at step k, lmax the largest l so far.
import { gradient } from "../lane";
import { sweep } from "../sweep";

/** Moves z by l·u; returns what θ moves by. */
// @ts-ignore: decorator
@inline
export function moveBoth(p: usize, z: usize, u: v128, c1: v128, a: v128, l: v128): v128 {
  const z0 = v128.load(z);
  v128.store(z, f32x4.sub(z0, f32x4.mul(l, u)));
  return f32x4.sub(f32x4.mul(a, u), f32x4.mul(c1, f32x4.sub(z0, v128.load(p))));
}

@unmanaged
class ScheduleFreeSGD {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, z: usize, _1: usize, _2: usize, gs: v128, d: v128,
    c1: v128, a: v128, l: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    return moveBoth(p, z, gradient<Decay>(p, g, gs, d), c1, a, l);
  }
}

export function schedulefreesgd(
  n: i32, p: usize, g: usize, z: usize, gs: f32, wd: f32, dec: f32,
  c1: f32, a: f32, l: f32,
): void {
  sweep<ScheduleFreeSGD>(n, p, g, z, 0, 0, gs, wd, dec, c1, a, l);
}
