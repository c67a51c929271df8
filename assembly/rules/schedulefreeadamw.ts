// Schedule-free AdamW (Defazio et al. 2024, arXiv:2405.15682): schedule-free SGD on Adam's scaled gradient. For one
// vector, one rounding per operation, in this order:
//   x = gs·g
//   v = b2·v + a2·(x·x)                   a2 = 1 − β₂
//   u = x / (√v·k + e)                    (decay, at θ: + wd·θ)
//   θ = θ − (a·u − c1·(z − θ))            with the old z (decoupled decay: θ − (dec·θ + …))
//   z = z − l·u
// k = 1/√(1 − β₂ᵏ) at the group's step k, e = ε; c1, a and l as in schedulefreesgd.ts with β₁ for β.
import { Absent, Coupled, average, gradient } from "../lane";
import { sweep } from "../sweep";
import { moveBoth } from "./schedulefreesgd";

@unmanaged
class ScheduleFreeAdamW {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, v: usize, z: usize, _2: usize, gs: v128, d: v128,
    b2: v128, a2: v128, k: v128, e: v128, c1: v128, a: v128, l: v128, _7: v128,
  ): v128 {
    const x = gradient<Absent>(p, g, gs, d);
    const v1 = average(b2, v, a2, f32x4.mul(x, x));
    let u = f32x4.div(x, f32x4.add(f32x4.mul(f32x4.sqrt(v1), k), e));
    if (sizeof<Decay>() == sizeof<Coupled>()) u = f32x4.add(u, f32x4.mul(d, v128.load(p)));
    return moveBoth(p, z, u, c1, a, l);
  }
}

export function schedulefreeadamw(
  n: i32, p: usize, g: usize, v: usize, z: usize, gs: f32, wd: f32, dec: f32,
  b2: f32, a2: f32, k: f32, e: f32, c1: f32, a: f32, l: f32,
): void {
  sweep<ScheduleFreeAdamW>(n, p, g, v, z, 0, gs, wd, dec, b2, a2, k, e, c1, a, l);
}
