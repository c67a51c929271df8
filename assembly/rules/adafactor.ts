// Adafactor (Shazeer, Stern 2018, arXiv:1804.04235). One rounding per operation, in this order. For a vector or a scalar:
//   x = gs·g
//   v = b·v + a·(x·x)                       a = t^β, b = 1 − a
//   u = x / √max(v, least)
// A tensor of more dimensions is a batch of matrices over its last two. Squares are summed in float64, those of a row in
// the order of step/reductions.ts, those of a column in the order of the rows; the means are rounded to float32.
//   r = b·r + a·(Σ x²/columns)              for each row
//   c = b·c + a·(Σ x²/rows)                 for each column
//   mean = max(Σ r/rows, floor)             Σ r in the order of step/reductions.ts, the mean rounded to float32
//   u = x / √max((r·c)/mean, least)
// floor = ε₁, least = ε₁². Then, with float64 sums over the tensor in the order of step/reductions.ts:
//   s = max(ε₂, ‖θ‖/√n)·min(lr, 1/√t) / max(1, ‖u‖/(√n·d))
//   θ = θ − s·u                             (decay: θ − (dec·θ + s·u), dec = lr·λ): by sgd's kernel with u as the gradient
import { Stored, average } from "../lane";
import { sweep } from "../sweep";
import { sumOfAbs, sumOfSquares } from "../step/reductions";

@unmanaged
class Unfactored {
  // @ts-ignore: decorator
  @inline
  apply<Decay>(
    _: usize, g: usize, v: usize, u: usize, _2: usize, gs: v128, d: v128,
    b: v128, a: v128, least: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const x = f32x4.mul(gs, v128.load(g));
    const v1 = average(b, v, a, f32x4.mul(x, x));
    const y = f32x4.div(x, f32x4.sqrt(f32x4.max(v1, least)));
    v128.store(u, y);
    return y;
  }
}

// With v, n elements of it; with v = 0, the rows r and columns c of `batch` matrices. The scratch holds a float64 per column.
export function adafactor(
  n: i32, batch: i32, rows: i32, columns: i32, g: usize, r: usize, c: usize, v: usize, u: usize, scratch: usize,
  gs: f32, b: f32, a: f32, least: f32, floor: f32,
): void {
  if (v) {
    sweep<Unfactored, Stored>(n, g, g, v, u, 0, gs, 0, 0, b, a, least);
    return;
  }
  const bytes = <usize>columns << 2;
  for (; batch; batch--) {
    const end = u + <usize>rows * bytes;
    memory.fill(scratch, 0, bytes << 1);
    for (let row = u, to = r; row < end; row += bytes, g += bytes, to += 4) {
      scaleRow(columns, g, row, scratch, gs);
      blend(to, b, a, sumOfSquares(columns, row) / <f64>columns);
    }
    for (let j: usize = 0; j < bytes; j += 4) blend(c + j, b, a, load<f64>(scratch + (j << 1)) / <f64>rows);
    const mean = max(<f32>(sumOfAbs(rows, r) / <f64>rows), floor);
    for (; u < end; u += bytes, r += 4) divideRow(columns, u, load<f32>(r), c, mean, least);
    c += bytes;
  }
}

// x ← b·x + a·y.
// @ts-ignore: decorator
@inline
function blend(at: usize, b: f32, a: f32, y: f64): void {
  store<f32>(at, b * load<f32>(at) + a * <f32>y);
}

// u ← gs·g; adds each square to the sum of its column.
function scaleRow(columns: i32, g: usize, u: usize, sums: usize, gs: f32): void {
  const v = f32x4.splat(gs);
  for (const whole = u + (<usize>(columns & -4) << 2); u < whole; u += 16, g += 16, sums += 32) {
    const x = f32x4.mul(v, v128.load(g));
    v128.store(u, x);
    const low = f64x2.promote_low_f32x4(x);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.mul(low, low)));
    v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.mul(high, high)), 16);
  }
  for (let rest = columns & 3; rest; rest--, u += 4, g += 4, sums += 8) {
    const x = gs * load<f32>(g);
    store<f32>(u, x);
    store<f64>(sums, load<f64>(sums) + <f64>x * <f64>x);
  }
}

// u ← u/√max((r·c)/mean, least).
function divideRow(columns: i32, u: usize, r: f32, c: usize, mean: f32, least: f32): void {
  const vr = f32x4.splat(r), vmean = f32x4.splat(mean), vleast = f32x4.splat(least);
  for (const whole = u + (<usize>(columns & -4) << 2); u < whole; u += 16, c += 16) {
    const v = f32x4.max(f32x4.div(f32x4.mul(vr, v128.load(c)), vmean), vleast);
    v128.store(u, f32x4.div(v128.load(u), f32x4.sqrt(v)));
  }
  for (let rest = columns & 3; rest; rest--, u += 4, c += 4) {
    store<f32>(u, load<f32>(u) / Mathf.sqrt(max(r * load<f32>(c) / mean, least)));
  }
}
