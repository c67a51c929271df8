// Matrix product C[m, n] = Σ A[m, k]·B[k, n] over k in float32. Every element has one accumulator, to which its products are
// added in order:
//
//   c = +0;  for each k: c = f32(c + f32(a·b))
//
// Each block of k continues from the stored c. So the bits do not depend on tiles and blocks, a row of C depends on no other
// row of A, and a plain loop gives the same.
//
// Blocks of the operands are packed into panels (pack.ts), cut evenly into at most MAX_K steps and MAX_ROWS rows. The scratch
// holds the panels of A, one of B and the tiles at an edge, which is less than sparse.ts needs.
import { MAX_K, MAX_ROWS } from "../layout/products";
import { packColumns, packColumns2, packRows, packRows2 } from "./pack";
import { at, evenly, firstOfPart, lastOfPart } from "./parts";
import { copyTile, tiles } from "./tile";

// A is [m, k] where aByRows, else [k, m]; B is [n, k] where bByRows, else [k, n]; C is [m, n]. All are tightly packed.
// C overlaps neither; only its elements are written. Of these, a thread computes its part (parts.ts) of the rows.
export function product(
  m: i32, n: i32, k: i32, aByRows: bool, bByRows: bool, a: usize, b: usize, c: usize, scratch: usize,
): void {
  const aStride = <usize>(aByRows ? k : m) << 2, cStride = <usize>n << 2;
  const first = firstOfPart(m), rows = lastOfPart(m) - first;
  a += aByRows ? <usize>first * aStride : <usize>first << 2;
  productInto(rows, n, k, aByRows, bByRows, a, aStride, b, <usize>(bByRows ? k : n) << 2, c + <usize>first * cStride, cStride, scratch);
}

// The same with any strides between rows, in bytes, and not divided.
export function productInto(
  m: i32, n: i32, k: i32, aByRows: bool, bByRows: bool, a: usize, aStride: usize, b: usize, bStride: usize,
  c: usize, cRow: usize, scratch: usize,
): void {
  if (m == 0) return;
  const panel = scratch + <usize>(MAX_ROWS / 2 * MAX_K * 8);
  const edge = panel + (<usize>(16 * MAX_K) << 2);
  const mBlock = (evenly(m, MAX_ROWS) + 1) & -2;
  const kBlock = evenly(k, MAX_K);

  for (let m0 = 0; m0 < m; m0 += mBlock) {
    const mEnd = min(m0 + mBlock, m);
    for (let k0 = 0; k0 < k; k0 += kBlock) {
      const steps = min(kBlock, k - k0);
      const slot = <usize>steps << 3;
      let pair = scratch;
      for (let i = m0; i < mEnd; i += 2, pair += slot) {
        if (aByRows) packRows2(mEnd - i, steps, at(a, i, k0, aStride), aStride, pair);
        else packColumns2(mEnd - i, steps, at(a, k0, i, aStride), aStride, pair);
      }
      for (let j = 0; j < n; j += 16) {
        const columns = min(16, n - j);
        if (bByRows) packRows(16, columns, steps, at(b, j, k0, bStride), bStride, panel, 64);
        else packColumns(columns, steps, at(b, k0, j, bStride), bStride, panel, 64);
        const whole = columns == 16 ? (mEnd - m0) >> 1 : 0; // pairs of rows that are written in place
        if (whole) tiles(whole, steps, k0 == 0, scratch, panel, at(c, m0, j, cRow), cRow);
        const first = m0 + (whole << 1), rows = mEnd - first;
        if (rows) {
          const to = at(c, first, j, cRow);
          if (k0) copyTile(rows, columns, to, cRow, 4, edge, 64, 4);
          tiles((rows + 1) >> 1, steps, k0 == 0, scratch + <usize>whole * slot, panel, edge, 64);
          copyTile(rows, columns, edge, 64, 4, to, cRow, 4);
        }
      }
    }
  }
}
