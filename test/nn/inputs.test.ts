// Tests x in bytes, and that skipZeros changes only the time as long as everything is finite.
import { describe, expect, it } from "vitest";
import { Adam } from "../../src/index.js";
import { MLP, type MLPOptions, Random } from "../../src/nn/index.js";

const sizes = [45, 20, 3];
const [inputs, rows] = [sizes[0], 7];
const random = new Random(5);
const bytes = Uint8Array.from({ length: 70 * inputs }, () => (random.uniform() < 0.8 ? 0 : random.below(256)));
const labels = Uint8Array.from({ length: 70 }, () => random.below(3));
const floats = (scale: number): Float32Array => Float32Array.from(bytes, (x) => Math.fround(x * Math.fround(scale)));

/** Everything that an MLP returns in ten steps of training. */
function results(x: Float32Array | Uint8Array | Uint8ClampedArray, options: MLPOptions): unknown[] {
  using mlp = new MLP(sizes, { batchSize: rows, ...options });
  using optimizer = new Adam(mlp.params, { lr: 0.01 });
  const losses = Array.from({ length: 10 }, (_, step) => {
    const loss = mlp.trainBatch(
      x.subarray(step * rows * inputs, (step + 1) * rows * inputs),
      labels.subarray(step * rows, (step + 1) * rows),
    );
    optimizer.step();
    return loss;
  });
  return [losses, mlp.predict(x), mlp.evaluate(x, labels), mlp.params.copy()];
}

describe("x in bytes", () => {
  it("is converted to float32, multiplied by 1/255 by default", () => {
    const wanted = results(floats(1 / 255), {});
    expect(results(bytes, {})).toEqual(wanted);
    expect(results(Uint8ClampedArray.from(bytes), {})).toEqual(wanted);
    expect(results(bytes, { inputScale: 1 / 255 })).toEqual(wanted);
  });

  it("is multiplied by inputScale, unlike float32", () => {
    expect(results(bytes, { inputScale: 0.02 })).toEqual(results(floats(0.02), { inputScale: 3 }));
    expect(results(bytes, { inputScale: 1 })).toEqual(results(floats(1), {}));
  });
});

describe("bytes of 0 and 1 alone", () => {
  const message = 'MLP: "x" has bytes of 0 and 1 alone, which would count as 0 and 1/255: give inputScale: 1';
  const some = new Uint8Array(rows * inputs).fill(1, 40, 41);
  const y = labels.subarray(0, rows);

  it.each([Uint8Array, Uint8ClampedArray])("throw without an inputScale, and change nothing: %o", (kind) => {
    using mlp = new MLP(sizes, { batchSize: rows });
    mlp.trainBatch(floats(1).subarray(0, rows * inputs), y);
    const before = Object.values(mlp.params.grad).map((gradient) => gradient.slice());
    for (const call of [() => mlp.trainBatch(kind.from(some), y), () => mlp.evaluate(kind.from(some), y)])
      expect(call).toThrow(new RangeError(message));
    expect(Object.values(mlp.params.grad)).toEqual(before);
    expect(mlp.predict(kind.from(some)).length).toBe(rows * sizes[2]); // a dark frame is no error
  });

  it.each([
    ["an inputScale", some, { inputScale: 1 }],
    ["the default as an inputScale", some, { inputScale: 1 / 255 }],
    ["a byte above 1, be it the last", some.map((x, i) => (i === some.length - 1 ? 2 : x)), {}],
    ["nothing but 0", some.map(() => 0), {}],
    ["float32", Float32Array.from(some), {}],
  ])("are taken with %s", (_, x, options) => {
    using mlp = new MLP(sizes, { batchSize: rows, ...options });
    expect(Number.isFinite(mlp.trainBatch(x, y))).toBe(true);
    expect(Number.isFinite(mlp.evaluate(x, y).loss)).toBe(true);
  });
});

describe("skipZeros", () => {
  it.each(["relu", "gelu"] as const)("changes no bit: %s", (activation) => {
    expect(results(bytes, { activation, skipZeros: false })).toEqual(results(bytes, { activation, skipZeros: true }));
  });

  it("false keeps a NaN that is multiplied by zeros only", () => {
    const predict = (skipZeros: boolean): boolean => {
      using mlp = new MLP([8, 2], { skipZeros });
      mlp.params.data["0.weight"][5] = NaN;
      return mlp.predict(new Float32Array(8)).some(Number.isNaN);
    };
    expect([false, true].map(predict)).toEqual([true, false]);
  });
});

it("refuses arrays without end, as x and as y", () => {
  using mlp = new MLP([2, 2]);
  const endless: unknown[] = [];
  endless.push(endless);
  expect(() => mlp.predict(endless as never)).toThrow(/^MLP: "x.*" expected a number, got \[an Array of 1\]$/);
  expect(() => mlp.trainBatch([[0, 1]], endless as never)).toThrow(
    /^MLP: "y.*" expected a number, got \[an Array of 1\]$/,
  );
});
