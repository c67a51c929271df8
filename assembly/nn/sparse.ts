// The product of product.ts for an A with many zeros: each row (or column) of A has a list of its nonzero elements
// (lists.ts), and only those are multiplied. The bits stay the same, since a sum that starts at +0 never becomes −0 and adding
// ±0 does not change it; only 0·NaN and 0·∞ are lost.
//
// B is packed into panels of 32 columns and at most MAX_SPARSE_K steps (25 KB, which fits into the first-level cache); lists
// are made for as many rows as the scratch has space for. A transposed C is written by way of a tile.
import { EDGE_ROWS, LISTS_BYTES, MAX_SPARSE_K, SPARSE_STEP } from "../layout/products";
import { listColumn, listColumns4, listRow } from "./lists";
import { packColumns, packRows } from "../products/pack";
import { copyTile, plus } from "../products/tile";
import { at, evenly, firstOfPart, lastOfPart } from "../products/parts";

// Arguments as for `product`; `transposed`: C is written as its transpose [n, m].
export function sparseProduct(
  m: i32, n: i32, k: i32, aByRows: bool, bByRows: bool, transposed: bool,
  a: usize, b: usize, c: usize, scratch: usize,
): void {
  const aStride = <usize>(aByRows ? k : m) << 2;
  const bStride = <usize>(bByRows ? k : n) << 2;
  const cRow = transposed ? 4 : <usize>n << 2;
  const cColumn = transposed ? <usize>m << 2 : 4;
  const panel = scratch + LISTS_BYTES;
  const edge = panel + <usize>(MAX_SPARSE_K * SPARSE_STEP);
  const table = edge + EDGE_ROWS * SPARSE_STEP;
  const mFirst = firstOfPart(m), mLast = lastOfPart(m);
  if (mFirst == mLast) return;
  const kBlock = evenly(k, MAX_SPARSE_K);
  const slot = (kBlock << 3) + 8;
  const mBlock = (evenly(mLast - mFirst, (LISTS_BYTES / slot) & -4) + 3) & -4;
  for (let i = 0; i < kBlock; i++) store<u32>(table + (<usize>i << 2), i * SPARSE_STEP);

  for (let m0 = mFirst; m0 < mLast; m0 += mBlock) {
    const mEnd = min(m0 + mBlock, mLast);
    for (let k0 = 0; k0 < k; k0 += kBlock) {
      const steps = min(kBlock, k - k0);
      let list = scratch;
      for (let i = m0; i < mEnd; ) {
        if (aByRows) {
          listRow(steps, at(a, i, k0, aStride), 0, panel, SPARSE_STEP, list);
        } else if (i + 4 <= mEnd) {
          listColumns4(steps, at(a, k0, i, aStride), aStride, table, panel, list, slot);
          i += 4;
          list += slot << 2;
          continue;
        } else listColumn(steps, at(a, k0, i, aStride), aStride, table, panel, list);
        i++;
        list += slot;
      }
      for (let j = 0; j < n; j += 32) {
        const columns = min(32, n - j);
        const half = columns <= 16;
        if (bByRows) packRows(columns, columns, steps, at(b, j, k0, bStride), bStride, panel, SPARSE_STEP);
        else {
          const from = at(b, k0, j, bStride);
          packColumns(columns, steps, from, bStride, panel, SPARSE_STEP);
          if (!half) packColumns(columns - 16, steps, from + 64, bStride, panel + 64, SPARSE_STEP);
        }
        list = scratch;
        if (!transposed && columns == (half ? 16 : 32)) {
          const to = at(c, m0, j, cRow);
          if (half) sparse16(mEnd - m0, list, slot, k0 == 0, to, cRow);
          else sparse32(mEnd - m0, list, slot, k0 == 0, to, cRow);
          continue;
        }
        for (let i = m0; i < mEnd; i += EDGE_ROWS, list += slot * EDGE_ROWS) {
          const rows = min(EDGE_ROWS, mEnd - i);
          const to = c + <usize>i * cRow + <usize>j * cColumn;
          const byFours = transposed && !(rows & 3);
          if (k0) {
            if (byFours) packRows(columns, columns, rows, to, cColumn, edge, SPARSE_STEP);
            else copyTile(rows, columns, to, cRow, cColumn, edge, SPARSE_STEP, 4);
          }
          if (half) sparse16(rows, list, slot, k0 == 0, edge, SPARSE_STEP);
          else sparse32(rows, list, slot, k0 == 0, edge, SPARSE_STEP);
          if (byFours) packRows(rows, rows, columns, edge, SPARSE_STEP, to, cColumn);
          else copyTile(rows, columns, edge, SPARSE_STEP, 4, to, cRow, cColumn);
        }
      }
    }
  }
}

