// Cautious updates (Liang et al. 2024, arXiv:2411.16085) of AdamW, Lion, LaProp and MARS. A rule's own `…Update` kernel has
// updated its slots and written u, along which the step moves. An element is kept where u and the gradient have one sign:
//   x = gs·g
//   y = sign(u)·x                          > 0: kept
//   θ = θ − s·u, or θ where y ≤ 0          (decoupled decay of all elements: θ − (dec·θ + …)); NaN reaches θ
// s = the rule's own factor times a, a = 1/max(kept/n, 1e-3), n: the number of elements of the tensor.
import { Absent, Decoupled, Moves, sign } from "../lane";
import { pass } from "../sweep";

// @ts-ignore: decorator
@inline
function agreement(u: v128, g: usize, gs: v128): v128 {
  return f32x4.mul(sign(u), f32x4.mul(gs, v128.load(g)));
}

@unmanaged
class Cautious {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    _: usize, g: usize, u: usize, _1: usize, _2: usize, gs: v128, _d: v128,
    s: v128, _c1: v128, _c2: v128, _c3: v128, _c4: v128, _c5: v128, _c6: v128, _c7: v128,
  ): v128 {
    const x = v128.load(u);
    return v128.andnot(f32x4.mul(s, x), f32x4.le(agreement(x, g, gs), f32x4.splat(0)));
  }
}

export function cautious(n: i32, p: usize, g: usize, u: usize, gs: f32, dec: f32, s: f32): void {
  if (dec != 0) pass<Cautious, Moves, Decoupled>(n, p, g, u, 0, 0, gs, dec, s);
  else pass<Cautious, Moves, Absent>(n, p, g, u, 0, 0, gs, 0, s);
}

// How many of n elements are kept. Reads nothing beyond them.
export function agreeing(n: i32, u: usize, g: usize, gs: f32): i32 {
  const v = f32x4.splat(gs);
  let kept = i32x4.splat(0);
  for (const end = u + (<usize>(n & -4) << 2); u < end; u += 16, g += 16) {
    kept = i32x4.sub(kept, f32x4.gt(agreement(v128.load(u), g, v), f32x4.splat(0)));
  }
  let count = i32x4.extract_lane(kept, 0) + i32x4.extract_lane(kept, 1) + i32x4.extract_lane(kept, 2) + i32x4.extract_lane(kept, 3);
  for (let rest = n & 3; rest; rest--, u += 4, g += 4) {
    const x = load<f32>(u), y = gs * load<f32>(g);
    if (x > 0 ? y > 0 : x < 0 && y < 0) count++;
  }
  return count;
}
