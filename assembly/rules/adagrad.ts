// Adagrad (Duchi, Hazan, Singer 2011, JMLR 12). For one vector, one rounding per operation, in this order:
//   x = gs·g                           (coupled decay: + wd·θ)
//   S = S + x·x
//   θ = θ − (s·x) / (√(S + ei) + eo)   (decoupled decay: θ − (dec·θ + …))
// s = lr/(1 + (t − 1)·lrDecay). PyTorch: ei = 0, eo = ε. Keras, optax: ei = ε, eo = 0.
// Where S ≤ `still`, θ does not move: optax has still = 0, the others −1, which S never reaches.
import { gradient } from "../lane";
import { sweep } from "../sweep";

@unmanaged
class Adagrad {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, S: usize, _1: usize, _2: usize, gs: v128, d: v128,
    s: v128, ei: v128, eo: v128, still: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    const sum = f32x4.add(v128.load(S), f32x4.mul(x, x));
    v128.store(S, sum);
    const u = f32x4.div(f32x4.mul(s, x), f32x4.add(f32x4.sqrt(f32x4.add(sum, ei)), eo));
    return v128.andnot(u, f32x4.le(sum, still));
  }
}

export function adagrad(
  n: i32, p: usize, g: usize, S: usize, gs: f32, wd: f32, dec: f32,
  s: f32, ei: f32, eo: f32, still: f32,
): void {
  sweep<Adagrad>(n, p, g, S, 0, 0, gs, wd, dec, s, ei, eo, still);
}
