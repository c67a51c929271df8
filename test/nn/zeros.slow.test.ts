// Compares products that skip zeros, and those that do not, with the plain loop, bit by bit.
import { describe, expect, it } from "vitest";
import { Arena } from "../../src/memory/arena.js";
import { networkKernels } from "../../src/nn/kernels.js";
import { Random } from "../../src/init/random.js";
import { PACK_BYTES } from "../../src/wasm/generated/layout/products.js";
import { Field, expectSameBits, kernels, numbers } from "./field.js";
import * as reference from "./reference.js";

type Product = "dense" | "denseInput" | "denseWeight";
const products: Product[] = ["dense", "denseInput", "denseWeight"];

/** Numbers of which a given fraction is 0 or −0. */
function withZeros(n: number, seed: number, share: number): Float32Array {
  const random = new Random(seed + 1000);
  return numbers(n, seed).map((x) => (random.uniform() < share ? (random.uniform() < 0.5 ? 0 : -0) : x));
}

const operands = {
  dense: (rows: number, inputs: number, outputs: number) => [rows * inputs, inputs * outputs],
  denseInput: (rows: number, inputs: number, outputs: number) => [rows * outputs, inputs * outputs],
  denseWeight: (rows: number, inputs: number, outputs: number) => [rows * outputs, rows * inputs],
};

function check(share: number, rows: number, inputs: number, outputs: number): void {
  for (const product of products) {
    const [left, right] = operands[product](rows, inputs, outputs).map((n, i) => withZeros(n, n + i, share));
    const wanted = reference[product](rows, inputs, outputs, left, right);
    for (const skip of [false, true]) {
      const field = new Field();
      const at = [field.input(left), field.inputAtTheEnd(right), field.output(wanted)] as const;
      const scratch = field.scratch(PACK_BYTES);
      field.check(() => kernels[product](rows, inputs, outputs, skip, ...at, scratch), `${product}, skip: ${skip}`);
    }
  }
}

describe.each([0, 0.5, 0.7, 0.9, 1])("a fraction of %f zeros", (share) => {
  it.each([
    [1, 1, 1],
    [33, 40, 35],
    [34, 300, 17],
    [5, 784, 10],
    [300, 20, 33],
    [16, 260, 16],
  ])("%i rows, %i inputs, %i outputs", (...shape) => {
    check(share, ...shape);
  });
});

it("several blocks of k and of rows, also transposed", () => {
  check(0.7, 203, 406, 21);
});

describe("every shape from 1 to 33 by 33 by 33", () => {
  const SIDE = 33;
  const memory = new Arena({ capacity: 2 ** 20 });
  const take = (floats: number): number => memory.allocate(4 * floats, "test", "an operand");
  const [left, right, result] = [SIDE ** 2, SIDE ** 2, SIDE ** 2 + 1].map(take);
  const scratch = take(PACK_BYTES / 4);
  const [a, b, c] = [left, right, result].map((at) => new Float32Array(memory.buffer, at, SIDE ** 2 + 1));

  /** Sums of k products for all k, each the partial sums of the next. */
  function sums(x: Float32Array, w: Float32Array): Float32Array[] {
    const table = [new Float32Array(SIDE ** 2)];
    for (let k = 0; k < SIDE; k++)
      table.push(
        table[k].map((sum, at) =>
          Math.fround(sum + Math.fround(x[Math.floor(at / SIDE) * SIDE + k] * w[(at % SIDE) * SIDE + k])),
        ),
      );
    return table;
  }

  const cases = products.flatMap((product) => [
    [product, false, 0] as const,
    [product, true, 0.7] as const,
    [product, true, 0.3] as const,
  ]);
  it.each(cases)("%s, skip: %s, a fraction of %f zeros", (product, skip, share) => {
    const [x, w] = [withZeros(SIDE ** 2, 1, share), withZeros(SIDE ** 2, 2, product === "denseWeight" ? share : 0)];
    const table = sums(x, w);
    const byRows = (from: Float32Array, to: Float32Array, rows: number, k: number): void => {
      for (let i = 0; i < rows; i++) for (let s = 0; s < k; s++) to[i * k + s] = from[i * SIDE + s];
    };
    const byColumns = (from: Float32Array, to: Float32Array, rows: number, k: number): void => {
      for (let i = 0; i < rows; i++) for (let s = 0; s < k; s++) to[s * rows + i] = from[i * SIDE + s];
    };
    for (let m = 1; m <= SIDE; m++)
      for (let k = 1; k <= SIDE; k++) {
        (product === "denseWeight" ? byColumns : byRows)(x, a, m, k);
        for (let n = 1; n <= SIDE; n++) {
          (product === "dense" ? byRows : byColumns)(w, b, n, k);
          c[m * n] = 42;
          const [rows, inputs, outputs] = { dense: [m, k, n], denseInput: [m, n, k], denseWeight: [k, n, m] }[product];
          networkKernels(memory)[product](rows, inputs, outputs, skip, left, right, result, scratch);
          let same = c[m * n] === 42;
          for (let i = 0; i < m; i++)
            for (let j = 0; j < n; j++) same &&= Object.is(c[i * n + j], table[k][i * SIDE + j]);
          if (!same) expect.fail(`m ${m}, n ${n}, k ${k}`);
        }
      }
  });
});