// Rows of 32 sums, each over its list, from zero or from the stored c. What the list points to is read from `offset` on.
//
// Engines load all operands of a basic block first, and eight vectors of B would need more than the registers and spill. So
// a test in the middle, which is never true since a list never overlaps the sums, splits a step into two blocks, and the test
// for the end splits the steps.
// @ts-ignore: decorator
@inline
function ofLists(
  rows: i32, list: usize, slot: usize, offset: usize, fresh: bool, c: usize, stride: usize,
): void {
  for (; rows; rows--, list += slot, c += stride) {
    let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
    if (!fresh) {
      c0 = v128.load(c), c1 = v128.load(c, 16), c2 = v128.load(c, 32), c3 = v128.load(c, 48);
      c4 = v128.load(c, 64), c5 = v128.load(c, 80), c6 = v128.load(c, 96), c7 = v128.load(c, 112);
    }
    let a = list + 8;
    const end = a + (<usize>load<u32>(list) << 3);
    let b: usize, x: v128, b0: v128, b1: v128, b2: v128, b3: v128;
    if (a != end) {
      while (true) {
        b = <usize>load<u32>(a, 4) + offset;
        x = v128.load32_splat(a);
        b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
        c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
        if (a == c) break;
        b0 = v128.load(b, 64), b1 = v128.load(b, 80), b2 = v128.load(b, 96), b3 = v128.load(b, 112);
        c4 = plus(c4, x, b0), c5 = plus(c5, x, b1), c6 = plus(c6, x, b2), c7 = plus(c7, x, b3);
        a += 8;
        if (a == end) break;
        b = <usize>load<u32>(a, 4) + offset;
        x = v128.load32_splat(a);
        b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
        c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
        if (a == c) break;
        b0 = v128.load(b, 64), b1 = v128.load(b, 80), b2 = v128.load(b, 96), b3 = v128.load(b, 112);
        c4 = plus(c4, x, b0), c5 = plus(c5, x, b1), c6 = plus(c6, x, b2), c7 = plus(c7, x, b3);
        a += 8;
        if (a == end) break;
      }
    }
    v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
    v128.store(c, c4, 64), v128.store(c, c5, 80), v128.store(c, c6, 96), v128.store(c, c7, 112);
  }
}

export function sparse32(rows: i32, list: usize, slot: usize, fresh: bool, c: usize, stride: usize): void {
  ofLists(rows, list, slot, 0, fresh, c, stride);
}
export function addSparse32(rows: i32, list: usize, slot: usize, offset: usize, c: usize, stride: usize): void {
  ofLists(rows, list, slot, offset, false, c, stride);
}

// The same for 16 sums.
function sparse16(rows: i32, list: usize, slot: usize, fresh: bool, c: usize, stride: usize): void {
  for (; rows; rows--, list += slot, c += stride) {
    let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0;
    if (!fresh) c0 = v128.load(c), c1 = v128.load(c, 16), c2 = v128.load(c, 32), c3 = v128.load(c, 48);
    let a = list + 8;
    const end = a + (<usize>load<u32>(list) << 3);
    let b: usize, x: v128;
    while (a != end) {
      b = load<u32>(a, 4);
      x = v128.load32_splat(a);
      c0 = plus(c0, x, v128.load(b)), c1 = plus(c1, x, v128.load(b, 16));
      c2 = plus(c2, x, v128.load(b, 32)), c3 = plus(c3, x, v128.load(b, 48));
      a += 8;
    }
    v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
  }
}

// Whether more than `percent` of the elements are zero, judged by the whole vectors of every eighth row: then skipping pays.
export function hasZeros(rows: i32, columns: i32, x: usize, percent: i32): bool {
  const zero = f32x4.splat(0);
  let found = i32x4.splat(0);
  let seen: i64 = 0;
  for (let row = 0; row < rows; row += 8) {
    let at = x + (<usize>row * <usize>columns << 2);
    for (const end = at + (<usize>(columns & -4) << 2); at < end; at += 16)
      found = i32x4.sub(found, f32x4.eq(v128.load(at), zero));
    seen += columns & -4;
  }
  const sum = i32x4.extract_lane(found, 0) + i32x4.extract_lane(found, 1) + i32x4.extract_lane(found, 2) +
    i32x4.extract_lane(found, 3);
  return <i64>sum * 100 > seen * percent;
}
