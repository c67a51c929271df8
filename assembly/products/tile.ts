// The innermost loops of the products: tiles of 2 × 16 sums.
//
// `tiles` computes `pairs` tiles, one below the other, over all steps of consecutive panels of A and one panel of B. The sums
// start at zero (`fresh`) or at the stored c, whose rows are `stride` bytes apart.
//
// Engines load all operands of a basic block first, and two steps in one block would need more than the 16 vector registers
// and spill. So each of the eight steps ends with a test for the end. (Tiles of 4 × 8 need as many loads and registers, but
// twice the broadcasts, each with an address computation.)
export function tiles(
  pairs: i32, steps: i32, fresh: bool, a: usize, panel: usize, c: usize, stride: usize,
): void {
  for (; pairs; pairs--, c += 2 * stride) {
    const d = c + stride;
    let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0;
    if (!fresh) {
      c0 = v128.load(c), c1 = v128.load(c, 16), c2 = v128.load(c, 32), c3 = v128.load(c, 48);
      d0 = v128.load(d), d1 = v128.load(d, 16), d2 = v128.load(d, 32), d3 = v128.load(d, 48);
    }
    let b = panel;
    const end = a + (<usize>steps << 3);
    let x: v128, b0: v128, b1: v128, b2: v128, b3: v128;
    while (true) {
      b0 = v128.load(b, 0), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
      x = v128.load32_splat(a);
      c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
      x = v128.load32_splat(a, 4);
      d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
      a += 8;
      if (a == end) break;
      b0 = v128.load(b, 64), b1 = v128.load(b, 80), b2 = v128.load(b, 96), b3 = v128.load(b, 112);
      x = v128.load32_splat(a);
      c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
      x = v128.load32_splat(a, 4);
      d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
      a += 8;
      if (a == end) break;
      b0 = v128.load(b, 128), b1 = v128.load(b, 144), b2 = v128.load(b, 160), b3 = v128.load(b, 176);
      x = v128.load32_splat(a);
      c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
      x = v128.load32_splat(a, 4);
      d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
      a += 8;
      if (a == end) break;
      b0 = v128.load(b, 192), b1 = v128.load(b, 208), b2 = v128.load(b, 224), b3 = v128.load(b, 240);
      x = v128.load32_splat(a);
      c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
      x = v128.load32_splat(a, 4);
      d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
      a += 8;
      if (a == end) break;
      b0 = v128.load(b, 256), b1 = v128.load(b, 272), b2 = v128.load(b, 288), b3 = v128.load(b, 304);
      x = v128.load32_splat(a);
      c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
      x = v128.load32_splat(a, 4);
      d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
      a += 8;
      if (a == end) break;
      b0 = v128.load(b, 320), b1 = v128.load(b, 336), b2 = v128.load(b, 352), b3 = v128.load(b, 368);
      x = v128.load32_splat(a);
      c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
      x = v128.load32_splat(a, 4);
      d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
      a += 8;
      if (a == end) break;
      b0 = v128.load(b, 384), b1 = v128.load(b, 400), b2 = v128.load(b, 416), b3 = v128.load(b, 432);
      x = v128.load32_splat(a);
      c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
      x = v128.load32_splat(a, 4);
      d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
      a += 8;
      if (a == end) break;
      b0 = v128.load(b, 448), b1 = v128.load(b, 464), b2 = v128.load(b, 480), b3 = v128.load(b, 496);
      x = v128.load32_splat(a);
      c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
      x = v128.load32_splat(a, 4);
      d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
      a += 8;
      if (a == end) break;
      b += 512;
    }
    v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
    v128.store(d, d0), v128.store(d, d1, 16), v128.store(d, d2, 32), v128.store(d, d3, 48);
  }
}

// @ts-ignore: decorator
@inline
export function plus(c: v128, x: v128, b: v128): v128 {
  return f32x4.add(c, f32x4.mul(x, b));
}

// Copies a part of a tile element by element, with the given strides between its rows and columns.
export function copyTile(
  rows: i32, columns: i32, from: usize, fromRow: usize, fromColumn: usize, to: usize, toRow: usize, toColumn: usize,
): void {
  for (; rows; rows--, from += fromRow, to += toRow) {
    let p = from, q = to;
    for (let j = columns; j; j--, p += fromColumn, q += toColumn) store<f32>(q, load<f32>(p));
  }
}
