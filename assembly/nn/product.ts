// C[m, n] = Σ A[m, k]·B[k, n] over k in float32. Every element has one accumulator, which takes its products in order:
//
//   c = +0;  for each k: c = f32(c + f32(a·b))
//
// Blocks of k go on from the stored c. So the bits depend on no tile and no block, a row of C on no other row of A, and
// a plain loop gives the same.
//
// Operands are packed into panels (pack.ts) by blocks, cut evenly: at most 272 steps of k, so that a panel of B (17 KB)
// stays in the first cache together with two rows of A, and at most 128 rows, whose panels stay in the second.
// The scratch holds the panels of A, one of B, and a tile for the edges: 4·(128·272 + 16·272 + 2·16) bytes.
import { packColumns16, packColumns2, packRows16, packRows2 } from "./pack";

const MAX_K: i32 = 272;
const MAX_ROWS: i32 = 128;

// A is [m, k] where aByRows, else [k, m]; B is [n, k] where bByRows, else [k, n]. C overlaps neither; exactly its
// elements are written.
export function product(
  m: i32, n: i32, k: i32, aByRows: bool, bByRows: bool, a: usize, b: usize, c: usize, scratch: usize,
): void {
  const aStride = <usize>(aByRows ? k : m) << 2;
  const bStride = <usize>(bByRows ? k : n) << 2;
  const cStride = <usize>n << 2;
  const panel = scratch + (<usize>(MAX_ROWS * MAX_K) << 2);
  const edge = panel + (<usize>(16 * MAX_K) << 2);
  const mBlock = (evenly(m, MAX_ROWS) + 1) & -2;
  const kBlock = evenly(k, MAX_K);

  for (let m0 = 0; m0 < m; m0 += mBlock) {
    const mEnd = min(m0 + mBlock, m);
    for (let k0 = 0; k0 < k; k0 += kBlock) {
      const steps = min(kBlock, k - k0);
      let pair = scratch;
      for (let i = m0; i < mEnd; i += 2, pair += <usize>steps << 3) {
        if (aByRows) packRows2(mEnd - i, steps, at(a, i, k0, aStride), aStride, pair);
        else packColumns2(mEnd - i, steps, at(a, k0, i, aStride), aStride, pair);
      }
      for (let j = 0; j < n; j += 16) {
        const columns = min(16, n - j);
        if (bByRows) packRows16(columns, steps, at(b, j, k0, bStride), bStride, panel);
        else packColumns16(columns, steps, at(b, k0, j, bStride), bStride, panel);
        pair = scratch;
        for (let i = m0; i < mEnd; i += 2, pair += <usize>steps << 3) {
          const rows = min(2, mEnd - i);
          const to = at(c, i, j, cStride);
          if (rows == 2 && columns == 16) {
            tile(steps, k0 == 0, pair, panel, to, cStride);
          } else {
            copyTile(rows, columns, to, cStride, edge, 64);
            tile(steps, k0 == 0, pair, panel, edge, 64);
            copyTile(rows, columns, edge, 64, to, cStride);
          }
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

function copyTile(rows: i32, columns: i32, from: usize, fromStride: usize, to: usize, toStride: usize): void {
  for (; rows; rows--, from += fromStride, to += toStride) {
    for (let j: usize = 0; j < <usize>columns << 2; j += 4) store<f32>(to + j, load<f32>(from + j));
  }
}

// A tile of 2 × 16 over all steps of two panels, from zero or from the stored c.
//
// Engines load all operands of a basic block first: two steps in one block would need more than the 16 vector registers
// and spill. So each of the eight steps ends with a real test for the end. (4 × 8 needs as many loads and registers, but
// twice the broadcasts, and an address computation goes with each of them.)
function tile(steps: i32, fresh: bool, a: usize, b: usize, c: usize, stride: usize): void {
  const d = c + stride;
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0;
  if (!fresh) {
    c0 = v128.load(c), c1 = v128.load(c, 16), c2 = v128.load(c, 32), c3 = v128.load(c, 48);
    d0 = v128.load(d), d1 = v128.load(d, 16), d2 = v128.load(d, 32), d3 = v128.load(d, 48);
  }
  const end = a + (<usize>steps << 3);
  const end1 = end - 8, end2 = end - 16, end3 = end - 24, end4 = end - 32;
  const end5 = end - 40, end6 = end - 48, end7 = end - 56, end8 = end - 64;
  let x: v128, b0: v128, b1: v128, b2: v128, b3: v128;
  while (true) {
    b0 = v128.load(b, 0), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
    x = v128.load32_splat(a, 0);
    c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
    x = v128.load32_splat(a, 4);
    d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
    if (a == end1) break;
    b0 = v128.load(b, 64), b1 = v128.load(b, 80), b2 = v128.load(b, 96), b3 = v128.load(b, 112);
    x = v128.load32_splat(a, 8);
    c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
    x = v128.load32_splat(a, 12);
    d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
    if (a == end2) break;
    b0 = v128.load(b, 128), b1 = v128.load(b, 144), b2 = v128.load(b, 160), b3 = v128.load(b, 176);
    x = v128.load32_splat(a, 16);
    c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
    x = v128.load32_splat(a, 20);
    d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
    if (a == end3) break;
    b0 = v128.load(b, 192), b1 = v128.load(b, 208), b2 = v128.load(b, 224), b3 = v128.load(b, 240);
    x = v128.load32_splat(a, 24);
    c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
    x = v128.load32_splat(a, 28);
    d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
    if (a == end4) break;
    b0 = v128.load(b, 256), b1 = v128.load(b, 272), b2 = v128.load(b, 288), b3 = v128.load(b, 304);
    x = v128.load32_splat(a, 32);
    c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
    x = v128.load32_splat(a, 36);
    d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
    if (a == end5) break;
    b0 = v128.load(b, 320), b1 = v128.load(b, 336), b2 = v128.load(b, 352), b3 = v128.load(b, 368);
    x = v128.load32_splat(a, 40);
    c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
    x = v128.load32_splat(a, 44);
    d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
    if (a == end6) break;
    b0 = v128.load(b, 384), b1 = v128.load(b, 400), b2 = v128.load(b, 416), b3 = v128.load(b, 432);
    x = v128.load32_splat(a, 48);
    c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
    x = v128.load32_splat(a, 52);
    d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
    if (a == end7) break;
    b0 = v128.load(b, 448), b1 = v128.load(b, 464), b2 = v128.load(b, 480), b3 = v128.load(b, 496);
    x = v128.load32_splat(a, 56);
    c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
    x = v128.load32_splat(a, 60);
    d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
    if (a == end8) break;
    a += 64;
    b += 512;
  }
  v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
  v128.store(d, d0), v128.store(d, d1, 16), v128.store(d, d2, 32), v128.store(d, d3, 48);
}

// @ts-ignore: decorator
@inline
function plus(c: v128, x: v128, b: v128): v128 {
  return f32x4.add(c, f32x4.mul(x, b));
}
