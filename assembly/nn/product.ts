// C[m, n] = Σ A[m, k]·B[k, n] over k in float32. Every element has one accumulator, which takes its products in order:
//
//   c = +0;  for each k: c = f32(c + f32(a·b))
//
// Blocks of k go on from the stored c. So the bits depend on no tile and no block, a row of C on no other row of A, and
// a plain loop gives the same.
//
// Operands are packed into panels (pack.ts) by blocks, cut evenly: at most 272 steps of k, so that a panel of B (17 KB)
// stays in the first cache together with two rows of A, and at most 128 rows, whose panels stay in the second.
//
// With `skip`, steps at which a pair of A's rows is zero are left out where that is a good part of them. No bit changes,
// since a sum that starts at +0 never becomes −0 and adding ±0 leaves it alone; only a NaN or an infinity of B that
// would have met such a zero may leave no trace.
//
// The scratch holds the panels of A, one of B, a tile, and how many steps each pair has:
// 12·64·272 + 4·(16·272 + 2·16 + 64) bytes.
import { copyTile, turnTile, sparseTile, tile } from "./tile";
import { compact, packColumns16, packColumns2, packRows16, packRows2 } from "./pack";

const MAX_K: i32 = 272;
const MAX_ROWS: i32 = 128;

let part = 0, parts = 1;

// Has the products that follow make only one of `count` parts of C's rows, as one of several threads: the same bits.
export function takePart(index: i32, count: i32): void {
  part = index;
  parts = count;
}

// A is [m, k] where aByRows, else [k, m]; B is [n, k] where bByRows, else [k, n]; C is [m, n], or [n, m] where turned.
// C overlaps neither; exactly its elements are written.
export function product(
  m: i32, n: i32, k: i32, aByRows: bool, bByRows: bool, turned: bool, skip: bool,
  a: usize, b: usize, c: usize, scratch: usize,
): void {
  const aStride = <usize>(aByRows ? k : m) << 2;
  const bStride = <usize>(bByRows ? k : n) << 2;
  const cRow = turned ? 4 : <usize>n << 2;
  const cColumn = turned ? <usize>m << 2 : 4;
  const panel = scratch + <usize>(MAX_ROWS / 2 * MAX_K * 12);
  const edge = panel + (<usize>(16 * MAX_K) << 2);
  const counts = edge + 128;
  const mFirst = (m / parts * part) & -2, mLast = part + 1 == parts ? m : (m / parts * (part + 1)) & -2;
  if (mFirst == mLast) return;
  const mBlock = (evenly(mLast - mFirst, MAX_ROWS) + 1) & -2;
  const kBlock = evenly(k, MAX_K);

  for (let m0 = mFirst; m0 < mLast; m0 += mBlock) {
    const mEnd = min(m0 + mBlock, mLast);
    for (let k0 = 0; k0 < k; k0 += kBlock) {
      const steps = min(kBlock, k - k0);
      const slot = <usize>steps * (skip ? 12 : 8);
      const plain = slot - (<usize>steps << 3); // where in its slot a pair stands that keeps all steps
      let pair = scratch;
      let count = counts;
      for (let i = m0; i < mEnd; i += 2, pair += slot, count += 4) {
        const kept = aByRows
          ? packRows2(mEnd - i, steps, at(a, i, k0, aStride), aStride, pair + plain)
          : packColumns2(mEnd - i, steps, at(a, k0, i, aStride), aStride, pair + plain);
        const few = skip && kept << 3 < steps * 5;
        if (few) compact(steps, pair + plain, pair);
        store<i32>(count, few ? kept : -1);
      }
      for (let j = 0; j < n; j += 16) {
        const columns = min(16, n - j);
        if (bByRows) packRows16(columns, steps, at(b, j, k0, bStride), bStride, panel);
        else packColumns16(columns, steps, at(b, k0, j, bStride), bStride, panel);
        pair = scratch;
        count = counts;
        for (let i = m0; i < mEnd; i += 2, pair += slot, count += 4) {
          const rows = min(2, mEnd - i);
          const to = c + <usize>i * cRow + <usize>j * cColumn;
          const whole = rows == 2 && columns == 16;
          const direct = whole && !turned;
          const sums = direct ? to : edge;
          const stride = direct ? cRow : 64;
          if (k0 && !direct) copyTile(rows, columns, to, cRow, cColumn, edge, 64, 4);
          const kept = load<i32>(count);
          if (kept < 0) tile(steps, k0 == 0, pair + plain, panel, sums, stride);
          else sparseTile(kept, k0 == 0, pair, panel, sums, stride);
          if (direct) continue;
          if (whole) turnTile(edge, to, cColumn);
          else copyTile(rows, columns, edge, 64, 4, to, cRow, cColumn);
        }
      }
    }
  }
}

// The size of the pieces when `total` is cut evenly into as few as possible of at most `most`.
// @ts-ignore: decorator
@inline
function evenly(total: i32, most: i32): i32 {
  const pieces = (total + most - 1) / most;
  return (total + pieces - 1) / pieces;
}

// @ts-ignore: decorator
@inline
function at(base: usize, row: i32, column: i32, stride: usize): usize {
  return base + <usize>row * stride + (<usize>column << 2);
}
