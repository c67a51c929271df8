import { describe, expect, it } from "vitest";
import { PACK_BYTES } from "../../src/wasm/generated/layout/products.js";
import { Field, kernels, numbers } from "./field.js";
import * as reference from "./reference.js";

const products = {
  dense: (rows: number, inputs: number, outputs: number) => [rows * inputs, inputs * outputs],
  denseInput: (rows: number, inputs: number, outputs: number) => [rows * outputs, inputs * outputs],
  denseWeight: (rows: number, inputs: number, outputs: number) => [rows * outputs, rows * inputs],
} as const;

function checkProducts(rows: number, inputs: number, outputs: number): void {
  for (const [name, sizes] of Object.entries(products)) {
    const kernel = name as keyof typeof products;
    const [left, right] = sizes(rows, inputs, outputs).map((n, i) => numbers(n, n + i));
    const wanted = reference[kernel](rows, inputs, outputs, left, right);
    for (const last of ["left", "right"]) {
      const field = new Field();
      const a = last === "left" ? field.inputAtTheEnd(left) : field.input(left);
      const b = last === "right" ? field.inputAtTheEnd(right) : field.input(right);
      const c = field.output(wanted);
      const scratch = field.scratch(PACK_BYTES);
      field.check(
        () => kernels[kernel](rows, inputs, outputs, false, a, b, c, scratch),
        `${kernel}(${rows}, ${inputs}, ${outputs})`,
      );
    }
  }
}

describe("the products, against a plain loop, bit by bit", () => {
  const small = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  it.each(small)("%i rows, every size from 1 to 9", (rows) => {
    for (const inputs of small) for (const outputs of small) checkProducts(rows, inputs, outputs);
  });

  it.each([
    [17, 33, 65],
    [65, 17, 33],
    [33, 65, 17],
    [64, 128, 10],
  ])("%i rows, %i inputs, %i outputs", checkProducts);

  it.each([
    [3, 271, 5],
    [3, 272, 5],
    [3, 273, 5],
    [5, 784, 10],
    [2, 545, 9],
    [273, 9, 5],
    [600, 3, 10],
    [9, 5, 273],
    [7, 3, 601],
  ])("%i rows, %i inputs, %i outputs: blocks of k", checkProducts);

  it.each([
    [127, 5, 3],
    [129, 300, 9],
    [257, 9, 130],
    [5, 9, 129],
    [5, 12, 260],
  ])("%i rows, %i inputs, %i outputs: blocks of rows", checkProducts);
});

describe("a row of the product", () => {
  it("has the same bits in any batch", () => {
    const [inputs, outputs] = [300, 13];
    const w = numbers(inputs * outputs, 1);
    const x = numbers(9 * inputs, 2);
    const whole = reference.dense(9, inputs, outputs, x, w);
    for (let first = 0; first < 9; first++)
      for (let rows = 1; first + rows <= 9; rows++) {
        const field = new Field();
        const at = [field.input(x.slice(first * inputs, (first + rows) * inputs)), field.input(w)] as const;
        const y = field.output(whole.slice(first * outputs, (first + rows) * outputs));
        const scratch = field.scratch(PACK_BYTES);
        field.check(
          () => kernels.dense(rows, inputs, outputs, false, ...at, y, scratch),
          `rows ${first} to ${first + rows}`,
        );
      }
  });

  it("does not pass NaN and infinity to other rows", () => {
    const x = Float32Array.of(1, 2, NaN, 1, Infinity, 1, 1, 1, 1, 1);
    const w = Float32Array.of(1, 1, 0, 1, 2, -1);
    const wanted = reference.dense(5, 2, 3, x, w);
    const field = new Field();
    const at = [field.input(x), field.input(w), field.scratch(15 * 4), field.scratch(PACK_BYTES)] as const;
    field.check(() => kernels.dense(5, 2, 3, false, ...at), "dense");
    expect(new Float32Array(field.buffer, at[2], 15)).toEqual(wanted);
    expect([...wanted.keys()].filter((i) => Number.isNaN(wanted[i]))).toEqual([3, 4, 5, 7]); // 7 is ∞·0
  });
});

describe("the bias", () => {
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 17, 33])("of %i outputs is added and summed", (outputs) => {
    for (const rows of [1, 2, 3, 64]) {
      const y = numbers(rows * outputs, outputs);
      const b = numbers(outputs, rows);
      const adding = new Field();
      const bias = adding.inputAtTheEnd(b);
      const to = adding.inPlace(y, reference.addBias(rows, outputs, b, y));
      adding.check(() => kernels.addRows(rows, 1, outputs, to, bias, to), `addRows(${rows}, ${outputs})`);

      const summing = new Field();
      const from = summing.inputAtTheEnd(y);
      const db = summing.output(reference.denseBias(rows, outputs, y));
      summing.check(() => kernels.sumRows(rows, 1, outputs, from, db), `sumRows(${rows}, ${outputs})`);
    }
  });
});
