// Drives a rule over a run: n elements at the same offsets in the parameters, the gradient and every slot.
//
// A run starts on a 64-byte boundary in every buffer, and its length is a multiple of 16 elements. So no scalar loop is
// needed for the rest, and the padding is read and written like the elements. A negative n means a list of runs.
import { dither } from "./state/small-formats";
import { Absent, Becomes, Coupled, Decoupled, Moves, Unscaled, UnscaledDecoupled, has, moved } from "./lane";
import { DEC, OWN, WD } from "./layout/coefficients";
import { COEFFICIENTS, GRADIENT, LENGTH, PARAMETERS, SLOTS } from "./layout/run-list";
import * as list from "./step/run-list";

/** In place of `HalfRule`: the rule has no bfloat16 variant, but takes four vectors an iteration. */
export type Unrolled = u16;

/** Drives a rule over n elements, or over a list of runs.
 *
 * `Rule` is an unmanaged class whose `apply<Decay>` updates the slots of one vector and returns a vector, of which `Result`
 * says what happens to it. Slots and coefficients that it does not use have names that begin with `_`.
 * `HalfRule`: the rule with all its slots in bfloat16; without it, they are unpacked to float32 for `Rule`.
 * `Unit`, if present, adds loops without the factor of the gradients, for where it is 1, as it mostly is.
 * `Wide`, if present: `apply` takes a fourth slot and twelve coefficients instead of eight. */
