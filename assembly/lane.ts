// Arithmetic on one vector of four float32, and the sweep that drives a rule over a run.
// A run starts on a 64-byte boundary in every buffer and its length is a multiple of 16 elements: no scalar tail, and
// whatever stands in the padding is read and written like the rest. A negative length says that there is a list of runs.
import { dither, packHalf, packPositiveHalf, unpackHalf } from "./state/small-formats";
import { DEC, OWN, WD } from "./layout/coefficients";
import { COEFFICIENTS, GRADIENT, LENGTH, PARAMETERS, SLOTS } from "./layout/run-list";
import * as list from "./step/run-list";

// Tags: what a rule is compiled with. They fold away in sizeof<Tag>().
export type Absent = u8;
export type Present = u16;
export type Coupled = u32;
export type Decoupled = u64;
/** No decay and a decoupled one where the factor of gradients is 1: signed. */
export type Unscaled = i8;
export type UnscaledDecoupled = i64;

// What becomes of the vector that a rule returns: θ moves by it, or becomes it, or the rule has stored it.
export type Moves = u8;
export type Becomes = u16;
export type Stored = u32;

// What a slot is kept in, as the type of its address.
export type Float32 = usize;
export type Bfloat16 = isize;

// Whether a slot's numbers are never negative.
export type Signed = u8;
export type Positive = u16;

/** In place of a rule with its slots in bfloat16: there is none, but the rule is used much. */
export type Often = u16;

// @ts-ignore: decorator
@inline
export function has<Tag>(): bool {
  return sizeof<Tag>() == sizeof<Present>();
}

/** The gradient as a rule sees it: gs·g, plus wd·θ under coupled decay. */
// @ts-ignore: decorator
@inline
export function gradient<Decay>(p: usize, g: usize, gs: v128, wd: v128): v128 {
  const x = isSigned<Decay>() ? v128.load(g) : f32x4.mul(gs, v128.load(g));
  return sizeof<Decay>() == sizeof<Coupled>() ? f32x4.add(x, f32x4.mul(wd, v128.load(p))) : x;
}

// @ts-ignore: decorator
@inline
export function read<Slot>(slot: Slot): v128 {
  return isSigned<Slot>() ? unpackHalf(slot) : v128.load(slot);
}

/** slot ← x; r is the slot's dither. */
// @ts-ignore: decorator
@inline
export function write<Slot, Sign>(slot: Slot, x: v128, r: v128): void {
  if (!isSigned<Slot>()) v128.store(slot, x);
  else if (sizeof<Sign>() == sizeof<Positive>()) packPositiveHalf(slot, x, r);
  else packHalf(slot, x, r);
}

/** slot ← b·slot + a·x. */
// @ts-ignore: decorator
@inline
export function average<Slot, Sign = u8>(b: v128, slot: Slot, a: v128, x: v128, r: v128 = i32x4.splat(0)): v128 {
  const y = f32x4.add(f32x4.mul(a, x), f32x4.mul(b, read<Slot>(slot)));
  write<Slot, Sign>(slot, y, r);
  return y;
}

/** θ − u; under decoupled decay θ − (dec·θ + u), one rounding at θ's size (θ·(1 − dec) would drift). V8 takes operands in
 * the order in which they are written: u first, which it has to wait for, makes AdamW 5 % faster. */
// @ts-ignore: decorator
@inline
export function moved<Decay>(p: usize, u: v128, dec: v128): v128 {
  const x = v128.load(p);
  return f32x4.sub(x, sizeof<Decay>() == sizeof<Decoupled>() ? f32x4.add(u, f32x4.mul(dec, x)) : u);
}

/** The largest float32. */
export const LARGEST: f32 = 3.4028234663852886e38;

/** 1, −1, or x itself where it is ±0 or NaN. */
// @ts-ignore: decorator
@inline
export function sign(x: v128): v128 {
  const one = v128.or(v128.and(x, f32x4.splat(-0.0)), f32x4.splat(1));
  return v128.bitselect(one, x, f32x4.gt(f32x4.abs(x), f32x4.splat(0)));
}

/** What is done to the parameters of a vector whose rule has returned u. */
// @ts-ignore: decorator
@inline
export function end<Result, Decay>(p: usize, u: v128, dec: v128): void {
  if (sizeof<Result>() == sizeof<Moves>()) v128.store(p, moved<Decay>(p, u, dec));
  else if (sizeof<Result>() == sizeof<Becomes>()) v128.store(p, u);
}

/** Drives a rule over n elements. A rule is an unmanaged class whose `apply<Decay>` updates the slots of one vector and
 * returns what θ moves by, or what `Result` says (u8: Moves); trailing slots and coefficients that it does not use are
 * named `_`. `Half` is the rule with all its slots in bfloat16, if it has such a one; others are unpacked for the rule.
 * `Plain` (u8: Absent): whether there are loops without the gradients' factor for where it is 1, as it mostly is. */
