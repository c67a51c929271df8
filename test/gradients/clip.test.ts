import { describe, expect, test } from "vitest";
import { ParameterDict, clipGradAdaptive, clipGradNorm, clipGradValue, gradNorm } from "../../src/index.js";
import { fillGradient, firstDifference, paddingOf, random } from "../support/harness.js";

const f = Math.fround;

function filled(shapes: Record<string, number[]> = { a: [5], b: [3, 7], c: [], d: [0], e: [1003] }) {
  const params = new ParameterDict(shapes);
  const next = random(9);
  for (const name of params.names) {
    fillGradient(params.grad[name], next);
    fillGradient(params.data[name], next);
    for (const view of [params.data[name], params.grad[name]]) paddingOf(view).fill(NaN);
  }
  return params;
}

const all = (params: ParameterDict): number[] => params.names.flatMap((name) => [...params.grad[name]]);
const norms: [normType: number, norm: (x: number[]) => number][] = [
  [1, (x) => x.reduce((sum, v) => sum + Math.abs(v), 0)],
  [2, (x) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0))],
  [Infinity, (x) => x.reduce((most, v) => Math.max(most, Math.abs(v)), 0)],
];

describe.each(norms)("norm %s", (normType, norm) => {
  test("is that of all gradients as one vector, and of a subset's alone", () => {
    const params = filled();
    expect(gradNorm(params, { normType })).toBeCloseTo(norm(all(params)), 9);
    const some = params.subset(["b", "c"]);
    expect(gradNorm(some, { normType })).toBeCloseTo(norm(all(some)), 9);
    expect(gradNorm(params.subset(["d"]), { normType })).toBe(0);
    expect(gradNorm(params.subset([]), { normType })).toBe(0);
  });

  test("clipping returns the norm before, and multiplies every gradient by one factor", () => {
    const params = filled();
    const before = all(params);
    const total = gradNorm(params, { normType });
    expect(clipGradNorm(params, 0.5, { normType })).toBe(total);
    const factor = f(0.5 / (total + 1e-6));
    expect(all(params)).toEqual(before.map((v) => f(factor * v)));
    expect(gradNorm(params, { normType })).toBeCloseTo(0.5, 5);
  });

  test("clips a subset alone", () => {
    const params = filled();
    const kept = params.grad.a.slice();
    clipGradNorm(params.subset(["b"]), 1e-3, { normType });
    expect(firstDifference(params.grad.a, kept)).toBe(-1);
    expect(gradNorm(params.subset(["b"]), { normType })).toBeCloseTo(1e-3, 8);
  });

  test("a norm below the limit changes nothing", () => {
    const params = filled();
    const before = all(params);
    clipGradNorm(params, 1e9, { normType });
    clipGradNorm(params, Infinity, { normType });
    expect(all(params)).toEqual(before);
  });

  test.each([3e38, 1e30, 1e-30, 2 ** -149])("no overflow or underflow at %s", (size) => {
    const params = new ParameterDict({ a: [100], b: [4] });
    for (const name of params.names) params.grad[name].fill(size);
    const expected = norm(all(params));
    expect(gradNorm(params, { normType }) / expected).toBeCloseTo(1, 12);
    const limit = expected / 2;
    clipGradNorm(params, limit, { normType });
    // PyTorch's 1e-6 in the divisor decides where the norm is far smaller.
    const after = expected * Math.min(1, limit / (expected + 1e-6));
    if (after > 1e-38) expect(gradNorm(params, { normType }) / after).toBeCloseTo(1, 6);
    else expect(gradNorm(params, { normType })).toBe(0);
  });

  test("a norm of 3e38 clipped to 1 keeps its digits, though the factor is a denormal", () => {
    const params = new ParameterDict({ a: [100] });
    params.grad.a.fill(3e38);
    params.grad.a[3] = -1e38;
    clipGradNorm(params, 1, { normType });
    expect(gradNorm(params, { normType })).toBeCloseTo(1, 6);
    expect(params.grad.a[0] / params.grad.a[3]).toBeCloseTo(-3, 6);
  });

  test("what is not finite: PyTorch's values, or an error that changes nothing", () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const params = filled({ a: [5], b: [20] });
      params.grad.b[17] = bad;
      const before = params.grad.b.slice();
      const call = () => clipGradNorm(params, 1, { normType, errorIfNonFinite: true });
      expect(call).toThrow(`clipGradNorm: the norm of the gradients is ${Math.abs(bad)}`);
      expect(firstDifference(params.grad.b, before)).toBe(-1);
      expect(clipGradNorm(params, 1, { normType })).toBe(Math.abs(bad));
      expect(params.grad.b[17]).toBeNaN();
      if (Number.isNaN(bad)) expect(all(params).every(Number.isNaN)).toBe(true);
      else expect(params.grad.a.every((v) => v === 0)).toBe(true);
    }
  });
});

