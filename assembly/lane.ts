// Arithmetic on one vector of four float32, in which the rules are written, and the tags that choose their variants.
import { packHalf, packPositiveHalf, unpackHalf } from "./state/small-formats";

// Tags are type arguments that choose what is compiled: `sizeof<Tag>()` is a constant, so branches on it cost nothing.
export type Absent = u8;
export type Present = u16;

// Kinds of weight decay; `Absent` is one of them.
export type Coupled = u32;
export type Decoupled = u64;
/** No decay, or decoupled decay, where the factor of the gradients is 1. Signed, to tell them apart. */
export type Unscaled = i8;
export type UnscaledDecoupled = i64;

// What happens to the vector that a rule returns: θ moves by it, θ becomes it, or nothing, since the rule has stored it.
export type Moves = u8;
export type Becomes = u16;
export type Stored = u32;

// How a slot is stored, as the type of its address.
export type Float32 = usize;
export type Bfloat16 = isize;

// Whether a slot has a sign or is never negative.
export type Signed = u8;
export type Positive = u16;

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

/** slot ← x; r is the slot's dither, which only bfloat16 uses. */
// @ts-ignore: decorator
@inline
export function write<Slot, Sign>(slot: Slot, x: v128, r: v128): void {
  if (!isSigned<Slot>()) v128.store(slot, x);
  else if (sizeof<Sign>() == sizeof<Positive>()) packPositiveHalf(slot, x, r);
  else packHalf(slot, x, r);
}

/** slot ← b·slot + a·x; returns the new value. */
// @ts-ignore: decorator
@inline
export function average<Slot, Sign = u8>(b: v128, slot: Slot, a: v128, x: v128, r: v128 = i32x4.splat(0)): v128 {
  const y = f32x4.add(f32x4.mul(a, x), f32x4.mul(b, read<Slot>(slot)));
  write<Slot, Sign>(slot, y, r);
  return y;
}

/** θ − u, or θ − (dec·θ + u) under decoupled decay: only one rounding is of θ's size, whereas θ·(1 − dec) would drift.
 * V8 keeps the order of the operands; u, which arrives last, comes first: AdamW is 5 % faster so. */
// @ts-ignore: decorator
@inline
export function moved<Decay>(p: usize, u: v128, dec: v128): v128 {
  const x = v128.load(p);
  return f32x4.sub(x, sizeof<Decay>() == sizeof<Decoupled>() ? f32x4.add(u, f32x4.mul(dec, x)) : u);
}

/** The largest float32. */
export const LARGEST: f32 = 3.4028234663852886e38;

/** 1 or −1, or x itself where it is ±0 or NaN. */
// @ts-ignore: decorator
@inline
export function sign(x: v128): v128 {
  const one = v128.or(v128.and(x, f32x4.splat(-0.0)), f32x4.splat(1));
  return v128.bitselect(one, x, f32x4.gt(f32x4.abs(x), f32x4.splat(0)));
}
