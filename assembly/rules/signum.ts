// Signum, signSGD with momentum (Bernstein et al. 2018, arXiv:1802.04434). For one vector, one rounding per operation, in
// this order:
//   x = gs·g                (coupled decay: + wd·θ)
//   b = mu·b + a·x          with momentum only; otherwise b is x
//   θ = θ − s·sign(b)       (decoupled decay: θ − (dec·θ + …)); sign(±0) = ±0, sign(NaN) = NaN
// a = 1 − μ, s = lr. With momentum it is Lion with one rate for both of its averages, hence mu and a twice.
import { gradient, sign } from "../lane";
import { sweep } from "../sweep";
import { lion } from "./lion";

@unmanaged
class SignSGD {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, _0: usize, _1: usize, _2: usize, gs: v128, d: v128,
    _mu: v128, _a: v128, _mu2: v128, _a2: v128, s: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    return f32x4.mul(s, sign(gradient<Decay>(p, g, gs, d)));
  }
}

export function signum(
  n: i32, p: usize, g: usize, b: usize, gs: f32, wd: f32, dec: f32,
  mu: f32, a: f32, mu2: f32, a2: f32, s: f32,
): void {
  if (b) lion(n, p, g, b, gs, wd, dec, mu, a, mu2, a2, s);
  else sweep<SignSGD>(n, p, g, 0, 0, 0, gs, wd, dec, mu, a, mu2, a2, s);
}
