// Tests when zeros are skipped: if every eighth row has so many that lists are faster. A NaN in the other operand shows
// whether the zero that it is multiplied by was skipped.
import { expect, test } from "vitest";
import { PACK_BYTES } from "../../src/wasm/generated/layout/products.js";
import { Field, kernels, numbers } from "./field.js";

// 17 rows, of which those at 0, 8 and 16 are counted, and 43 columns, of which 40 are.
const [ROWS, COLUMNS] = [17, 43];
const [COUNTED_ROWS, COUNTED] = [3, 40];
const ELEMENTS = COUNTED_ROWS * COUNTED;

type Product = "dense" | "denseInput" | "denseWeight";

/** An operand whose only zeros are the first `zeros` of the counted elements. */
function withZeros(zeros: number): Float32Array {
  const x = numbers(ROWS * COLUMNS, 5).map((v) => v || 1);
  for (let k = 0; k < zeros; k++) x[8 * Math.floor(k / COUNTED) * COLUMNS + (k % COUNTED)] = k % 2 === 0 ? 0 : -0;
  return x;
}

/** Whether the product skips the zero at the start of x. */
function skips(product: Product, wide: number, x: Float32Array): boolean {
  const field = new Field();
  const other = numbers(product === "denseWeight" ? ROWS * wide : wide * COLUMNS, 7);
  other[0] = NaN; // meets x[0] in the first result alone
  const [x_, other_] = [field.input(x), field.input(other)];
  const result = field.scratch(4 * Math.max(ROWS * wide, wide * COLUMNS));
  const scratch = field.scratch(PACK_BYTES);
  if (product === "dense") kernels.dense(ROWS, COLUMNS, wide, true, x_, other_, result, scratch);
  else if (product === "denseInput") kernels.denseInput(ROWS, wide, COLUMNS, true, x_, other_, result, scratch);
  else kernels.denseWeight(ROWS, COLUMNS, wide, true, other_, x_, result, scratch);
  return !Number.isNaN(new Float32Array(field.buffer, result, 1)[0]);
}

test.each<[Product, wide: number, percent: number]>([
  ["dense", 16, 60],
  ["dense", 17, 40],
  ["denseInput", 16, 60],
  ["denseInput", 17, 40],
  ["denseWeight", 17, 45],
])("%s, %i wide: from above %i percent of zeros on", (product, wide, percent) => {
  const limit = (ELEMENTS * percent) / 100;
  expect([limit, limit + 1, ELEMENTS].map((zeros) => skips(product, wide, withZeros(zeros)))).toEqual([
    false,
    true,
    true,
  ]);
  // Another zero does not count in another row, nor after the last whole vector of four.
  for (const at of [COLUMNS, 7 * COLUMNS, 40, 16 * COLUMNS + 42]) {
    const x = withZeros(limit);
    x[at] = 0;
    expect(skips(product, wide, x), `a zero at ${at}`).toBe(false);
  }
  // Nor does one zero fewer there, or a NaN among them.
  const x = withZeros(limit + 1);
  x[8 * COLUMNS] = NaN;
  expect(skips(product, wide, x)).toBe(false);
});

test("denseWeight skips nothing for few outputs, where lists would not pay", () => {
  expect(skips("denseWeight", 16, withZeros(ELEMENTS))).toBe(false);
});
