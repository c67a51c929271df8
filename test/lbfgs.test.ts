import { describe, expect, test } from "vitest";
import { LBFGS, ParameterDict } from "../src/index.js";

/** Rosenbrock's function over all tensors as one vector, in float64; fills the gradients. */
function rosenbrock(params: ParameterDict): number {
  const x = params.names.flatMap((name) => [...params.data[name]]);
  const g = x.map(() => 0);
  let loss = 0;
  for (let i = 0; i + 1 < x.length; i++) {
    const [a, b] = [1 - x[i], x[i + 1] - x[i] * x[i]];
    loss += a * a + 100 * b * b;
    g[i] += -2 * a - 400 * x[i] * b;
    g[i + 1] += 200 * b;
  }
  let at = 0;
  for (const name of params.names) {
    params.grad[name].set(g.slice(at, at + params.grad[name].length));
    at += params.grad[name].length;
  }
  return loss;
}

function callsTo(params: ParameterDict, target: number, most: number): number {
  const optimizer = new LBFGS(params, { lr: 1, historySize: 10, lineSearch: "strong-wolfe" });
  let calls = 0;
  let best = Infinity;
  while (best >= target && calls <= most)
    optimizer.step(() => {
      calls++;
      const loss = rosenbrock(params);
      best = Math.min(best, loss);
      return loss;
    });
  return calls;
}

describe("LBFGS", () => {
  test("Rosenbrock in 2-D from (−1.2, 1): under 1e-8 in at most 60 calls", () => {
    const params = ParameterDict.from({ x: { shape: [2], data: [-1.2, 1] } });
    expect(callsTo(params, 1e-8, 60)).toBeLessThanOrEqual(60);
    expect(rosenbrock(params)).toBeLessThan(1e-8);
  });

  test("in 10-D from −1.2 everywhere, over three tensors: in at most 110", () => {
    const params = ParameterDict.from({
      a: { shape: [3], data: [-1.2, -1.2, -1.2] },
      b: { shape: [1], data: [-1.2] },
      c: { shape: [2, 3], data: Array.from({ length: 6 }, () => -1.2) },
    });
    expect(callsTo(params, 1e-8, 110)).toBeLessThanOrEqual(110);
  });

  test("returns the loss of the first call, and goes down without a line search too", () => {
    const params = ParameterDict.from({ x: { shape: [2], data: [3, -2] } });
    const optimizer = new LBFGS(params, { lr: 0.5 });
    const bowl = () => {
      params.grad.x.set(params.data.x.map((x, i) => x * (i + 1)));
      return 0.5 * (params.data.x[0] ** 2 + 2 * params.data.x[1] ** 2);
    };
    expect(optimizer.step(bowl)).toBe(8.5);
    expect(bowl()).toBeLessThan(1e-3);
  });

  test("resumes to the bit", () => {
    const start = { x: { shape: [4], data: [-1.2, 1, -1.2, 1] } };
    const [whole, first, second] = [0, 1, 2].map(() => ParameterDict.from(start));
    const make = (params: ParameterDict) =>
      new LBFGS(params, { maxIter: 4, historySize: 3, lineSearch: "strong-wolfe" });
    const run = (optimizer: LBFGS, params: ParameterDict, steps: number) => {
      for (let t = 0; t < steps; t++) optimizer.step(() => rosenbrock(params));
    };
    run(make(whole), whole, 6);
    const stopped = make(first);
    run(stopped, first, 3);
    second.assign(first.copy());
    const resumed = make(second);
    resumed.loadStateDict(structuredClone(stopped.stateDict()));
    run(resumed, second, 3);
    expect(second.data.x).toEqual(whole.data.x);
  });

  test.each([
    [{ lineSearch: "armijo" }, RangeError],
    [{ historySize: 0 }, RangeError],
    [{ maxIter: 1.5 }, RangeError],
    [{ betas: [0.9, 0.9] }, RangeError],
    [{ toleranceGrad: "0" }, TypeError],
  ])("refuses %j", (options, error) => {
    expect(() => new LBFGS(new ParameterDict({ x: [2] }), options as never)).toThrow(error);
  });

  test("wants a closure", () => {
    expect(() => new LBFGS(new ParameterDict({ x: [2] })).step(undefined as never)).toThrow(TypeError);
  });
});
