// Activations y = act(z) and their gradients dz = dy·act′(z), one rounding per operation:
//
//   relu     y = max(z, 0)            dz = dy where y > 0, else 0
//   tanh     y = tanh z               dz = dy·(1 − y·y)
//   sigmoid  y = σ(z)                 dz = dy·(y·(1 − y))
//   gelu     y = z·σ(a)               dz = dy·(σ(a) + (z·σ′(a))·(s + q·z²))
//   silu     y = z·σ(z)               dz = dy·(σ(z)·(1 + z·(1 − σ(z))))
//   leaky    y = z where z > 0,       dz = dy where z > 0, else dy·slope
//            else z·slope
//            a = z·(s + c·z²), s = 2√(2/π), c = 0.044715·s, q = 3c
//
// gelu is the tanh form (Hendrycks, Gimpel 2016), with ½(1 + tanh u) = σ(2u). The gradients of gelu, silu and leaky
// are functions of the input z, the others of the output y. NaN stays NaN.
//
// n is rounded up to whole vectors: buffers are padded to 16 bytes, and the padding is read and written like the elements.
// An output may be the same buffer as an input.
import { firstOfPart, lastOfPart } from "../products/parts";
import { exp, logistic, tanh as hyperbolicTangent } from "./math";

const S: f32 = 1.5957691216057308;
const C: f32 = 0.07135481282553047;
const Q: f32 = 0.2140644384765914;

@unmanaged
class Relu {
  // @ts-ignore: decorator
  @inline
  value(z: v128): v128 {
    return f32x4.pmax(z, f32x4.splat(0));
  }
  // @ts-ignore: decorator
  @inline
  gradient(y: v128, dy: v128): v128 {
    return v128.andnot(dy, f32x4.le(y, f32x4.splat(0)));
  }
}

@unmanaged
class Tanh {
  // @ts-ignore: decorator
  @inline
  value(z: v128): v128 {
    return hyperbolicTangent(z);
  }
  // @ts-ignore: decorator
  @inline
  gradient(y: v128, dy: v128): v128 {
    return f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)));
  }
}

@unmanaged
class Sigmoid {
  // @ts-ignore: decorator
  @inline
  value(z: v128): v128 {
    return logistic(z);
  }
  // @ts-ignore: decorator
  @inline
  gradient(y: v128, dy: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(y, f32x4.sub(f32x4.splat(1), y)));
  }
}

@unmanaged
class Gelu {
  // @ts-ignore: decorator
  @inline
  value(z: v128, e: v128): v128 {
    const one = f32x4.splat(1);
    return f32x4.mul(z, f32x4.div(v128.bitselect(one, e, f32x4.ge(z, f32x4.splat(0))), f32x4.add(one, e)));
  }
  // The factor of dy. σ = (z ≥ 0 ? 1 : e)/(1 + e) and σ′ = e/(1 + e)² with e = e^−|a|. Beyond |z| = 16, σ′ is 0 in float32: the clamp
  // avoids 0·∞.
  // @ts-ignore: decorator
  @inline
  slope(z: v128, e: v128): v128 {
    const one = f32x4.splat(1);
    const r = f32x4.div(one, f32x4.add(one, e));
    const sigma = f32x4.mul(v128.bitselect(one, e, f32x4.ge(z, f32x4.splat(0))), r);
    const clamped = f32x4.pmin(f32x4.pmax(z, f32x4.splat(-16)), f32x4.splat(16));
    const steepness = f32x4.add(f32x4.splat(S), f32x4.mul(f32x4.splat(Q), f32x4.mul(clamped, clamped)));
    const change = f32x4.mul(f32x4.mul(clamped, f32x4.mul(e, f32x4.mul(r, r))), steepness);
    return f32x4.add(sigma, change);
  }
}

@unmanaged
class Factor {
  // @ts-ignore: decorator
  @inline
  gradient(factor: v128, dy: v128): v128 {
    return f32x4.mul(dy, factor);
  }
}

