// Gradients by central differences.
import { expect, test } from "vitest";
import { ParameterDict, WeightEma, numericalGradient } from "../../src/index.js";

/** Σ wᵢ³ + b·Σ wᵢ, whose gradient is 3wᵢ² + b and Σ wᵢ. */
const cubic = (params: ParameterDict<"w" | "b">) => {
  const { w, b } = params.data;
  let loss = 0;
  for (const x of w) loss += x ** 3 + b[0] * x;
  return loss;
};
const make = () => ParameterDict.from({ w: { shape: [3], data: [1, -2, 30] }, b: { shape: [], data: [0.5] } });

test("gives the gradient of every element, and leaves values and gradients", () => {
  const params = make();
  params.grad.w.fill(7);
  const found = numericalGradient(params, () => {
    params.grad.w.fill(9);
    return cubic(params);
  });
  expect(Object.keys(found)).toEqual(["w", "b"]);
  [3.5, 12.5, 2700.5].forEach((expected, i) => expect(Math.abs(found.w[i] / expected - 1)).toBeLessThan(1e-3));
  expect(found.b[0]).toBeCloseTo(29, 2);
  expect(Array.from(params.data.w)).toEqual([1, -2, 30]);
  expect(Array.from(params.grad.w)).toEqual([7, 7, 7]);
});

test("takes a subset, and another step", () => {
  const params = make();
  const found = numericalGradient(params.subset(["b"]), () => cubic(params), { eps: 0.5 });
  expect(found).toEqual({ b: Float32Array.of(29) });
});

test("restores the parameters when the loss throws, and refuses wrong arguments", () => {
  const params = make();
  let calls = 0;
  const fail = () => {
    if (++calls === 4) throw new Error("mine");
    return 0;
  };
  expect(() => numericalGradient(params, fail)).toThrow("mine");
  expect(Array.from(params.data.w)).toEqual([1, -2, 30]);
  expect(() => numericalGradient(params, () => [1] as never)).toThrow(
    'numericalGradient: "loss()" expected a number, the loss, got [1]',
  );
  expect(Array.from(params.data.w)).toEqual([1, -2, 30]);
  expect(() => numericalGradient(params, 1 as never)).toThrow('"loss" expected a function');
  expect(() => numericalGradient(params, fail, { eps: 0 })).toThrow('"eps" expected a number in (0, 1], got 0');
  expect(() => numericalGradient(params, fail, { delta: 0 } as never)).toThrow('did you mean "eps"?');
  expect(() => numericalGradient([] as never, fail)).toThrow('"params" expected a ParameterDict');
  const ema = new WeightEma(params);
  ema.update();
  ema.apply();
  expect(() => numericalGradient(params, fail)).toThrow("restore()");
});
