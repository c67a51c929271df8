// Additions of rows of n float32, element by element: biases, positions and residuals, and the gradients of the first two. What
// lies beyond a row is neither read nor written.
//
//   addRows   y[i] = x[i] + p[i mod length]     a bias has length 1; y may be x
//   sumRows   dp[j] = Σ dy[i] over the rows i = j mod length, in order, from +0, each addition rounded to float32
import { firstOf, firstOfPart, lastOf, lastOfPart } from "../products/parts";

// @ts-ignore: decorator
@inline
function addRow(n: i32, a: usize, b: usize, y: usize): void {
  const end = y + (<usize>n << 2);
  for (const whole = y + (<usize>(n & -4) << 2); y < whole; a += 16, b += 16, y += 16)
    v128.store(y, f32x4.add(v128.load(a), v128.load(b)));
  for (; y < end; a += 4, b += 4, y += 4) store<f32>(y, load<f32>(a) + load<f32>(b));
}

export function addRows(rows: i32, length: i32, n: i32, x: usize, p: usize, y: usize): void {
  const bytes = <usize>n << 2, first = firstOf(rows);
  x += <usize>first * bytes, y += <usize>first * bytes;
  for (let i = first % length, left = lastOf(rows) - first; left; left--, i++, x += bytes, y += bytes) {
    if (i == length) i = 0;
    addRow(n, x, p + <usize>i * bytes, y);
  }
}

// Threads divide the columns.
export function sumRows(rows: i32, length: i32, n: i32, dy: usize, dp: usize): void {
  const bytes = <usize>n << 2, first = firstOfPart(n), width = lastOfPart(n) - first, end = dy + <usize>rows * bytes;
  dy += <usize>first << 2, dp += <usize>first << 2;
  for (let j = length; j; j--, dy += bytes, dp += bytes) {
    memory.fill(dp, 0, <usize>width << 2);
    accumulate(width, dy, end, <usize>length * bytes, dp);
  }
}

// y ← y + Σ x over the rows before `end`, which are `stride` bytes apart, in order.
export function accumulate(n: i32, x: usize, end: usize, stride: usize, y: usize): void {
  for (; n >= 16; n -= 16, x += 64, y += 64) {
    let a = v128.load(y), b = v128.load(y, 16), c = v128.load(y, 32), d = v128.load(y, 48);
    for (let row = x; row < end; row += stride) {
      a = f32x4.add(a, v128.load(row)), b = f32x4.add(b, v128.load(row, 16));
      c = f32x4.add(c, v128.load(row, 32)), d = f32x4.add(d, v128.load(row, 48));
    }
    v128.store(y, a), v128.store(y, b, 16), v128.store(y, c, 32), v128.store(y, d, 48);
  }
  for (; n >= 4; n -= 4, x += 16, y += 16) {
    let sum = v128.load(y);
    for (let row = x; row < end; row += stride) sum = f32x4.add(sum, v128.load(row));
    v128.store(y, sum);
  }
  for (; n > 0; n--, x += 4, y += 4) {
    let sum = load<f32>(y);
    for (let row = x; row < end; row += stride) sum += load<f32>(row);
    store<f32>(y, sum);
  }
}

// y = a + b.
export function add(n: i32, a: usize, b: usize, y: usize): void {
  const first = firstOfPart(n), skipped = <usize>first << 2;
  addRow(lastOfPart(n) - first, a + skipped, b + skipped, y + skipped);
}

// y = x.
export function copy(n: i32, x: usize, y: usize): void {
  const first = <usize>firstOfPart(n) << 2;
  memory.copy(y + first, x + first, (<usize>lastOfPart(n) << 2) - first);
}
