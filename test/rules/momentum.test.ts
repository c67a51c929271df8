// Textbook properties of momentum and of batches.
import { describe, expect, test } from "vitest";
import { ParameterDict, SGD } from "../../src/index.js";
import { random } from "../support/harness.js";

/** ½·Σ aᵢxᵢ², an ill-conditioned bowl. */
const curvature = [1, 3, 10, 40];
const start = [1, -2, 0.5, 0.25];

describe("Nesterov", () => {
  test.each(["torch", "keras"] as const)("%s: is equivalent to the look-ahead form", (dialect) => {
    const [lr, mu] = [0.02, 0.9];
    const params = ParameterDict.from({ x: { shape: [4], data: start } });
    const optimizer = new SGD(params, { lr, momentum: mu, nesterov: true, dialect });
    // The look-ahead form: velocity v, gradient at the point that momentum predicts.
    let y = [...start];
    let v = y.map(() => 0);
    for (let t = 0; t < 60; t++) {
      // The library stores the predicted point y + μv, where both take the gradient.
      const predicted = y.map((value, i) => value + mu * v[i]);
      params.data.x.forEach((x, i) => expect(x).toBeCloseTo(predicted[i], 5));
      params.grad.x.set(params.data.x.map((x, i) => curvature[i] * x));
      optimizer.step();
      v = v.map((value, i) => mu * value - lr * curvature[i] * predicted[i]);
      y = y.map((value, i) => value + v[i]);
    }
    expect(Math.max(...params.data.x.map(Math.abs))).toBeLessThan(0.5);
  });

  test("is not the heavy ball", () => {
    const run = (nesterov: boolean) => {
      const params = ParameterDict.from({ x: { shape: [4], data: start } });
      const optimizer = new SGD(params, { lr: 0.02, momentum: 0.9, nesterov });
      for (let t = 0; t < 10; t++) {
        params.grad.x.set(params.data.x.map((x, i) => curvature[i] * x));
        optimizer.step();
      }
      return params.data.x;
    };
    expect(run(true)).not.toEqual(run(false));
  });
});

describe("the moving average", () => {
  const constant = (options: object, steps: number): number[] => {
    const params = new ParameterDict({ x: [1] });
    const optimizer = new SGD(params, { lr: 1, momentum: 0.9, momentumForm: "ema", ...options });
    params.grad.x[0] = 1;
    return Array.from({ length: steps }, () => {
      const before = params.data.x[0];
      optimizer.step();
      return before - params.data.x[0];
    });
  };

  test("starts at (1 − β)g and reaches 1 − 1/e of the gradient after 1/(1 − β) steps", () => {
    const moves = constant({}, 10);
    expect(moves[0]).toBeCloseTo(0.1, 6);
    expect(moves[9]).toBeCloseTo(1 - 0.9 ** 10, 6);
    expect(Math.abs(moves[9] - (1 - Math.exp(-1)))).toBeLessThan(0.03);
  });

  test("equals the gradient from the first step on with bias correction", () => {
    for (const move of constant({ biasCorrection: true }, 10)) expect(move).toBeCloseTo(1, 5);
  });
});

describe("batch, mini-batch and stochastic descent", () => {
  test("the mean of mini-batch gradients, taken by gradScale, is the batch gradient", () => {
    const next = random(2);
    const samples = Array.from({ length: 64 }, () => next() * 4 - 2);
    const batch = ParameterDict.from({ x: { shape: [1], data: [3] } });
    const accumulated = ParameterDict.from({ x: { shape: [1], data: [3] } });
    const [one, many] = [new SGD(batch, { lr: 0.1 }), new SGD(accumulated, { lr: 0.1 })];
    for (let t = 0; t < 5; t++) {
      batch.grad.x[0] = samples.reduce((sum, s) => sum + (batch.data.x[0] - s), 0) / 64;
      one.step();
      accumulated.zeroGrad();
      for (const s of samples) accumulated.grad.x[0] += accumulated.data.x[0] - s;
      many.step({ gradScale: 1 / 64 });
    }
    expect(accumulated.data.x[0]).toBeCloseTo(batch.data.x[0], 5);
  });

  test("one sample at a time also reaches the mean, and fluctuates around it", () => {
    const next = random(3);
    const params = ParameterDict.from({ x: { shape: [1], data: [3] } });
    const optimizer = new SGD(params, { lr: 0.02 });
    for (let t = 0; t < 3000; t++) {
      params.grad.x[0] = params.data.x[0] - (next() * 2 - 1);
      optimizer.step();
    }
    expect(Math.abs(params.data.x[0])).toBeLessThan(0.25);
    expect(params.data.x[0]).not.toBe(0);
  });
});
