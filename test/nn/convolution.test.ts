// Compares convolutions with a plain loop in float64, and their bits with and without the path for many zeros, and in parts.
import { describe, expect, test } from "vitest";
import { Random } from "../../src/init/random.js";
import { type Conv2dOptions, Network, conv2d } from "../../src/nn/index.js";
import { expectSameBits, numbers } from "./field.js";

interface Case extends Conv2dOptions {
  readonly rows: number;
  readonly input: readonly [number, number, number];
  readonly outputs: number;
}

const cases: Case[] = [
  { rows: 3, input: [1, 7, 6], outputs: 5, kernelSize: 3, padding: 1 },
  { rows: 9, input: [16, 6, 5], outputs: 33, kernelSize: 3, padding: 1 },
  { rows: 2, input: [3, 9, 8], outputs: 17, kernelSize: [5, 3], padding: [2, 0], stride: [2, 3] },
  { rows: 2, input: [6, 9, 8], outputs: 9, kernelSize: [3, 2], padding: [1, 2], dilation: [2, 3], groups: 3 },
  { rows: 2, input: [5, 9, 8], outputs: 5, kernelSize: 3, padding: 1, groups: 5 },
  { rows: 2, input: [4, 1, 30], outputs: 6, kernelSize: [1, 5], padding: [0, 2], stride: [1, 2] },
  { rows: 1, input: [2, 3, 3], outputs: 3, kernelSize: 2, padding: 3 },
  { rows: 2, input: [8, 5, 5], outputs: 40, kernelSize: 1 },
  { rows: 2, input: [8, 8, 8], outputs: 4, kernelSize: 1, stride: 3 },
  { rows: 2, input: [3, 6, 7], outputs: 4, kernelSize: [4, 2], padding: "same" },
  { rows: 70, input: [1, 4, 4], outputs: 2, kernelSize: 3 },
  // So many outputs that the lists of their gradients are made for some of the pixels at a time.
  { rows: 1, input: [2, 9, 12], outputs: 600, kernelSize: 3, padding: 1 },
];

const both = (value: unknown, other: number): readonly number[] =>
  Array.isArray(value)
    ? (value as number[])
    : [(value as number | undefined) ?? other, (value as number | undefined) ?? other];

/** The plain loop. */
function plain(one: Case, x: Float32Array, w: Float32Array, b: Float32Array, dy: Float32Array) {
  const { rows, input, outputs, groups = 1 } = one;
  const [channels, height, width] = input;
  const [k, s, d] = [both(one.kernelSize, 1), both(one.stride, 1), both(one.dilation, 1)];
  const same = one.padding === "same";
  const p = same ? k.map((n) => Math.floor((n - 1) / 2)) : both(one.padding, 0);
  const [high, wide] = [0, 1].map((i) =>
    same ? input[i + 1] : Math.floor((input[i + 1] + 2 * p[i] - d[i] * (k[i] - 1) - 1) / s[i]) + 1,
  );
  const [inputsOfGroup, outputsOfGroup] = [channels / groups, outputs / groups];
  const y = new Float64Array(rows * outputs * high * wide);
  const [dx, dw, db] = [x.length, w.length, outputs].map((size) => new Float64Array(size));
  for (let i = 0, at = 0; i < rows; i++)
    for (let o = 0; o < outputs; o++)
      for (let r = 0; r < high; r++)
        for (let q = 0; q < wide; q++, at++) {
          y[at] = b[o];
          db[o] += dy[at];
          for (let c = 0; c < inputsOfGroup; c++)
            for (let u = 0; u < k[0]; u++)
              for (let v = 0; v < k[1]; v++) {
                const [row, column] = [r * s[0] - p[0] + u * d[0], q * s[1] - p[1] + v * d[1]];
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                const channel = Math.floor(o / outputsOfGroup) * inputsOfGroup + c;
                const from = ((i * channels + channel) * height + row) * width + column;
                const weight = ((o * inputsOfGroup + c) * k[0] + u) * k[1] + v;
                y[at] += x[from] * w[weight];
                dx[from] += dy[at] * w[weight];
                dw[weight] += dy[at] * x[from];
              }
        }
  return { y, dx, dw, db };
}

describe.each(cases)("%j", (one) => {
  const { rows, input, outputs, ...options } = one;
  const made = [true, false].map(
    (skipZeros) => new Network(input, [conv2d(outputs, options)], { batchSize: rows, skipZeros }),
  );
  const [x, w, b] = [rows * input[0] * input[1] * input[2], made[0].params.data["0.weight"].length, outputs].map(
    (n, seed) => numbers(n, seed),
  );
  for (const { params } of made) {
    params.data["0.weight"].set(w);
    params.data["0.bias"].set(b);
  }

  // Of few zeros and many, which take different ways.
  test.each([0, 0.2, 0.8])("with a fraction of %f zeros in dy", (share) => {
    const results = made.map((network) => {
      const y = network.forward(x).slice();
      const random = new Random(7);
      const dy = numbers(y.length, 3).map((value) => (random.uniform() < share ? 0 : value));
      const dx = network.backward(dy)!.slice();
      const { "0.weight": dw, "0.bias": db } = network.params.grad;
      return { y, dy, dx, dw: dw.slice(), db: db.slice() };
    });
    const wanted = plain(one, x, w, b, results[0].dy);
    for (const name of ["y", "dx", "dw", "db"] as const) {
      expectSameBits(results[1][name], results[0][name], `${name}, zeros skipped or not`);
      const largest = wanted[name].reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
      wanted[name].forEach((value, i) => {
        if (!(Math.abs(results[0][name][i] - value) <= 1e-5 * largest)) expect.fail(`${name}[${i}]`);
      });
    }
  });
});

test("NaN stays in the outputs that see it, and goes to the inputs that they see", () => {
  const network = new Network([1, 4, 8], [conv2d(3, { kernelSize: 3, padding: 1 })], { batchSize: 2 });
  const x = new Float32Array(64).fill(1);
  x[9] = NaN;
  const y = network.forward(x);
  expect([...y.keys()].filter((i) => Number.isNaN(y[i]))).toEqual(
    [0, 1, 2].flatMap((o) => [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => o * 32 + row * 8 + column))),
  );
  for (const zeros of [0, 1]) {
    const dy = new Float32Array(y.length).fill(1 - zeros);
    dy[9] = NaN;
    const dx = network.backward(dy)!;
    expect([...dx.keys()].filter((i) => Number.isNaN(dx[i]))).toEqual(
      [0, 1, 2].flatMap((row) => [0, 1, 2].map((c) => 8 * row + c)),
    );
  }
});