// @ts-ignore: decorator
@inline
export function sweep<Rule, Result = u8, Half = u8, Plain = u8>(
  n: i32, p: usize, g: usize, s0: usize, s1: usize, s2: usize,
  gs: f32, wd: f32, dec: f32,
  c0: f32 = 0, c1: f32 = 0, c2: f32 = 0, c3: f32 = 0, c4: f32 = 0, c5: f32 = 0, c6: f32 = 0, c7: f32 = 0,
): void {
  const halves = isInteger<Half>() ? 0 : list.halves(s0, s1, s2);
  if (!isInteger<Half>() && list.keeps(n, p, g, halves)) {
    sweepHalf<Half>(list.open(n, p, g, halves));
    return;
  }
  let at = n < 0 ? list.open(n, p, g, 0) : 0;
  let vgs = f32x4.splat(gs);
  let v0 = f32x4.splat(c0), v1 = f32x4.splat(c1), v2 = f32x4.splat(c2), v3 = f32x4.splat(c3);
  let v4 = f32x4.splat(c4), v5 = f32x4.splat(c5), v6 = f32x4.splat(c6), v7 = f32x4.splat(c7);
  while (true) {
    if (at) {
      n = load<i32>(at, LENGTH);
      p = load<usize>(at, PARAMETERS);
      g = load<usize>(at, GRADIENT);
      s0 = load<usize>(at, SLOTS);
      s1 = load<usize>(at, SLOTS + 4);
      s2 = load<usize>(at, SLOTS + 8);
      const c = load<usize>(at, COEFFICIENTS);
      if (has<Plain>()) gs = load<f32>(c);
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
    }
    if (has<Plain>() && gs == 1 && wd == 0) {
      // Where θ decays, two vectors an iteration are 7 % faster than four in this loop: with V8's order of instructions
      // the unit for roots and quotients never waits (Node 20 and 22; 2 % in 24 and 26).
      if (dec != 0) loop<Rule, Result, u8, UnscaledDecoupled>(n, p, g, s0, s1, s2, vgs, dec, v0, v1, v2, v3, v4, v5, v6, v7);
      else loop<Rule, Result, Half, Unscaled>(n, p, g, s0, s1, s2, vgs, 0, v0, v1, v2, v3, v4, v5, v6, v7);
    } else if (dec != 0) loop<Rule, Result, Half, Decoupled>(n, p, g, s0, s1, s2, vgs, dec, v0, v1, v2, v3, v4, v5, v6, v7);
    else if (wd != 0) loop<Rule, Result, Half, Coupled>(n, p, g, s0, s1, s2, vgs, wd, v0, v1, v2, v3, v4, v5, v6, v7);
    else loop<Rule, Result, Half, Absent>(n, p, g, s0, s1, s2, vgs, 0, v0, v1, v2, v3, v4, v5, v6, v7);
    if (at) at = list.next(at);
    if (!at) return;
    // What the next record sets: nothing stays alive while it is found, so nothing is spilled.
    n = 0, p = 0, g = 0, s0 = 0, s1 = 0, s2 = 0, wd = 0, dec = 0;
    vgs = v0 = v1 = v2 = v3 = v4 = v5 = v6 = v7 = f32x4.splat(0);
  }
}

/** The same over records of which all have their slots in bfloat16. */
// @ts-ignore: decorator
@inline
function sweepHalf<Half>(at: usize): void {
  do {
    const n = load<i32>(at, LENGTH), p = load<usize>(at, PARAMETERS), g = load<usize>(at, GRADIENT);
    const s0 = load<usize>(at, SLOTS), s1 = load<usize>(at, SLOTS + 4), s2 = load<usize>(at, SLOTS + 8);
    const c = load<usize>(at, COEFFICIENTS);
    const vgs = v128.load32_splat(c), wd = load<f32>(c, 4 * WD), dec = load<f32>(c, 4 * DEC);
    const v0 = v128.load32_splat(c, 4 * OWN), v1 = v128.load32_splat(c, 4 * OWN + 4), v2 = v128.load32_splat(c, 4 * OWN + 8);
    const v3 = v128.load32_splat(c, 4 * OWN + 12), v4 = v128.load32_splat(c, 4 * OWN + 16), v5 = v128.load32_splat(c, 4 * OWN + 20);
    const v6 = v128.load32_splat(c, 4 * OWN + 24), v7 = v128.load32_splat(c, 4 * OWN + 28);
    const i = list.first(n), t = list.step();
    if (dec != 0) loopHalf<Half, Decoupled>(n, p, g, s0, s1, s2, vgs, dec, v0, v1, v2, v3, v4, v5, v6, v7, i, t);
    else if (wd != 0) loopHalf<Half, Coupled>(n, p, g, s0, s1, s2, vgs, wd, v0, v1, v2, v3, v4, v5, v6, v7, i, t);
    else loopHalf<Half, Absent>(n, p, g, s0, s1, s2, vgs, 0, v0, v1, v2, v3, v4, v5, v6, v7, i, t);
    at = list.next(at);
  } while (at);
}

