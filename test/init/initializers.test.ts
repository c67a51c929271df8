// Initial values: their bounds, moments and bits, and what is refused.
import { describe, expect, test } from "vitest";
import {
  ParameterDict,
  Random,
  calculateGain,
  kaimingNormal,
  kaimingUniform,
  normal,
  truncNormal,
  uniform,
  xavierNormal,
  xavierUniform,
} from "../../src/index.js";

const shape = [200, 100];
const fill = (init: (values: ReturnType<typeof Float32Array.of>, random: Random) => void) => {
  const values = new Float32Array(20000);
  init(values, new Random(1));
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  return { values, mean, std, min: Math.min(...values), max: Math.max(...values) };
};

describe("uniform ones are within their bounds, and reach them", () => {
  test.each<[string, (values: ReturnType<typeof Float32Array.of>, random: Random) => void, number, number]>([
    ["uniform", (v, r) => uniform(v, r), 0, 1],
    ["uniform of a range", (v, r) => uniform(v, r, { a: -2, b: 4 }), -2, 4],
    ["xavierUniform", (v, r) => xavierUniform(v, shape, r), -Math.sqrt(6 / 300), Math.sqrt(6 / 300)],
    [
      "xavierUniform with a gain",
      (v, r) => xavierUniform(v, shape, r, { gain: 2 }),
      -2 * Math.sqrt(6 / 300),
      2 * Math.sqrt(6 / 300),
    ],
    ["kaimingUniform", (v, r) => kaimingUniform(v, shape, r), -Math.sqrt(6 / 100), Math.sqrt(6 / 100)],
    ["kaimingUniform as torch.nn.Linear's", (v, r) => kaimingUniform(v, shape, r, { a: Math.sqrt(5) }), -0.1, 0.1],
    [
      "kaimingUniform by outputs",
      (v, r) => kaimingUniform(v, shape, r, { mode: "fan_out", nonlinearity: "linear" }),
      -Math.sqrt(3 / 200),
      Math.sqrt(3 / 200),
    ],
    [
      "kaimingUniform of a convolution",
      (v, r) => kaimingUniform(v, [20, 10, 10, 10], r, { nonlinearity: "tanh" }),
      -(5 / 3) * Math.sqrt(3 / 1000),
      (5 / 3) * Math.sqrt(3 / 1000),
    ],
  ])("%s", (_, init, low, high) => {
    const { min, max, mean } = fill(init);
    const width = high - low;
    expect(min).toBeGreaterThanOrEqual(Math.fround(low));
    expect(max).toBeLessThanOrEqual(Math.fround(high));
    expect(min).toBeLessThan(low + 0.001 * width);
    expect(max).toBeGreaterThan(high - 0.001 * width);
    expect(Math.abs(mean - (low + high) / 2)).toBeLessThan(0.01 * width);
  });
});

describe("normal ones have their mean and standard deviation", () => {
  test.each<[string, (values: ReturnType<typeof Float32Array.of>, random: Random) => void, number, number]>([
    ["normal", (v, r) => normal(v, r), 0, 1],
    ["normal with options", (v, r) => normal(v, r, { mean: 3, std: 0.5 }), 3, 0.5],
    ["normal without spread", (v, r) => normal(v, r, { mean: 3, std: 0 }), 3, 0],
    ["xavierNormal", (v, r) => xavierNormal(v, shape, r), 0, Math.sqrt(2 / 300)],
    ["kaimingNormal", (v, r) => kaimingNormal(v, shape, r), 0, Math.sqrt(2 / 100)],
    [
      "kaimingNormal by outputs",
      (v, r) => kaimingNormal(v, shape, r, { mode: "fan_out", a: 0.5 }),
      0,
      Math.sqrt(2 / 1.25 / 200),
    ],
    ["truncNormal", (v, r) => truncNormal(v, r), 0, 0.8796],
    ["truncNormal without spread", (v, r) => truncNormal(v, r, { mean: 1, std: 0 }), 1, 0],
  ])("%s", (_, init, mean, std) => {
    const found = fill(init);
    expect(Math.abs(found.mean - mean)).toBeLessThanOrEqual(0.02 * std);
    expect(Math.abs(found.std - std)).toBeLessThanOrEqual(0.02 * std);
  });

  test("truncNormal stays within its bounds", () => {
    const { min, max } = fill((v, r) => truncNormal(v, r, { std: 0.02, a: -0.02, b: 0.01 }));
    expect(min).toBeGreaterThanOrEqual(Math.fround(-0.02));
    expect(max).toBeLessThanOrEqual(Math.fround(0.01));
  });
});