describe("clipGradValue", () => {
  test("clamps every element, and leaves NaN", () => {
    const params = filled();
    params.grad.e[1002] = NaN;
    params.grad.e[1001] = -Infinity;
    const before = all(params);
    clipGradValue(params, 0.1);
    expect(all(params)).toEqual(before.map((v) => Math.min(Math.max(v, -f(0.1)), f(0.1))));
    const clipped = all(params);
    clipGradValue(params, Infinity);
    clipGradValue(params, 1e300);
    expect(all(params)).toEqual(clipped);
    clipGradValue(params.subset(["a"]), 0);
    expect(params.grad.a.every((v) => v === 0)).toBe(true);
    expect(all(params).slice(5)).toEqual(clipped.slice(5));
  });
});

describe("clipGradAdaptive", () => {
  const plain = (x: number[]): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));

  test("a unit is a row of [out, …], or a whole vector, at any width", () => {
    const shapes = { s: [], v: [7], zero: [0, 3], none: [3, 0], m: [5, 3], k: [3, 2, 5], w: [2, 64], one: [9, 1] };
    const params = filled({ ...shapes, last: [3, 5] });
    const expected = params.names.map((name) => {
      const [grad, data] = [[...params.grad[name]], [...params.data[name]]];
      const [rows] = params.shapes[name].length > 1 ? params.shapes[name] : [1];
      const width = grad.length / rows;
      for (let r = 0; r < rows; r++) {
        const unit = <T>(x: T[]): T[] => x.slice(r * width, (r + 1) * width);
        const limit = 0.02 * Math.max(plain(unit(data)), 1e-3);
        const norm = plain(unit(grad));
        if (norm < limit) continue;
        const factor = f(limit / Math.max(norm, 1e-6));
        for (let i = r * width; i < (r + 1) * width; i++) grad[i] = f(factor * grad[i]);
      }
      return grad;
    });
    const data = params.copy();
    clipGradAdaptive(params, 0.02);
    // The order of summation differs here: a factor may differ by a rounding.
    params.names.forEach((name, i) => {
      const grad = [...params.grad[name]];
      grad.forEach((v, k) => expect(Math.abs(v - expected[i][k])).toBeLessThanOrEqual(Math.abs(v) * 2 ** -22));
    });
    expect(params.copy()).toEqual(data);
  });

  test("touches no row but those that are too large, nor the tensor behind the last", () => {
    const arena = filled({ m: [3, 5], after: [4] });
    arena.data.m.fill(1);
    arena.grad.m.fill(1e-4).fill(10, 10);
    arena.grad.after.fill(1e-6);
    clipGradAdaptive(arena.subset(["m"]), 0.1);
    expect(arena.grad.m.subarray(0, 10).every((v) => v === f(1e-4))).toBe(true);
    expect(plain([...arena.grad.m.subarray(10)])).toBeCloseTo(0.1 * Math.sqrt(5), 6);
    expect(arena.grad.after.every((v) => v === f(1e-6))).toBe(true);
  });

  test("eps lets parameters at 0 move", () => {
    const params = new ParameterDict({ a: [4] });
    params.grad.a.fill(1);
    clipGradAdaptive(params, 0.5);
    expect(plain([...params.grad.a])).toBeCloseTo(0.5e-3, 9);
    params.grad.a.fill(1);
    clipGradAdaptive(params, 0.5, { eps: 0.1 });
    expect(plain([...params.grad.a])).toBeCloseTo(0.05, 7);
    clipGradAdaptive(params, 0.5, { eps: 0 });
    expect([...params.grad.a]).toEqual([0, 0, 0, 0]);
  });

  test("no overflow at 3e38", () => {
    const params = new ParameterDict({ a: [2, 50] });
    params.grad.a.fill(3e38);
    params.data.a.fill(1e-3);
    clipGradAdaptive(params, 0.01);
    expect(plain([...params.grad.a.subarray(0, 50)]) / (0.01 * 1e-3 * Math.sqrt(50))).toBeCloseTo(1, 5);
  });
});

