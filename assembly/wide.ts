// The sweep of lane.ts for a rule with up to four slots and twelve coefficients.
import { Absent, BEFORE, Coupled, Decoupled, end } from "./lane";
import { DEC, OWN, WD } from "./layout/coefficients";
import { COEFFICIENTS, GRADIENT, LENGTH, PARAMETERS, SLOTS } from "./layout/run-list";
import * as list from "./step/run-list";

// @ts-ignore: decorator
@inline
export function sweepWide<Rule, Result = u8>(
  n: i32, p: usize, g: usize, s0: usize, s1: usize, s2: usize, s3: usize,
  gs: f32, wd: f32, dec: f32,
  c0: f32, c1: f32, c2: f32, c3: f32, c4: f32, c5: f32, c6: f32, c7: f32, c8: f32, c9: f32, c10: f32 = 0, c11: f32 = 0,
): void {
  let at = n < 0 ? list.open(n, p, g, 0) : 0;
  let vgs = f32x4.splat(gs);
  let v0 = f32x4.splat(c0), v1 = f32x4.splat(c1), v2 = f32x4.splat(c2), v3 = f32x4.splat(c3);
  let v4 = f32x4.splat(c4), v5 = f32x4.splat(c5), v6 = f32x4.splat(c6), v7 = f32x4.splat(c7);
  let v8 = f32x4.splat(c8), v9 = f32x4.splat(c9), v10 = f32x4.splat(c10), v11 = f32x4.splat(c11);
  while (true) {
    if (at) {
      n = load<i32>(at, LENGTH);
      p = load<usize>(at, PARAMETERS);
      g = load<usize>(at, GRADIENT);
      s0 = load<usize>(at, SLOTS);
      s1 = load<usize>(at, SLOTS + 4);
      s2 = load<usize>(at, SLOTS + 8);
      s3 = load<usize>(at, SLOTS + 12);
      const c = load<usize>(at, COEFFICIENTS);
      vgs = v128.load32_splat(c);
      wd = load<f32>(c, 4 * WD);
      dec = load<f32>(c, 4 * DEC);
      v0 = v128.load32_splat(c, 4 * OWN);
      v1 = v128.load32_splat(c, 4 * OWN + 4);
      v2 = v128.load32_splat(c, 4 * OWN + 8);
      v3 = v128.load32_splat(c, 4 * OWN + 12);
      v4 = v128.load32_splat(c, 4 * OWN + 16);
      v5 = v128.load32_splat(c, 4 * OWN + 20);
      v6 = v128.load32_splat(c, 4 * OWN + 24);
      v7 = v128.load32_splat(c, 4 * OWN + 28);
      v8 = v128.load32_splat(c, 4 * OWN + 32);
      v9 = v128.load32_splat(c, 4 * OWN + 36);
      v10 = v128.load32_splat(c, 4 * OWN + 40);
      v11 = v128.load32_splat(c, 4 * OWN + 44);
    }
    if (dec != 0) loopWide<Rule, Result, Decoupled>(n, p, g, s0, s1, s2, s3, vgs, dec, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    else if (wd != 0) loopWide<Rule, Result, Coupled>(n, p, g, s0, s1, s2, s3, vgs, wd, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    else loopWide<Rule, Result, Absent>(n, p, g, s0, s1, s2, s3, vgs, 0, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    if (at) at = list.next(at);
    if (!at) return;
    n = 0, p = 0, g = 0, s0 = 0, s1 = 0, s2 = 0, s3 = 0, wd = 0, dec = 0;
    vgs = v0 = v1 = v2 = v3 = v4 = v5 = v6 = v7 = v8 = v9 = v10 = v11 = f32x4.splat(0);
  }
}

// @ts-ignore: decorator
@inline
function loopWide<Rule, Result, Decay>(
  n: i32, p: usize, g: usize, s0: usize, s1: usize, s2: usize, s3: usize,
  vgs: v128, decay: f32,
  v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128, v6: v128, v7: v128, v8: v128, v9: v128, v10: v128, v11: v128,
): void {
  const vd = f32x4.splat(decay);
  const last = p + (<usize>n << 2);
  if (p == last) return;
  let before = BEFORE, u = f32x4.splat(0);
  do {
    const u0 = changetype<Rule>(0).apply<Decay>(
      p, g, s0, s1, s2, s3, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11,
    );
    end<Result, Decay>(before, u, vd);
    u = changetype<Rule>(0).apply<Decay>(
      p + 16, g + 16, s0 + 16, s1 + 16, s2 + 16, s3 + 16, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11,
    );
    end<Result, Decay>(p, u0, vd);
    before = p + 16;
    p += 32;
    g += 32;
    s0 += 32;
    s1 += 32;
    s2 += 32;
    s3 += 32;
  } while (p < last);
  end<Result, Decay>(before, u, vd);
}
