// The dense layer y = x·Wᵀ + b with W [outputs, inputs], as torch.nn.Linear lays it out, and its gradients.
// x [rows, inputs], y and dy [rows, outputs], all row-major and tightly packed; results do not overlap operands.
//
//   y = x·Wᵀ        sums over the inputs            dx = dy·W     sums over the outputs
//   dW = dyᵀ·x      sums over the rows              db = Σ dy     sums over the rows
//
// Each element of the products is one sum as product.ts defines it; exactly its elements are written.
// The scratch is that of product.ts.
import { product } from "./product";

export function dense(rows: i32, inputs: i32, outputs: i32, x: usize, w: usize, y: usize, scratch: usize): void {
  product(rows, outputs, inputs, true, true, x, w, y, scratch);
}

export function denseInput(rows: i32, inputs: i32, outputs: i32, dy: usize, w: usize, dx: usize, scratch: usize): void {
  product(rows, inputs, outputs, true, false, dy, w, dx, scratch);
}

export function denseWeight(rows: i32, inputs: i32, outputs: i32, dy: usize, x: usize, dw: usize, scratch: usize): void {
  product(outputs, inputs, rows, false, false, dy, x, dw, scratch);
}

// y ← y + b: the bias is added after the sum.
export function addBias(rows: i32, outputs: i32, b: usize, y: usize): void {
  const whole = <usize>(outputs & -4) << 2;
  const bytes = <usize>outputs << 2;
  for (; rows; rows--, y += bytes) {
    let j: usize = 0;
    for (; j < whole; j += 16) v128.store(y + j, f32x4.add(v128.load(y + j), v128.load(b + j)));
    for (; j < bytes; j += 4) store<f32>(y + j, load<f32>(y + j) + load<f32>(b + j));
  }
}

// db = Σ dy over the rows in order, from +0, each addition rounded to float32.
export function denseBias(rows: i32, outputs: i32, dy: usize, db: usize): void {
  const bytes = <usize>outputs << 2;
  const end = dy + <usize>rows * bytes;
  const whole = <usize>(outputs & -4) << 2;
  let j: usize = 0;
  for (; j < whole; j += 16) {
    let sum = f32x4.splat(0);
    for (let row = dy + j; row < end; row += bytes) sum = f32x4.add(sum, v128.load(row));
    v128.store(db + j, sum);
  }
  for (; j < bytes; j += 4) {
    let sum: f32 = 0;
    for (let row = dy + j; row < end; row += bytes) sum += load<f32>(row);
    store<f32>(db + j, sum);
  }
}
