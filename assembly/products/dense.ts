// The dense layer's products with W [outputs, inputs], as torch.nn.Linear lays it out. x [rows, inputs], y and
// dy [rows, outputs], all row-major and tightly packed; results do not overlap operands.
//
//   y = x·Wᵀ    sums over the inputs        dx = dy·W    sums over the outputs        dW = dyᵀ·x    sums over the rows
//
// Each element of a result is one sum as product.ts defines it; nothing else is written. The scratch has PACK_BYTES.
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
