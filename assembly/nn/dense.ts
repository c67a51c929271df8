// The products of the dense layer y = x·Wᵀ + b, as products/dense.ts has them. The scratch has PACK_BYTES for each thread.
//
// With `skip`, products with zeros of x (in dx: of dy) are left out where zeros are many. The bits are the same unless a zero
// would have been multiplied by a NaN or an infinity.
import { PACK_BYTES } from "../layout/products";
import { scratchOfPart } from "../products/parts";
import { product } from "../products/product";
import { hasZeros, sparseProduct } from "./sparse";

export function dense(
  rows: i32, inputs: i32, outputs: i32, skip: bool, x: usize, w: usize, y: usize, scratch: usize,
): void {
  ofRows(rows, outputs, inputs, true, skip, x, w, y, scratch);
}

export function denseInput(
  rows: i32, inputs: i32, outputs: i32, skip: bool, dy: usize, w: usize, dx: usize, scratch: usize,
): void {
  ofRows(rows, inputs, outputs, false, skip, dy, w, dx, scratch);
}

function ofRows(m: i32, n: i32, k: i32, bByRows: bool, skip: bool, a: usize, b: usize, c: usize, scratch: usize): void {
  scratch = scratchOfPart(scratch, PACK_BYTES);
  if (skip && hasZeros(m, k, a, n > 16 ? 40 : 60)) sparseProduct(m, n, k, true, bByRows, false, a, b, c, scratch);
  else product(m, n, k, true, bByRows, a, b, c, scratch);
}

// Only zeros of the left operand can be skipped: where x has many, dW is computed as (xᵀ·dy)ᵀ.
export function denseWeight(
  rows: i32, inputs: i32, outputs: i32, skip: bool, dy: usize, x: usize, dw: usize, scratch: usize,
): void {
  scratch = scratchOfPart(scratch, PACK_BYTES);
  if (skip && outputs > 16 && hasZeros(rows, inputs, x, 45))
    sparseProduct(inputs, outputs, rows, false, false, true, x, dy, dw, scratch);
  else product(outputs, inputs, rows, false, false, dy, x, dw, scratch);
}