test("a seed gives the same bits on every engine", () => {
  const values = new Float32Array(3);
  normal(values, new Random(1));
  expect(Array.from(new Uint32Array(values.buffer), (bits) => bits.toString(16))).toMatchInlineSnapshot(`
    [
      "3ff75578",
      "3f8892e9",
      "beda4bff",
    ]
  `);
  const params = new ParameterDict({ w: [3, 1] });
  xavierUniform(params.data.w, params.shapes.w, new Random(1));
  expect(Array.from(params.data.w)).toMatchInlineSnapshot(`
    [
      0.9106509685516357,
      1.1052318811416626,
      0.5776767730712891,
    ]
  `);
});

test("gains are PyTorch's", () => {
  expect(calculateGain("linear")).toBe(1);
  expect(calculateGain("sigmoid")).toBe(1);
  expect(calculateGain("tanh")).toBe(5 / 3);
  expect(calculateGain("relu")).toBe(Math.SQRT2);
  expect(calculateGain("selu")).toBe(0.75);
  expect(calculateGain("leaky_relu")).toBeCloseTo(Math.SQRT2 / Math.sqrt(1.0001), 14);
  expect(calculateGain("leaky_relu", 1)).toBe(1);
});

test.each<[string, () => void, new () => Error, string]>([
  [
    "no Float32Array",
    () => normal([1] as never, new Random(1)),
    TypeError,
    'normal: "values" expected a Float32Array, such as params.data.w, got [1]',
  ],
  [
    "no generator",
    () => uniform(new Float32Array(1), 1 as never),
    TypeError,
    'uniform: "random" expected a Random, such as new Random(1), got 1',
  ],
  [
    "a vector's shape",
    () => kaimingNormal(new Float32Array(2), [2], new Random(1)),
    RangeError,
    '"shape" expected at least two dimensions, [out, in, …], got [2]',
  ],
  [
    "another shape",
    () => xavierNormal(new Float32Array(2), [2, 2], new Random(1)),
    RangeError,
    '"values" expected 4 numbers, got',
  ],
  [
    "bounds in the wrong order",
    () => uniform(new Float32Array(2), new Random(1), { a: 1, b: 0 }),
    RangeError,
    '"b" expected a number >= a',
  ],
  [
    "a negative spread",
    () => normal(new Float32Array(2), new Random(1), { std: -1 }),
    RangeError,
    '"std" expected a finite number >= 0',
  ],
  [
    "a range out of reach",
    () => truncNormal(new Float32Array(2), new Random(1), { a: 9, b: 10 }),
    RangeError,
    '"b" expected a range',
  ],
  [
    "a range out of reach of no spread",
    () => truncNormal(new Float32Array(2), new Random(1), { std: 0, a: 1 }),
    RangeError,
    '"b" expected a range',
  ],
  [
    "Keras's name",
    () => normal(new Float32Array(2), new Random(1), { stddev: 1 } as never),
    RangeError,
    'did you mean "std"?',
  ],
  ["another nonlinearity", () => calculateGain("ReLU" as never), RangeError, 'did you mean "relu"?'],
])("refuses %s", (_, call, error, message) => {
  expect(call).toThrow(error);
  expect(call).toThrow(message);
});
