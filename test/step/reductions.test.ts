import { describe, expect, test } from "vitest";
import { type Kernels, instantiate } from "../../src/kernels.js";
import { builds } from "../support/builds.js";
import { SIZES, firstDifference, random } from "../support/harness.js";
import { BLOCK, orderedSum } from "../support/reference/sums.js";

const f = Math.fround;
const sizes = [...SIZES, ...[-3, -2, -1, 0, 1, 2, 3].map((d) => BLOCK + d), 40000];
const X = 65536;
const SENTINEL = 12345;

/** Two vectors of n elements at an offset of whole vectors, each followed by `beyond` and a sentinel. */
function setUp(module: WebAssembly.Module, n: number, beyond: number) {
  const memory = new WebAssembly.Memory({ initial: 8 });
  const kernels: Kernels = instantiate(memory, module);
  const room = Math.ceil((n + 4) / 16) * 16 + 16;
  const Y = X + room * 4;
  const next = random(n + 1);
  const all = [X, Y].map((at) => new Float32Array(memory.buffer, at, room).fill(SENTINEL));
  const [x, y] = all.map((vector) => vector.subarray(0, n));
  for (const vector of [x, y]) vector.forEach((_, i) => (vector[i] = (next() - 0.5) * [1, 1e-20, 1e20, 1e8][i % 4]));
  for (const vector of all) vector.fill(beyond, n, Math.ceil(n / 4) * 4);
  return { kernels, memory: new Uint8Array(memory.buffer), x, y, Y, all };
}

describe.each(builds)("sums, $build build", ({ module }) => {
  test.each(sizes)("%i elements: the bits of the documented order, whatever the padding contains", (n) => {
    const { kernels, memory, x, y, Y } = setUp(module, n, NaN);
    const before = memory.slice();
    expect(kernels.sumOfSquares(n, X)).toBe(orderedSum(n, (i) => x[i] * x[i]));
    expect(kernels.sumOfAbs(n, X)).toBe(orderedSum(n, (i) => Math.abs(x[i])));
    expect(kernels.dot(n, X, Y)).toBe(orderedSum(n, (i) => x[i] * y[i]));
    expect(kernels.dotDifference(n, X, Y, X)).toBe(orderedSum(n, (i) => x[i] * f(y[i] - x[i])));
    expect(kernels.maxAbs(n, X)).toBe(x.reduce((most, v) => Math.max(most, Math.abs(v)), 0));
    expect(kernels.firstNonFinite(n, X, 1)).toBe(-1);
    expect(Buffer.compare(before, memory)).toBe(0);
  });

  test("at addresses that are multiples of 4 only: a row of a matrix", () => {
    const { kernels, x, y, Y } = setUp(module, 100, NaN);
    for (const start of [1, 2, 3, 5]) {
      const [at, other, n] = [X + start * 4, Y + start * 4, 100 - start];
      expect(kernels.sumOfSquares(n, at)).toBe(orderedSum(n, (i) => x[start + i] * x[start + i]));
      expect(kernels.dot(n, at, other)).toBe(orderedSum(n, (i) => x[start + i] * y[start + i]));
    }
  });

  test("neither overflow nor underflow", () => {
    const { kernels, x } = setUp(module, 33, NaN);
    for (const value of [f(3.4e38), f(1e30), f(1e-30), 2 ** -149]) {
      x.fill(value);
      expect(Math.sqrt(kernels.sumOfSquares(33, X)) / (Math.sqrt(33) * value)).toBeCloseTo(1, 12);
      expect(kernels.sumOfAbs(33, X) / (33 * value)).toBeCloseTo(1, 12);
      expect(kernels.maxAbs(33, X)).toBe(value);
    }
  });

  test.each([1, 3, 4, 7, 17, 33])("%i elements: NaN and infinity are found, wherever they are", (n) => {
    const { kernels, x } = setUp(module, n, NaN);
    for (let i = 0; i < n; i++)
      for (const bad of [NaN, Infinity, -Infinity]) {
        x.fill(f(-3.4e38));
        x[i] = bad;
        expect(kernels.firstNonFinite(n, X, 1)).toBe(i);
        expect(kernels.maxAbs(n, X)).toBe(Math.abs(bad));
        x[n - 1] = NaN;
        expect(kernels.firstNonFinite(n, X, 1)).toBe(i);
        expect(kernels.maxAbs(n, X)).toBeNaN();
      }
  });

  test.each([1, 3, 4, 7, 17, 33])("%i elements: the first that a factor above 1 makes infinite is found", (n) => {
    const { kernels, x } = setUp(module, n, NaN);
    for (let i = 0; i < n; i++)
      for (const large of [2e38, -2e38]) {
        x.fill(f(1.7e38));
        x[i] = large;
        for (const [factor, found] of [
          [2, i],
          [2.1, 0],
          [1.7, -1],
          [1e-30, -1],
          [NaN, -1],
        ])
          expect(kernels.firstNonFinite(n, X, factor)).toBe(found);
        x[n - 1] = -Infinity;
        expect(kernels.firstNonFinite(n, X, 0)).toBe(n - 1);
      }
  });
});

type Operation = [
  name: string,
  run: (k: Kernels, n: number, y: number) => void,
  plain: (x: number, y: number) => number,
];
const operations: Operation[] = [
  ["scale", (k, n) => k.scale(n, X, 0.3), (x) => f(f(0.3) * x)],
  ["clamp", (k, n) => k.clamp(n, X, 0.1), (x) => Math.min(Math.max(x, -f(0.1)), f(0.1))],
  ["approach", (k, n, y) => k.approach(n, X, y, 0.7), (x, y) => f(x + f(f(0.7) * f(y - x)))],
  ["addScaled", (k, n, y) => k.addScaled(n, X, y, -0.7), (x, y) => f(x + f(f(-0.7) * y))],
  ["flushDenormals", (k, n) => k.flushDenormals(n, X), (x) => (Math.abs(x) < 2 ** -126 ? 0 : x)],
];

describe.each(builds)("whole vectors, $build build", ({ module }) => {
  test.each(operations)("%s: the bits of the plain loop, and no write beyond the last vector", (_, run, plain) => {
    for (const n of sizes) {
      const { kernels, x, y, Y, all } = setUp(module, n, NaN);
      for (let i = 0; i < n; i += 5) x[i] = [2 ** -127, -(2 ** -149), -0, 2 ** -126, -(2 ** -126)][(i / 5) % 5];
      const expected = x.map((value, i) => plain(value, y[i]));
      const other = y.slice();
      run(kernels, n, Y);
      expect(firstDifference(x, expected), `${n} elements`).toBe(-1);
      expect(firstDifference(y, other)).toBe(-1);
      for (const vector of all)
        expect(vector.subarray(Math.ceil(n / 4) * 4).every((value) => value === SENTINEL)).toBe(true);
    }
  });

  test("NaN stays NaN, and infinity is clamped", () => {
    const { kernels, x, Y } = setUp(module, 8, NaN);
    x.set([NaN, Infinity, -Infinity, 1, -1, 0, -0, 0.05]);
    kernels.clamp(8, X, 0.1);
    expect([...x]).toEqual([NaN, f(0.1), -f(0.1), f(0.1), -f(0.1), 0, -0, f(0.05)]);
    for (const run of [
      () => kernels.scale(8, X, 0),
      () => kernels.approach(8, X, Y, 0),
      () => kernels.flushDenormals(8, X),
    ]) {
      run();
      expect(x[0]).toBeNaN();
    }
  });
});
