// MADGRAD (Defazio, Jelassi 2021, arXiv:2101.11075). For one vector, one rounding per operation, in this order:
//   x = gs·g                                      (coupled decay: + wd·θ)
//   S = S + l·(x·x)
//   s = s + l·x
//   y = θ₀ − s / (∛S + e)                         θ₀: the parameters before the first step
//   θ = θ − c·(θ − y)                             (decoupled decay: θ − (dec·θ + …))
// l = (lr + ε)·√t, e = ε, c = 1 − momentum.
// ∛S: the bits ⌊bits/3⌋ + 709921077 to begin with, then three times r = ((r + r) + S/(r·r))·⅓. 0, ∞ and NaN stay.
import { gradient } from "../lane";
import { sweep } from "../sweep";

// @ts-ignore: decorator
@inline
function cubeRoot(x: v128): v128 {
  // ⌊bits/3⌋ = bits·(2³³ + 1)/3 >> 33: the upper halves of four products of 64 bits, shifted once more.
  const third = i32x4.splat(0xaaaaaaab);
  const low = i64x2.extmul_low_i32x4_u(x, third), high = i64x2.extmul_high_i32x4_u(x, third);
  const bits = i32x4.shr_u(v128.shuffle<i32>(low, high, 1, 3, 5, 7), 1);
  let r = i32x4.add(bits, i32x4.splat(709921077));
  r = newton(x, r);
  r = newton(x, r);
  r = newton(x, r);
  const inside = v128.and(f32x4.gt(x, f32x4.splat(0)), f32x4.lt(x, f32x4.splat(Infinity)));
  return v128.bitselect(r, x, inside);
}

// @ts-ignore: decorator
@inline
function newton(x: v128, r: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.add(r, r), f32x4.div(x, f32x4.mul(r, r))), f32x4.splat(1 / 3.0));
}

@unmanaged
class MADGRAD {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, S: usize, s: usize, x0: usize, gs: v128, d: v128,
    l: v128, e: v128, c: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const S1 = f32x4.add(v128.load(S), f32x4.mul(l, f32x4.mul(x, x)));
    const s1 = f32x4.add(v128.load(s), f32x4.mul(l, x));
    v128.store(S, S1);
    v128.store(s, s1);
    const y = f32x4.sub(v128.load(x0), f32x4.div(s1, f32x4.add(cubeRoot(S1), e)));
    return f32x4.mul(c, f32x4.sub(v128.load(p), y));
  }
}

export function madgrad(
  n: i32, p: usize, g: usize, S: usize, s: usize, x0: usize, gs: f32, wd: f32, dec: f32,
  l: f32, e: f32, c: f32,
): void {
  sweep<MADGRAD>(n, p, g, S, s, x0, gs, wd, dec, l, e, c);
}