/** Where vectors of zeros end before the first. */
export const BEFORE: usize = memory.data(64);

// A vector ends when the next has begun: of what waits for its root and quotient, a processor holds too little to fill the
// time with. Four vectors an iteration are a tenth faster than two beyond the caches and level within, for twice the bytes:
// the rules used most take four.
// @ts-ignore: decorator
@inline
function loop<Rule, Result, Half, Decay>(
  n: i32, p: usize, g: usize, s0: usize, s1: usize, s2: usize,
  vgs: v128, decay: f32,
  v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128, v6: v128, v7: v128,
): void {
  const vd = f32x4.splat(decay);
  const last = p + (<usize>n << 2);
  if (p == last) return;
  const bytes: usize = sizeof<Half>() == 1 ? 32 : 64;
  let before = BEFORE, u = f32x4.splat(0);
  do {
    const u0 = changetype<Rule>(0).apply<Decay>(p, g, s0, s1, s2, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7);
    end<Result, Decay>(before, u, vd);
    u = changetype<Rule>(0).apply<Decay>(
      p + 16, g + 16, s0 + 16, s1 + 16, s2 + 16, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7,
    );
    end<Result, Decay>(p, u0, vd);
    if (sizeof<Half>() > 1) {
      const u2 = changetype<Rule>(0).apply<Decay>(
        p + 32, g + 32, s0 + 32, s1 + 32, s2 + 32, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7,
      );
      end<Result, Decay>(p + 16, u, vd);
      u = changetype<Rule>(0).apply<Decay>(
        p + 48, g + 48, s0 + 48, s1 + 48, s2 + 48, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7,
      );
      end<Result, Decay>(p + 32, u2, vd);
    }
    before = p + (bytes - 16);
    p += bytes;
    g += bytes;
    s0 += bytes;
    s1 += bytes;
    s2 += bytes;
  } while (p < last);
  end<Result, Decay>(before, u, vd);
}

// The same with slots in bfloat16: the arithmetic between takes longer, and a vector ends four later.
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
  // Not constants, which V8 from 2025 on makes anew in every iteration.
  const next0 = i32x4.sub(dither(0, i + 4, t), r0), next1 = i32x4.sub(dither(1, i + 4, t), r1);
  const next2 = i32x4.sub(dither(2, i + 4, t), r2);
  const last = p + (<usize>n << 2);
  let before = BEFORE;
  let u0 = f32x4.splat(0), u1 = u0, u2 = u0, u3 = u0;
  do {
    const w0 = changetype<Rule>(0).apply<Decay>(
      p, g, s0, s1, s2, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, r0, r1, r2,
    );
    r0 = i32x4.add(r0, next0);
    r1 = i32x4.add(r1, next1);
    r2 = i32x4.add(r2, next2);
    end<Moves, Decay>(before, u0, vd);
    u0 = w0;
    const w1 = changetype<Rule>(0).apply<Decay>(
      p + 16, g + 16, s0 + 8, s1 + 8, s2 + 8, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, r0, r1, r2,
    );
    r0 = i32x4.add(r0, next0);
    r1 = i32x4.add(r1, next1);
    r2 = i32x4.add(r2, next2);
    end<Moves, Decay>(before + 16, u1, vd);
    u1 = w1;
    const w2 = changetype<Rule>(0).apply<Decay>(
      p + 32, g + 32, s0 + 16, s1 + 16, s2 + 16, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, r0, r1, r2,
    );
    r0 = i32x4.add(r0, next0);
    r1 = i32x4.add(r1, next1);
    r2 = i32x4.add(r2, next2);
    end<Moves, Decay>(before + 32, u2, vd);
    u2 = w2;
    const w3 = changetype<Rule>(0).apply<Decay>(
      p + 48, g + 48, s0 + 24, s1 + 24, s2 + 24, vgs, vd, v0, v1, v2, v3, v4, v5, v6, v7, r0, r1, r2,
    );
    r0 = i32x4.add(r0, next0);
    r1 = i32x4.add(r1, next1);
    r2 = i32x4.add(r2, next2);
    end<Moves, Decay>(before + 48, u3, vd);
    u3 = w3;
    before = p;
    p += 64;
    g += 64;
    s0 += 32;
    s1 += 32;
    s2 += 32;
  } while (p < last);
  end<Moves, Decay>(before, u0, vd);
  end<Moves, Decay>(before + 16, u1, vd);
  end<Moves, Decay>(before + 32, u2, vd);
  end<Moves, Decay>(before + 48, u3, vd);
}
