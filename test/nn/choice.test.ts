// When zeros are left out: where there are so many, on every eighth row, that lists are faster. Left-out zeros are seen by a
// NaN of the other operand that they would have met.
import { expect, test } from "vitest";
import { PACK_BYTES } from "../../src/wasm/generated/layout/products.js";
import { Field, kernels, numbers } from "./field.js";

// 17 rows, of which those at 0, 8 and 16 are counted, and 43 columns, of which 40 are.
const [ROWS, COLUMNS] = [17, 43];
const [COUNTED_ROWS, COUNTED] = [3, 40];
const ELEMENTS = COUNTED_ROWS * COUNTED;

type Product = "denseSkip" | "denseInputSkip" | "denseWeightSkip";

/** An operand of numbers without zeros but the counted ones, the first of its elements in turn. */
function withZeros(zeros: number): Float32Array {
  const x = numbers(ROWS * COLUMNS, 5).map((v) => v || 1);
  for (let k = 0; k < zeros; k++) x[8 * Math.floor(k / COUNTED) * COLUMNS + (k % COUNTED)] = k % 2 === 0 ? 0 : -0;
  return x;
}

/** Whether the product leaves out the zero at the start of x. */
function leavesOut(product: Product, wide: number, x: Float32Array): boolean {
  const field = new Field();
  const other = numbers(product === "denseWeightSkip" ? ROWS * wide : wide * COLUMNS, 7);
  other[0] = NaN; // meets x[0] in the first result alone
  const [x_, other_] = [field.input(x), field.input(other)];
  const result = field.scratch(4 * Math.max(ROWS * wide, wide * COLUMNS));
  const scratch = field.scratch(PACK_BYTES);
  if (product === "denseSkip") kernels.denseSkip(ROWS, COLUMNS, wide, x_, other_, result, scratch);
  else if (product === "denseInputSkip") kernels.denseInputSkip(ROWS, wide, COLUMNS, x_, other_, result, scratch);
  else kernels.denseWeightSkip(ROWS, COLUMNS, wide, other_, x_, result, scratch);
  return !Number.isNaN(new Float32Array(field.buffer, result, 1)[0]);
}

test.each<[Product, wide: number, percent: number]>([
  ["denseSkip", 16, 60],
  ["denseSkip", 17, 40],
  ["denseInputSkip", 16, 60],
  ["denseInputSkip", 17, 40],
  ["denseWeightSkip", 17, 45],
])("%s, %i wide: from above %i percent of zeros on", (product, wide, percent) => {
  const limit = (ELEMENTS * percent) / 100;
  expect([limit, limit + 1, ELEMENTS].map((zeros) => leavesOut(product, wide, withZeros(zeros)))).toEqual([
    false,
    true,
    true,
  ]);
  // One zero more does not count in another row, nor behind the last whole vector of four.
  for (const at of [COLUMNS, 7 * COLUMNS, 40, 16 * COLUMNS + 42]) {
    const x = withZeros(limit);
    x[at] = 0;
    expect(leavesOut(product, wide, x), `a zero at ${at}`).toBe(false);
  }
  // Nor does one less, there or as a NaN that stands among them.
  const x = withZeros(limit + 1);
  x[8 * COLUMNS] = NaN;
  expect(leavesOut(product, wide, x)).toBe(false);
});

test("denseWeightSkip leaves out nothing where it is narrow: lists would not pay", () => {
  expect(leavesOut("denseWeightSkip", 16, withZeros(ELEMENTS))).toBe(false);
});