@unmanaged
class Silu {
  // @ts-ignore: decorator
  @inline
  value(z: v128): v128 {
    return f32x4.mul(z, logistic(z));
  }
  // @ts-ignore: decorator
  @inline
  gradient(z: v128, dy: v128): v128 {
    const one = f32x4.splat(1), sigma = logistic(z);
    return f32x4.mul(dy, f32x4.mul(sigma, f32x4.add(one, f32x4.mul(z, f32x4.sub(one, sigma)))));
  }
}

// @ts-ignore: decorator
@inline
function gate(z: v128): v128 {
  return f32x4.mul(z, f32x4.add(f32x4.splat(S), f32x4.mul(f32x4.splat(C), f32x4.mul(z, z))));
}

// @ts-ignore: decorator
@inline
function forward<Activation>(n: i32, z: usize, y: usize): void {
  const first = <usize>firstOfPart(n) << 2, end = z + (<usize>lastOfPart(n) << 2);
  for (z += first, y += first; z < end; z += 16, y += 16) {
    v128.store(y, changetype<Activation>(0).value(v128.load(z)));
  }
}

// @ts-ignore: decorator
@inline
function backward<Activation>(n: i32, at: usize, dy: usize, dz: usize): void {
  const first = <usize>firstOfPart(n) << 2, end = at + (<usize>lastOfPart(n) << 2);
  for (at += first, dy += first, dz += first; at < end; at += 16, dy += 16, dz += 16) {
    v128.store(dz, changetype<Activation>(0).gradient(v128.load(at), v128.load(dy)));
  }
}

// x where z > 0 or is NaN, else x·slope.
// @ts-ignore: decorator
@inline
function leak(z: v128, x: v128, slope: v128): v128 {
  return v128.bitselect(f32x4.mul(x, slope), x, f32x4.le(z, f32x4.splat(0)));
}

export function leakyRelu(n: i32, z: usize, y: usize, slope: f32): void {
  leakyReluGradient(n, z, z, y, slope);
}
export function leakyReluGradient(n: i32, z: usize, dy: usize, dz: usize, slope: f32): void {
  const first = <usize>firstOfPart(n) << 2, end = z + (<usize>lastOfPart(n) << 2), factor = f32x4.splat(slope);
  for (z += first, dy += first, dz += first; z < end; z += 16, dy += 16, dz += 16)
    v128.store(dz, leak(v128.load(z), v128.load(dy), factor));
}
export function silu(n: i32, z: usize, y: usize): void {
  forward<Silu>(n, z, y);
}
export function siluGradient(n: i32, z: usize, dy: usize, dz: usize): void {
  backward<Silu>(n, z, dy, dz);
}
export function relu(n: i32, z: usize, y: usize): void {
  forward<Relu>(n, z, y);
}
export function reluGradient(n: i32, y: usize, dy: usize, dz: usize): void {
  backward<Relu>(n, y, dy, dz);
}
export function tanh(n: i32, z: usize, y: usize): void {
  forward<Tanh>(n, z, y);
}
export function tanhGradient(n: i32, y: usize, dy: usize, dz: usize): void {
  backward<Tanh>(n, y, dy, dz);
}
export function sigmoid(n: i32, z: usize, y: usize): void {
  forward<Sigmoid>(n, z, y);
}
export function sigmoidGradient(n: i32, y: usize, dy: usize, dz: usize): void {
  backward<Sigmoid>(n, y, dy, dz);
}
// Also keeps the factors of dy, which share the exponential: then the gradient is a product. y may be z.
export function gelu(n: i32, z: usize, y: usize, factors: usize): void {
  const first = <usize>firstOfPart(n) << 2, end = z + (<usize>lastOfPart(n) << 2), rule = changetype<Gelu>(0);
  for (z += first, y += first, factors += first; z < end; z += 16, y += 16, factors += 16) {
    const x = v128.load(z), e = exp(f32x4.neg(f32x4.abs(gate(x))));
    v128.store(factors, rule.slope(x, e));
    v128.store(y, rule.value(x, e));
  }
}
export function multiply(n: i32, factors: usize, dy: usize, dz: usize): void {
  backward<Factor>(n, factors, dy, dz);
}
