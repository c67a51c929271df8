import { describe, expect, it } from "vitest";
import { Field, expectSameBits, kernels, numbers } from "./field.js";
import { activations } from "./reference.js";

const names = Object.keys(activations) as (keyof typeof activations)[];

/** Every 65521st float32, of both signs and up to the largest, and special values. */
const sweep = (() => {
  const bits = Uint32Array.from({ length: Math.floor(0x7f800000 / 65521) }, (_, i) => i * 65521);
  const positive = new Float32Array(bits.buffer);
  const special = [Infinity, 0.625, 88.72284, 88.72283, 87.33655, 103.97, 104, 105, 16, 9.01];
  return Float32Array.from([...special, ...positive].flatMap((x) => [x, -x]));
})();

/** Closely spaced numbers of common magnitude. */
const dense = Float32Array.from({ length: 40000 }, (_, i) => (i - 20000) / 1111);

type Name = keyof typeof activations;
const scratch = (field: Field, n: number): number => field.scratch(Math.ceil(n / 4) * 16);

function forward(field: Field, name: Name, n: number, z: number, y: number): void {
  if (name === "gelu") kernels.gelu(n, z, y, scratch(field, n));
  else kernels[name](n, z, y);
}

/** `at`: the output, or gelu's input, whose forward keeps the factors of the gradient. */
function backward(field: Field, name: Name, n: number, at: number, dy: number, dz: number): void {
  if (name !== "gelu") {
    kernels[`${name}Gradient`](n, at, dy, dz);
    return;
  }
  const factors = scratch(field, n);
  kernels.gelu(n, at, scratch(field, n), factors);
  kernels.multiply(n, factors, dy, dz);
}

function run(kernel: "relu" | "tanh" | "sigmoid" | "gelu", z: Float32Array): Float32Array {
  const results = new Float32Array(z.length);
  for (let first = 0; first < z.length; first += 40000) {
    const part = z.slice(first, first + 40000);
    const field = new Field();
    const at = field.input(part);
    const y = field.scratch(Math.ceil(part.length / 4) * 16);
    forward(field, kernel, part.length, at, y);
    results.set(new Float32Array(field.buffer, y, part.length), first);
  }
  return results;
}

/** The error in units in the last place of the true value. */
function ulps(got: number, truth: number): number {
  const rounded = Math.fround(truth);
  if (got === rounded || (Number.isNaN(got) && Number.isNaN(truth))) return 0;
  if (!Number.isFinite(rounded) || !Number.isFinite(got)) return Infinity;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(rounded))), -126);
  return Math.abs(got - truth) / 2 ** (exponent - 23);
}

const worst = (got: Float32Array, z: Float32Array, truth: (x: number) => number): number =>
  z.reduce((most, x, i) => Math.max(most, ulps(got[i], truth(x))), 0);

describe.each(names)("%s", (name) => {
  const { value, gradient } = activations[name];

  it("has the bits of the plain loop", () => {
    for (const z of [sweep, dense]) expectSameBits(run(name, z), z.map(value), name);
  });

  it("writes exactly the given length, also in place", () => {
    for (let n = 1; n <= 33; n++) {
      const z = numbers(n, n, 4);
      const dy = numbers(n, n + 100);
      const field = new Field();
      const from = field.input(z);
      const y = field.wholeVectors(field.output(z.map(value)), n);
      const same = field.wholeVectors(field.inPlace(z, z.map(value)), n);
      const grad = field.input(dy);
      const dz = field.wholeVectors(field.output(z.map((x, i) => gradient(x, dy[i]))), n);
      const inPlace = field.wholeVectors(
        field.inPlace(
          dy,
          z.map((x, i) => gradient(x, dy[i])),
        ),
        n,
      );
      field.check(() => {
        forward(field, name, n, from, y);
        forward(field, name, n, same, same);
        backward(field, name, n, from, grad, dz);
        backward(field, name, n, from, inPlace, inPlace);
      }, `${name} of ${n}`);
    }
  });

  it("has a gradient with the bits of the plain loop", () => {
    for (const all of [sweep, dense]) {
      const z = name === "gelu" ? all : all.map(value);
      for (let first = 0; first < z.length; first += 40000) {
        const part = z.slice(first, first + 40000);
        const dy = numbers(part.length, 5);
        const field = new Field();
        const at = [field.input(part), field.input(dy)] as const;
        const dz = field.wholeVectors(field.output(part.map((x, i) => gradient(x, dy[i]))), part.length);
        field.check(() => backward(field, name, part.length, ...at, dz), `${name}Gradient from ${first}`);
      }
    }
  });

  it("has gradient NaN at NaN; relu has the incoming gradient there, as in PyTorch", () => {
    const field = new Field();
    const at = [field.input(Float32Array.of(NaN, NaN, NaN, NaN)), field.input(Float32Array.of(1, 2, -3, 0))] as const;
    const dz = field.scratch(16);
    backward(field, name, 4, ...at, dz);
    expect([...new Float32Array(field.buffer, dz, 4)]).toEqual(name === "relu" ? [1, 2, -3, 0] : [NaN, NaN, NaN, NaN]);
  });

  it("keeps NaN, and returns no NaN for any number", () => {
    const results = run(name, Float32Array.of(NaN, 1, -NaN, 2, 3.4e38, -3.4e38, 1e20, -1e20));
    expect([...results].map(Number.isNaN)).toEqual([true, false, true, false, false, false, false, false]);
    const field = new Field();
    const extremes =
      name === "gelu" ? [3.4e38, -3.4e38, 1e20, -1e20] : [...run(name, Float32Array.of(1e20, -1e20, 50, -50))];
    const z = field.input(Float32Array.from(extremes));
    const dy = field.input(Float32Array.of(1, 1, 1, 1));
    const dz = field.scratch(16);
    backward(field, name, 4, z, dy, dz);
    expect([...new Float32Array(field.buffer, dz, 4)].every(Number.isFinite)).toBe(true);
  });
});

describe("against float64, over the whole range", () => {
  const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
  // Far below zero σ is eˣ, down to denormal values: so this tests exp as well.
  it.each([sweep, dense])("sigmoid, and with it exp, is within 3 ulp", (z) => {
    expect(worst(run("sigmoid", z), z, sigmoid)).toBeLessThan(3);
  });

  it.each([sweep, dense])("tanh is within 2 ulp", (z) => {
    expect(worst(run("tanh", z), z, Math.tanh)).toBeLessThan(2);
  });

  it("gelu is the tanh form", () => {
    const inner = (x: number): number => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
    const y = run("gelu", dense);
    const error = (x: number, i: number): number =>
      Math.abs(y[i] - 0.5 * x * (1 + Math.tanh(inner(x)))) / Math.max(Math.abs(y[i]), 1e-3);
    expect(Math.max(...dense.map(error))).toBeLessThan(1e-6);
  });

  it("saturates", () => {
    expect([...run("tanh", Float32Array.of(20, -20, Infinity, -Infinity))]).toEqual([1, -1, 1, -1]);
    expect([...run("sigmoid", Float32Array.of(200, -200, Infinity, -Infinity))]).toEqual([1, 0, 1, 0]);
    expect([...run("gelu", Float32Array.of(200, -200, 2 ** 100, -(2 ** 100)))]).toEqual([200, -0, 2 ** 100, -0]);
  });
});