test("bad arguments are refused, and change nothing", () => {
  const params = filled({ a: [5] });
  const before = params.grad.a.slice();
  const cases: [call: () => unknown, error: ErrorConstructor, message: string][] = [
    [() => gradNorm({} as never), TypeError, 'gradNorm: "params" expected a ParameterDict, got an object'],
    [() => gradNorm(params, { normType: 3 }), RangeError, 'gradNorm: "normType" expected 1, 2 or Infinity, got 3'],
    [() => gradNorm(params, { normType: "2" as never }), TypeError, '"normType" expected 1, 2 or Infinity, got "2"'],
    [
      () => gradNorm(params, { p: 2 } as never),
      RangeError,
      'unknown option "p"; did you mean "normType"? The options are normType',
    ],
    [() => gradNorm(params, null as never), TypeError, 'gradNorm: "options" expected an object, got null'],
    [() => clipGradNorm(params, -1), RangeError, 'clipGradNorm: "maxNorm" expected a number >= 0, got -1'],
    [() => clipGradNorm(params, NaN), RangeError, '"maxNorm" expected a number >= 0, got NaN'],
    [() => clipGradNorm(params, "1" as never), TypeError, '"maxNorm" expected a number >= 0, got "1"'],
    [() => clipGradNorm(params, 1, { normType: 0 }), RangeError, 'clipGradNorm: "normType" expected'],
    [() => clipGradNorm(params, 0, { errorIfNonFinite: 1 as never }), TypeError, '"errorIfNonFinite" expected true or'],
    [() => clipGradNorm(params, 0, { errorIfNonFinite: null as never }), TypeError, '"errorIfNonFinite" expected true'],
    [() => clipGradNorm([] as never, 1), TypeError, 'clipGradNorm: "params" expected a ParameterDict'],
    [() => clipGradValue(params, -0.1), RangeError, 'clipGradValue: "limit" expected a number >= 0, got -0.1'],
    [() => clipGradValue(params, undefined as never), TypeError, '"limit" expected a number >= 0, got undefined'],
    [() => clipGradAdaptive(params, Infinity), RangeError, '"ratio" expected a finite number >= 0, got Infinity'],
    [() => clipGradAdaptive(params, 0, { eps: -1 }), RangeError, '"eps" expected a finite number >= 0, got -1'],
    [() => clipGradAdaptive(params, 0, { epsilon: 1 } as never), RangeError, 'unknown option "epsilon"'],
  ];
  for (const [call, error, message] of cases) {
    expect(call).toThrow(error);
    expect(call).toThrow(message);
  }
  expect(firstDifference(params.grad.a, before)).toBe(-1);
  params.dispose();
  expect(() => clipGradNorm(params, 1)).toThrow("clipGradNorm: used after dispose()");
});
