// Ftrl (McMahan et al. 2013, KDD), in Keras' form. For one vector, one rounding per operation, in this order:
//   x = gs·g                                 (coupled decay: + wd·θ)
//   y = θ                                    (decoupled decay: θ − dec·θ)
//   q = min(x·x, 3.4e38), r0 = √S, S = min(S + q, 3.4e38), r1 = √S     the largest float32: ∞/∞ would be NaN
//   h = q / (r0 + r1), 0 where r0 + r1 is 0: r1 − r0 without cancellation
//   z = z + (x − (h·i)·y)
//   θ = (min(max(z, −l1), l1) − z) / (r1·i + c)
// pmin and pmax (one instruction each) keep a NaN that is their first operand.
// i = 1/lr, c = 2·l2 + beta/lr. θ is computed from z alone.
import { Becomes, Decoupled, LARGEST, gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class Ftrl {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, S: usize, z: usize, _2: usize, gs: v128, d: v128,
    i: v128, l1: v128, c: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    let y = v128.load(p);
    if (sizeof<Decay>() == sizeof<Decoupled>()) y = f32x4.sub(y, f32x4.mul(d, y));
    const most = f32x4.splat(LARGEST);
    const q = f32x4.pmin(f32x4.mul(x, x), most);
    const S0 = v128.load(S), S1 = f32x4.pmin(f32x4.add(S0, q), most);
    v128.store(S, S1);
    const r1 = f32x4.sqrt(S1), roots = f32x4.add(f32x4.sqrt(S0), r1);
    const h = v128.andnot(f32x4.div(q, roots), f32x4.eq(roots, f32x4.splat(0)));
    const z1 = f32x4.add(v128.load(z), f32x4.sub(x, f32x4.mul(f32x4.mul(h, i), y)));
    v128.store(z, z1);
    const clipped = f32x4.pmin(f32x4.pmax(z1, f32x4.neg(l1)), l1);
    return f32x4.div(f32x4.sub(clipped, z1), f32x4.add(f32x4.mul(r1, i), c));
  }
}

export function ftrl(
  n: i32, p: usize, g: usize, S: usize, z: usize, gs: f32, wd: f32, dec: f32,
  i: f32, l1: f32, c: f32,
): void {
  sweep<Ftrl, Becomes>(n, p, g, S, z, 0, gs, wd, dec, i, l1, c);
}