// @ts-ignore: decorator
@inline
export function sweep<Rule, Result = u8, HalfRule = u8, Unit = u8, Wide = u8>(
  n: i32, p: usize, g: usize, s0: usize, s1: usize, s2: usize,
  gs: f32, wd: f32, dec: f32,
  c0: f32 = 0, c1: f32 = 0, c2: f32 = 0, c3: f32 = 0, c4: f32 = 0, c5: f32 = 0, c6: f32 = 0, c7: f32 = 0,
  c8: f32 = 0, c9: f32 = 0, c10: f32 = 0, c11: f32 = 0, s3: usize = 0,
): void {
  const formats = isInteger<HalfRule>() ? 0 : list.bfloat16Formats(s0, s1, s2);
  if (!isInteger<HalfRule>() && list.hasFormats(n, p, g, formats)) {
    sweepHalf<HalfRule>(list.open(n, p, g, formats));
    return;
  }
  let at = n < 0 ? list.open(n, p, g, 0) : 0;
  let vgs = f32x4.splat(gs);
  let v0 = f32x4.splat(c0), v1 = f32x4.splat(c1), v2 = f32x4.splat(c2), v3 = f32x4.splat(c3);
  let v4 = f32x4.splat(c4), v5 = f32x4.splat(c5), v6 = f32x4.splat(c6), v7 = f32x4.splat(c7);
  let v8 = f32x4.splat(c8), v9 = f32x4.splat(c9), v10 = f32x4.splat(c10), v11 = f32x4.splat(c11);
  while (true) {
    if (at) {
      n = load<i32>(at, LENGTH), p = load<usize>(at, PARAMETERS), g = load<usize>(at, GRADIENT);
      s0 = load<usize>(at, SLOTS), s1 = load<usize>(at, SLOTS + 4), s2 = load<usize>(at, SLOTS + 8);
      if (has<Wide>()) s3 = load<usize>(at, SLOTS + 12);
      const c = load<usize>(at, COEFFICIENTS);
      if (has<Unit>()) gs = load<f32>(c);
      vgs = v128.load32_splat(c);
      wd = load<f32>(c, 4 * WD), dec = load<f32>(c, 4 * DEC);
      v0 = v128.load32_splat(c, 4 * OWN), v1 = v128.load32_splat(c, 4 * OWN + 4);
      v2 = v128.load32_splat(c, 4 * OWN + 8), v3 = v128.load32_splat(c, 4 * OWN + 12);
      v4 = v128.load32_splat(c, 4 * OWN + 16), v5 = v128.load32_splat(c, 4 * OWN + 20);
      v6 = v128.load32_splat(c, 4 * OWN + 24), v7 = v128.load32_splat(c, 4 * OWN + 28);
      if (has<Wide>()) {
        v8 = v128.load32_splat(c, 4 * OWN + 32), v9 = v128.load32_splat(c, 4 * OWN + 36);
        v10 = v128.load32_splat(c, 4 * OWN + 40), v11 = v128.load32_splat(c, 4 * OWN + 44);
      }
    }
    if (has<Unit>() && gs == 1 && wd == 0) {
      // With decay, two vectors an iteration are 7 % faster than four in this loop: in V8's order of instructions the
      // unit for roots and quotients then never waits (Node 20 and 22; 2 % in 24 and 26).
      if (dec != 0) loop<Rule, Result, u8, UnscaledDecoupled, Wide>(n, p, g, s0, s1, s2, s3, vgs, dec, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
      else loop<Rule, Result, HalfRule, Unscaled, Wide>(n, p, g, s0, s1, s2, s3, vgs, 0, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    } else if (dec != 0) loop<Rule, Result, HalfRule, Decoupled, Wide>(n, p, g, s0, s1, s2, s3, vgs, dec, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    else if (wd != 0) loop<Rule, Result, HalfRule, Coupled, Wide>(n, p, g, s0, s1, s2, s3, vgs, wd, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    else loop<Rule, Result, HalfRule, Absent, Wide>(n, p, g, s0, s1, s2, s3, vgs, 0, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    if (at) at = list.next(at);
    if (!at) return;
    // The next record sets all of these. Zeroed, they are not alive across the call that finds it, so none is spilled.
    n = 0, p = 0, g = 0, s0 = 0, s1 = 0, s2 = 0, s3 = 0, wd = 0, dec = 0;
    vgs = v0 = v1 = v2 = v3 = v4 = v5 = v6 = v7 = v8 = v9 = v10 = v11 = f32x4.splat(0);
  }
}

/** Drives a rule over n elements of one tensor in one loop: for rules that reduce over each tensor, which are given no lists. */
// @ts-ignore: decorator
@inline
export function pass<Rule, Result, Decay = u8, Wide = u8>(
  n: i32, p: usize, g: usize, s0: usize, s1: usize, s2: usize, gs: f32, decay: f32,
  c0: f32 = 0, c1: f32 = 0, c2: f32 = 0, c3: f32 = 0, c4: f32 = 0, c5: f32 = 0, c6: f32 = 0, c7: f32 = 0, s3: usize = 0,
): void {
  const zero = f32x4.splat(0);
  loop<Rule, Result, u8, Decay, Wide>(
    n, p, g, s0, s1, s2, s3, f32x4.splat(gs), decay,
    f32x4.splat(c0), f32x4.splat(c1), f32x4.splat(c2), f32x4.splat(c3),
    f32x4.splat(c4), f32x4.splat(c5), f32x4.splat(c6), f32x4.splat(c7), zero, zero, zero, zero,
  );
}

/** The same for a list whose records all have their slots in bfloat16. */
// @ts-ignore: decorator
@inline
function sweepHalf<Rule>(at: usize): void {
  do {
    const n = load<i32>(at, LENGTH), p = load<usize>(at, PARAMETERS), g = load<usize>(at, GRADIENT);
    const s0 = load<usize>(at, SLOTS), s1 = load<usize>(at, SLOTS + 4), s2 = load<usize>(at, SLOTS + 8);
    const c = load<usize>(at, COEFFICIENTS);
    const vgs = v128.load32_splat(c), wd = load<f32>(c, 4 * WD), dec = load<f32>(c, 4 * DEC);
    const v0 = v128.load32_splat(c, 4 * OWN), v1 = v128.load32_splat(c, 4 * OWN + 4), v2 = v128.load32_splat(c, 4 * OWN + 8);
    const v3 = v128.load32_splat(c, 4 * OWN + 12), v4 = v128.load32_splat(c, 4 * OWN + 16), v5 = v128.load32_splat(c, 4 * OWN + 20);
    const v6 = v128.load32_splat(c, 4 * OWN + 24), v7 = v128.load32_splat(c, 4 * OWN + 28);
    const i = list.firstElement(n), t = list.step();
    if (dec != 0) loopHalf<Rule, Decoupled>(n, p, g, s0, s1, s2, vgs, dec, v0, v1, v2, v3, v4, v5, v6, v7, i, t);
    else if (wd != 0) loopHalf<Rule, Coupled>(n, p, g, s0, s1, s2, vgs, wd, v0, v1, v2, v3, v4, v5, v6, v7, i, t);
    else loopHalf<Rule, Absent>(n, p, g, s0, s1, s2, vgs, 0, v0, v1, v2, v3, v4, v5, v6, v7, i, t);
    at = list.next(at);
  } while (at);
}

/** Scratch in the first page: the first iteration has no vector before it to store, and stores zeros in these 64 bytes. */
const NOWHERE: usize = 1024;

// A vector is stored when the rule has been applied to the next: while vectors wait for their roots and quotients, the
// processor can hold too few of them to keep that unit busy. Four vectors an iteration are 10 % faster than two where the
// data exceeds the caches, level within them, and take twice the code: the rules that are used most take four.
// @ts-ignore: decorator
@inline
function loop<Rule, Result, HalfRule, Decay, Wide>(
  n: i32, p: usize, g: usize, s0: usize, s1: usize, s2: usize, s3: usize, vgs: v128, decay: f32,
  v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128, v6: v128, v7: v128, v8: v128, v9: v128, v10: v128, v11: v128,
): void {
  const vd = f32x4.splat(decay);
  const last = p + (<usize>n << 2);
  if (p == last) return;
  const bytes: usize = sizeof<HalfRule>() == 1 ? 32 : 64;
  let before = NOWHERE, u = f32x4.splat(0);
  do {
    const u0 = apply<Rule, Decay, Wide>(p, g, s0, s1, s2, s3, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    finish<Result, Decay>(before, u, vd);
    u = apply<Rule, Decay, Wide>(p + 16, g + 16, s0 + 16, s1 + 16, s2 + 16, s3 + 16, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    finish<Result, Decay>(p, u0, vd);
    if (sizeof<HalfRule>() > 1) {
      const u2 = apply<Rule, Decay, Wide>(p + 32, g + 32, s0 + 32, s1 + 32, s2 + 32, s3 + 32, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
      finish<Result, Decay>(p + 16, u, vd);
      u = apply<Rule, Decay, Wide>(p + 48, g + 48, s0 + 48, s1 + 48, s2 + 48, s3 + 48, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
      finish<Result, Decay>(p + 32, u2, vd);
    }
    before = p + (bytes - 16);
    p += bytes, g += bytes, s0 += bytes, s1 += bytes, s2 += bytes;
    if (has<Wide>()) s3 += bytes;
  } while (p < last);
  finish<Result, Decay>(before, u, vd);
}

/** Applies a rule to one vector. */
// @ts-ignore: decorator
@inline
function apply<Rule, Decay, Wide>(
  p: usize, g: usize, s0: usize, s1: usize, s2: usize, s3: usize, gs: v128, d: v128,
  v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128, v6: v128, v7: v128, v8: v128, v9: v128, v10: v128, v11: v128,
): v128 {
  return has<Wide>()
    ? changetype<Rule>(0).apply<Decay>(p, g, s0, s1, s2, s3, gs, d, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11)
    : changetype<Rule>(0).apply<Decay>(p, g, s0, s1, s2, gs, d, v0, v1, v2, v3, v4, v5, v6, v7);
}

/** Does what `Result` says with the vector u that a rule returned for the parameters at p. */
// @ts-ignore: decorator
@inline
function finish<Result, Decay>(p: usize, u: v128, dec: v128): void {
  if (sizeof<Result>() == sizeof<Moves>()) v128.store(p, moved<Decay>(p, u, dec));
  else if (sizeof<Result>() == sizeof<Becomes>()) v128.store(p, u);
}

// The same with slots in bfloat16. More arithmetic lies between, so a vector is stored four vectors later.
// @ts-ignore: decorator
@inline
function loopHalf<Rule, Decay>(
  n: i32, p: usize, g: usize, s0: usize, s1: usize, s2: usize,
  vgs: v128, decay: f32,
  v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128, v6: v128, v7: v128,
  i: i32, t: i32,
): void {
  const vd = f32x4.splat(decay);
  let r0 = dither(0, i, t), r1 = dither(1, i, t), r2 = dither(2, i, t);
  // Computed from variables: V8 since 2025 makes constant vectors anew in every iteration.
  const next0 = i32x4.sub(dither(0, i + 4, t), r0), next1 = i32x4.sub(dither(1, i + 4, t), r1);
  const next2 = i32x4.sub(dither(2, i + 4, t), r2);
  const last = p + (<usize>n << 2);
  let before = NOWHERE;
  let u0 = f32x4.splat(0), u1 = u0, u2 = u0, u3 = u0;
  do {
    const w0 = changetype<Rule>(0).apply<Decay>(p, g, s0, s1, s2, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, r0, r1, r2);
    r0 = i32x4.add(r0, next0), r1 = i32x4.add(r1, next1), r2 = i32x4.add(r2, next2);
    finish<Moves, Decay>(before, u0, vd);
    u0 = w0;
    const w1 = changetype<Rule>(0).apply<Decay>(p + 16, g + 16, s0 + 8, s1 + 8, s2 + 8, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, r0, r1, r2);
    r0 = i32x4.add(r0, next0), r1 = i32x4.add(r1, next1), r2 = i32x4.add(r2, next2);
    finish<Moves, Decay>(before + 16, u1, vd);
    u1 = w1;
    const w2 = changetype<Rule>(0).apply<Decay>(p + 32, g + 32, s0 + 16, s1 + 16, s2 + 16, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, r0, r1, r2);
    r0 = i32x4.add(r0, next0), r1 = i32x4.add(r1, next1), r2 = i32x4.add(r2, next2);
    finish<Moves, Decay>(before + 32, u2, vd);
    u2 = w2;
    const w3 = changetype<Rule>(0).apply<Decay>(p + 48, g + 48, s0 + 24, s1 + 24, s2 + 24, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, r0, r1, r2);
    r0 = i32x4.add(r0, next0), r1 = i32x4.add(r1, next1), r2 = i32x4.add(r2, next2);
    finish<Moves, Decay>(before + 48, u3, vd);
    u3 = w3;
    before = p;
    p += 64, g += 64, s0 += 32, s1 += 32, s2 += 32;
  } while (p < last);
  finish<Moves, Decay>(before, u0, vd);
  finish<Moves, Decay>(before + 16, u1, vd);
  finish<Moves, Decay>(before + 32, u2, vd);
  finish<Moves, Decay>(before + 48, u3, vd);
}
