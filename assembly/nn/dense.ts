// What the dense layer y = x·Wᵀ + b needs beside the products of products/dense.ts, with the same sizes and addresses.
//
// Functions named `Skip` leave out products with zeros of x (in dx: of dy) where zeros are many. The bits are the same unless
// a zero would have been multiplied by a NaN or an infinity. The scratch has PACK_BYTES for each thread.
import { PACK_BYTES } from "../layout/products";
import * as products from "../products/dense";
import { firstOf, lastOf, scratchOfPart } from "../products/parts";
import { product } from "../products/product";
import { hasZeros, sparseProduct } from "./sparse";

export function dense(rows: i32, inputs: i32, outputs: i32, x: usize, w: usize, y: usize, scratch: usize): void {
  products.dense(rows, inputs, outputs, x, w, y, scratchOfPart(scratch, PACK_BYTES));
}

export function denseInput(rows: i32, inputs: i32, outputs: i32, dy: usize, w: usize, dx: usize, scratch: usize): void {
  products.denseInput(rows, inputs, outputs, dy, w, dx, scratchOfPart(scratch, PACK_BYTES));
}

export function denseWeight(rows: i32, inputs: i32, outputs: i32, dy: usize, x: usize, dw: usize, scratch: usize): void {
  products.denseWeight(rows, inputs, outputs, dy, x, dw, scratchOfPart(scratch, PACK_BYTES));
}

export function denseSkip(rows: i32, inputs: i32, outputs: i32, x: usize, w: usize, y: usize, scratch: usize): void {
  scratch = scratchOfPart(scratch, PACK_BYTES);
  if (hasZeros(rows, inputs, x, outputs > 16 ? 40 : 60)) sparseProduct(rows, outputs, inputs, true, true, false, x, w, y, scratch);
  else product(rows, outputs, inputs, true, true, x, w, y, scratch);
}

export function denseInputSkip(rows: i32, inputs: i32, outputs: i32, dy: usize, w: usize, dx: usize, scratch: usize): void {
  scratch = scratchOfPart(scratch, PACK_BYTES);
  if (hasZeros(rows, outputs, dy, inputs > 16 ? 40 : 60)) sparseProduct(rows, inputs, outputs, true, false, false, dy, w, dx, scratch);
  else product(rows, inputs, outputs, true, false, dy, w, dx, scratch);
}

// Only zeros of the left operand can be skipped: where x has many, dW is computed as (xᵀ·dy)ᵀ.
export function denseWeightSkip(rows: i32, inputs: i32, outputs: i32, dy: usize, x: usize, dw: usize, scratch: usize): void {
  scratch = scratchOfPart(scratch, PACK_BYTES);
  if (outputs > 16 && hasZeros(rows, inputs, x, 45)) sparseProduct(inputs, outputs, rows, false, false, true, x, dy, dw, scratch);
  else product(outputs, inputs, rows, false, false, dy, x, dw, scratch);
}

// y ← y + b: the bias is added after the sum.
export function addBias(rows: i32, outputs: i32, b: usize, y: usize): void {
  const whole = <usize>(outputs & -4) << 2;
  const bytes = <usize>outputs << 2;
  const end = y + <usize>lastOf(rows) * bytes;
  for (y += <usize>firstOf(rows) * bytes; y < end; y += bytes) {
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
  for (; j + 48 < whole; j += 64) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (let row = dy + j; row < end; row += bytes) {
      a = f32x4.add(a, v128.load(row)), b = f32x4.add(b, v128.load(row, 16));
      c = f32x4.add(c, v128.load(row, 32)), d = f32x4.add(d, v128.load(row, 48));
    }
    v128.store(db + j, a), v128.store(db + j, b, 16), v128.store(db + j, c, 32), v128.store(db + j, d, 48);
  }
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
