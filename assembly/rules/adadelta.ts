// Adadelta (Zeiler 2012, arXiv:1212.5701). For one vector, one rounding per operation, in this order:
//   x = gs·g                          (coupled decay: + wd·θ)
//   v = r·v + q·(x·x)                 q = 1 − ρ
//   u = (√(a + e) / √(v + e))·x       with the new v
//   a = r·a + q·(u·u)
//   θ = θ − s·u                       (decoupled decay: θ − (dec·θ + s·u)); s = lr
import { average, gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class Adadelta {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, v: usize, a: usize, _2: usize, gs: v128, d: v128,
    r: v128, q: v128, e: v128, s: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const v1 = average(r, v, q, f32x4.mul(x, x));
    const ratio = f32x4.div(f32x4.sqrt(f32x4.add(v128.load(a), e)), f32x4.sqrt(f32x4.add(v1, e)));
    const u = f32x4.mul(ratio, x);
    average(r, a, q, f32x4.mul(u, u));
    return f32x4.mul(s, u);
  }
}

export function adadelta(
  n: i32, p: usize, g: usize, v: usize, a: usize, gs: f32, wd: f32, dec: f32,
  r: f32, q: f32, e: f32, s: f32,
): void {
  sweep<Adadelta>(n, p, g, v, a, 0, gs, wd, dec, r, q, e, s);
}