describe("zero times infinity or NaN", () => {
  const [rows, inputs, outputs] = [4, 20, 5];
  const x = new Float32Array(rows * inputs);
  x[3] = 1;
  const w = numbers(inputs * outputs, 1);
  [w[7], w[inputs + 9]] = [Infinity, NaN];
  const run = (skip: boolean): Float32Array => {
    const field = new Field();
    const at = [field.input(x), field.input(w), field.scratch(4 * rows * outputs), field.scratch(PACK_BYTES)] as const;
    kernels.dense(rows, inputs, outputs, skip, ...at);
    return new Float32Array(field.buffer, at[2], rows * outputs).slice();
  };

  it("is NaN where zeros are not skipped, and is lost where they are", () => {
    const plain = reference.dense(rows, inputs, outputs, x, w);
    const [nan, finite] = [[...plain.keys()].filter((i) => Number.isNaN(plain[i])), run(true)];
    expect(nan).toEqual([0, 1, 5, 6, 10, 11, 15, 16]);
    expect(run(false)).toEqual(plain);
    expect(finite.every(Number.isFinite)).toBe(true);
    finite.forEach((value, i) => {
      if (!nan.includes(i)) expect(value).toBe(plain[i]);
    });
  });

  it("keeps NaN and infinity of the operand that has the zeros", () => {
    [x[25], x[40]] = [NaN, Infinity];
    [w[7], w[inputs + 9]] = [1, 1];
    expect(run(true)).toEqual(reference.dense(rows, inputs, outputs, x, w));
    const wide = 17; // fewer outputs keep every product with x
    const dy = numbers(rows * wide, 3);
    const field = new Field();
    const at = [field.input(dy), field.input(x), field.scratch(4 * inputs * wide), field.scratch(PACK_BYTES)] as const;
    kernels.denseWeight(rows, inputs, wide, true, ...at);
    const dw = new Float32Array(field.buffer, at[2], inputs * wide);
    expect(dw).toEqual(reference.denseWeight(rows, inputs, wide, dy, x));
    expect(dw.some(Number.isNaN)).toBe(true);
  });
});

describe("bytes", () => {
  it.each([1, 2, 15, 16, 17, 32, 33, 300])(
    "%i of them, converted from the last quarter of the result's buffer",
    (n) => {
      const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 37 + 255) % 256);
      const scale = Math.fround(1 / 255);
      const whole = Math.ceil(n / 16) * 16;
      const field = new Field();
      const at = field.scratch(4 * whole);
      new Uint8Array(field.buffer, at + 3 * whole, n).set(bytes);
      field.check(() => kernels.convertBytes(n, at + 3 * whole, scale, at), `${n} bytes`);
      expectSameBits(
        new Float32Array(field.buffer, at, n),
        Float32Array.from(bytes, (x) => Math.fround(x * scale)),
        "bytes",
      );
    },
  );
});
