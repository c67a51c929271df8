// Adam (Kingma, Ba 2015, arXiv:1412.6980), AdamW (Loshchilov, Hutter 2019, arXiv:1711.05101),
// AMSGrad (Reddi, Kale, Kumar 2018, arXiv:1904.09237). For one vector, one rounding per operation, in this order:
//   x = gs·g                      (coupled decay: + wd·θ)
//   m = b1·m + a1·x               a1 = 1 − β₁
//   v = b2·v + a2·(x·x)           a2 = 1 − β₂
//   h = max(h, v·j)               AMSGrad only; otherwise h is v
//   θ = θ − (s·m) / (√h·k + e)    (decoupled decay: θ − (dec·θ + …))
// PyTorch: s = lr/(1 − β₁ᵗ), k = 1/√(1 − β₂ᵗ). Keras: s = lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ), k = 1. j = 1.
// optax: as PyTorch, but AMSGrad keeps the maximum of the corrected v: j = 1/(1 − β₂ᵗ), k = 1.
// RAdam (Liu et al. 2020, arXiv:1908.03265): s times the rectification. radam.ts has the first steps, without it.
// `adamUpdate` writes (s·m) / (√h·k + e) to u and leaves θ: for cautious updates (cautious.ts) and StableAdamW.
import { Absent, Becomes, Bfloat16, Float32, Moves, Positive, Present, average, gradient, has, read, write } from "../lane";
import { pass, sweep } from "../sweep";

@unmanaged
class Adam<Max, Slot> {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    p: usize, g: usize, m: Slot, v: Slot, h: Slot, gs: v128, d: v128,
    b1: v128, a1: v128, b2: v128, a2: v128, s: v128, k: v128, e: v128, j: v128,
    r0: v128 = i32x4.splat(0), r1: v128 = i32x4.splat(0), r2: v128 = i32x4.splat(0),
  ): v128 {
    const x = gradient<Decay>(p, g, gs, d);
    let v1 = average<Slot, Positive>(b2, v, a2, f32x4.mul(x, x), r1);
    const m1 = average<Slot>(b1, m, a1, x, r0);
    if (has<Max>()) {
      v1 = f32x4.pmax(f32x4.mul(v1, j), read<Slot>(h)); // one instruction; a NaN in v is there for good, so in h too
      write<Slot, Positive>(h, v1, r2);
    }
    return f32x4.div(f32x4.mul(s, m1), f32x4.add(e, f32x4.mul(f32x4.sqrt(v1), k)));
  }
}

export function adam(
  n: i32, p: usize, g: usize, m: usize, v: usize, h: usize, gs: f32, wd: f32, dec: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, s: f32, k: f32, e: f32, j: f32,
): void {
  if (h) sweep<Adam<Present, Float32>>(n, p, g, m, v, h, gs, wd, dec, b1, a1, b2, a2, s, k, e, j);
  else sweep<Adam<Absent, Float32>, Moves, Adam<Absent, Bfloat16>, Present>(
    n, p, g, m, v, 0, gs, wd, dec, b1, a1, b2, a2, s, k, e,
  );
}

export function adamUpdate(
  n: i32, u: usize, g: usize, m: usize, v: usize, h: usize, gs: f32,
  b1: f32, a1: f32, b2: f32, a2: f32, s: f32, k: f32, e: f32, j: f32,
): void {
  if (h) pass<Adam<Present, Float32>, Becomes>(n, u, g, m, v, h, gs, 0, b1, a1, b2, a2, s, k, e, j);
  else pass<Adam<Absent, Float32>, Becomes>(n, u, g, m, v, 0, gs, 0, b1, a1, b2, a2, s, k, e);
}
