import { describe, expect, test, vi } from "vitest";
import { Arena, LBFGS, type LBFGSOptions, ParameterDict } from "../../../src/index.js";
import { paddingOf, poisonedArena } from "../../support/harness.js";
import { lbfgs } from "../../support/reference/lbfgs.js";
import { from, rosenbrock, ten, wolfe } from "../rosenbrock.js";

describe("Rosenbrock's function", () => {
  const solve = (params: ParameterDict, options: LBFGSOptions): { calls: number; loss: number } => {
    const closure = vi.fn(rosenbrock(params));
    const optimizer = new LBFGS(params, options);
    while (rosenbrock(params)() >= 1e-8 && closure.mock.calls.length < 500) optimizer.step(closure);
    expect(optimizer.state(params.names[0]).funcEvals).toBe(closure.mock.calls.length);
    return { calls: closure.mock.calls.length, loss: rosenbrock(params)() };
  };

  test.each([
    ["2-D from (−1.2, 1)", [-1.2, 1], 45, 60],
    ["10-D from −1.2 everywhere", ten, 83, 110],
  ])("%s: below 1e-8 in about as many calls as PyTorch takes", (_, start, pytorch, most) => {
    const { calls, loss } = solve(from(start), wolfe);
    expect(loss).toBeLessThan(1e-8);
    expect(calls).toBeLessThanOrEqual(most);
    expect(calls).toBeLessThanOrEqual(pytorch);
  });

  test("several tensors behave like one, whatever their padding holds", () => {
    const arena = poisonedArena(2 ** 18);
    const params = from(ten, { a: [1], b: [3], empty: [0], c: [2, 2], d: [2] }, { arena });
    for (const name of params.names)
      for (const view of [params.data[name], params.grad[name]]) paddingOf(view).fill(NaN);
    const { calls, loss } = solve(params, wolfe);
    expect(loss).toBeLessThan(1e-8);
    expect(calls).toBeLessThanOrEqual(110);
  });

  test("with steps of a fixed length", () => {
    const { loss } = solve(from(ten), { historySize: 10, lr: 0.1 });
    expect(loss).toBeLessThan(1e-8);
  });
});

test.each([1, 2, 3, 5, 20])(
  "steps of a fixed length are those of plain float64 arrays, historySize %i",
  (historySize) => {
    const n = 7;
    const gradient = (x: number[]): number[] =>
      x.map((v, i) => (i + 1) * v + 0.1 * v ** 3 + 0.3 * (x[(i + 1) % n] - v));
    const start = Array.from({ length: n }, (_, i) => Math.fround(1 - i / 3));
    const count = 14;
    const points = lbfgs(gradient, start, { lr: 0.4, historySize, count });
    for (const maxIter of [1, 4]) {
      const params = from(start, { a: [3], b: [4] });
      const optimizer = new LBFGS(params, { lr: 0.4, historySize, maxIter, maxEval: 100, toleranceChange: 0 });
      const closure = (): number => {
        const g = gradient([...params.data.a, ...params.data.b]);
        params.grad.a.set(g.slice(0, 3));
        params.grad.b.set(g.slice(3));
        return 1 / optimizer.paramGroups.length;
      };
      for (let k = maxIter; k <= count; k += maxIter) {
        optimizer.step(closureWithLoss(closure));
        [...params.data.a, ...params.data.b].forEach((x, i) =>
          expect(x, `x[${i}] after ${k}`).toBeCloseTo(points[k - 1][i], 4),
        );
      }
      expect(optimizer.state("a").step).toBe(Math.floor(count / maxIter));
      expect(optimizer.state("b").nIter).toBe(count - (count % maxIter));
    }
  },
);

/** Adds a different number to every loss, so that an unchanged loss never ends a step. */
function closureWithLoss(closure: () => number): () => number {
  let calls = 0;
  return () => closure() + calls++;
}

describe("step", () => {
  test("returns the first loss, and leaves the gradients of the final point", () => {
    const params = from([-1.2, 1]);
    const optimizer = new LBFGS(params, { ...wolfe, maxIter: 4 });
    let expected = rosenbrock(params)();
    for (let k = 0; k < 6; k++) {
      expect(optimizer.step(rosenbrock(params))).toBe(expected);
      const grad = params.grad.x.slice();
      expected = rosenbrock(params)();
      expect(grad).toEqual(params.grad.x);
    }
  });

  test("leaves the gradients of the final point after a search that could not satisfy both conditions", () => {
    let wentBack = 0;
    for (let kink = 0; kink < 1; kink += 0.002) {
      const params = from([-2, 0]);
      const optimizer = new LBFGS(params, { ...wolfe, maxIter: 1 });
      let last = NaN;
      const closure = (): number => {
        const [x, y] = params.data.x;
        last = x;
        const slope = x < kink ? -1 : 3;
        params.grad.x.set([slope + 0.01 * x, 0.01 * y]);
        return slope * (x - kink) + 0.005 * (x * x + y * y);
      };
      optimizer.step(closure);
      if (params.data.x[0] !== last) wentBack++;
      const grad = params.grad.x.slice();
      closure();
      expect(grad).toEqual(params.grad.x);
    }
    expect(wentBack).toBeGreaterThan(10);
  });

  test("ends at maxIter, at maxEval and at each tolerance", () => {
    const calls = (options: LBFGSOptions, x = [-1.2, 1]): [calls: number, iterations: unknown] => {
      const params = from(x);
      const closure = vi.fn(rosenbrock(params));
      const optimizer = new LBFGS(params, options);
      optimizer.step(closure);
      return [closure.mock.calls.length, optimizer.state("x").nIter];
    };
    expect(calls({ lr: 1e-3, maxIter: 3, maxEval: 9 })).toEqual([3, 3]); // no evaluation after the last iteration
    expect(calls({ lr: 1e-3, maxEval: 2 })).toEqual([2, 1]);
    expect(calls({ lr: 1e-3, maxIter: 8 })).toEqual([8, 8]);
    expect(calls({ lr: 1e-3, toleranceGrad: 1e9 })).toEqual([1, 0]);
    expect(calls({ lr: 1e-3, toleranceGrad: 0 }, [1, 1])).toEqual([1, 0]); // at the minimum
    expect(calls({ lr: 1e-3, toleranceChange: 0.1 })).toEqual([2, 1]);
    expect(calls({ lr: 1e-3, toleranceChange: 1e9 })).toEqual([1, 1]); // the slope is not below −1e9
    const [evaluations, iterations] = calls({ ...wolfe, maxEval: 10 });
    expect(evaluations).toBeGreaterThanOrEqual(10);
    expect(iterations).toBeLessThan(10);
  });

  test("applies options that are set live", () => {
    const params = from([-1.2, 1]);
    const optimizer = new LBFGS(params, { lr: 1e-3 });
    optimizer.paramGroups[0].maxIter = 1;
    optimizer.paramGroups[0].lr = 0;
    optimizer.step(rosenbrock(params));
    expect([...params.data.x]).toEqual([Math.fround(-1.2), 1]);
    expect(() => (optimizer.paramGroups[0].maxIter = 0)).toThrow(
      'LBFGS: "paramGroups[0].maxIter" expected a whole number >= 1, got 0',
    );
    for (const [option, value] of [["historySize", 3] as const, ["lineSearch", "strong-wolfe"] as const])
      expect(() => (optimizer.paramGroups[0][option] = value as never)).toThrow(
        `LBFGS: "paramGroups[0].${option}" is settled when the optimizer is made`,
      );
  });

  test("refuses a closure that is not a function or returns no number", () => {
    const params = from([-1.2, 1]);
    const optimizer = new LBFGS(params, wolfe);
    const saved = optimizer.stateDict();
    for (const [closure, message] of [
      [undefined, 'LBFGS: "closure" expected a function, got undefined'],
      [{}, 'LBFGS: "closure" expected a function, got an object'],
      [() => undefined, 'LBFGS: "closure()" expected a number, the loss, got undefined'],
      [() => Promise.resolve(1), 'LBFGS: "closure()" expected a number, the loss, got a Promise'],
    ] as [never, string][]) {
      expect(() => optimizer.step(closure)).toThrow(TypeError);
      expect(() => optimizer.step(closure)).toThrow(message);
    }
    expect(optimizer.stateDict()).toEqual(saved);
  });

  test.each([null, "strong-wolfe"] as const)(
    "a closure that throws leaves the last whole iteration, from which one can go on: %s",
    (lineSearch) => {
      const options = { lr: lineSearch ? 1 : 1e-3, historySize: 4, lineSearch };
      for (let failing = 1; failing <= 12; failing++) {
        const params = from([-1.2, 1]);
        const optimizer = new LBFGS(params, options);
        const loss = rosenbrock(params);
        const seen: number[][] = [];
        let calls = 0;
        const closure = (): number => {
          seen.push([...params.data.x]);
          if (++calls === failing) throw new Error("out of data");
          return loss();
        };
        expect(() => optimizer.step(closure)).toThrow("out of data");
        expect(params.data.x.every(Number.isFinite)).toBe(true);
        // A point that was visited, and its own gradient.
        expect(seen.slice(0, Math.max(1, failing - 1))).toContainEqual([...params.data.x]);
        if (failing === 1) expect(optimizer.state("x")).toMatchObject({ step: 0, nIter: 0, funcEvals: 0 });
        const before = loss();
        expect(before).toBeLessThanOrEqual(24.3);
        for (let k = 0; k < 3; k++) optimizer.step(loss);
        expect(loss()).toBeLessThan(before);
      }
    },
  );

  test('nonFinite: "skip" undoes a move to gradients that are not finite, "throw" names them', () => {
    for (const at of [1, 3]) {
      const set = (nonFinite: "skip" | "throw") => {
        const params = from([-1.2, 1], { a: [1], b: [1] });
        const optimizer = new LBFGS(params, { lr: 1e-3, nonFinite });
        const points: Record<string, Float32Array>[] = [];
        const closure = (): number => {
          points.push(params.copy());
          const loss = rosenbrock(params)();
          if (points.length === at) params.grad.b[0] = -Infinity;
          return loss;
        };
        return { params, optimizer, points, closure };
      };
      const skip = set("skip");
      expect(skip.optimizer.step(skip.closure)).toBeCloseTo(24.2, 4);
      expect(skip.points).toHaveLength(at);
      expect(skip.params.copy()).toEqual(skip.points[Math.max(0, at - 2)]);
      expect(skip.optimizer.state("a")).toMatchObject({ nIter: Math.max(0, at - 2), step: at === 1 ? 0 : 1 });
      const fail = set("throw");
      expect(() => fail.optimizer.step(fail.closure)).toThrow('LBFGS: the gradient of "b" is -Infinity at element 0');
      expect(fail.params.copy()).toEqual(fail.points[Math.max(0, at - 2)]);
    }
  });

  test("a closure that disposes of the optimizer ends the step, which does not write to memory of others", () => {
    for (const at of [1, 2]) {
      const arena = new Arena({ capacity: 2 ** 18 });
      const params = from([-1.2, 1], undefined, { arena });
      const optimizer = new LBFGS(params, wolfe);
      let others: ParameterDict | undefined;
      let calls = 0;
      const closure = (): number => {
        if (++calls < at) return rosenbrock(params)();
        optimizer.dispose();
        params.dispose();
        others = new ParameterDict({ all: [arena.free / 8 - 16] }, { arena });
        others.data.all.forEach((_, i, all) => (all[i] = i));
        return 1;
      };
      expect(() => optimizer.step(closure)).toThrow("LBFGS: used after dispose()");
      expect(others?.data.all.every((x, i) => x === i)).toBe(true);
    }
  });

  test("the line search backs off from a loss or gradient that is not finite, under every policy", () => {
    for (const nonFinite of ["propagate", "skip", "throw"] as const) {
      const params = from([1, 1]);
      const optimizer = new LBFGS(params, { ...wolfe, lr: 1000, nonFinite });
      const closure = (): number => {
        const [a, b] = params.data.x;
        const wild = Math.abs(a) > 2 || Math.abs(b) > 2;
        params.grad.x.set(wild ? [NaN, Infinity] : [2 * (a - 0.5), 8 * (b + 0.5)]);
        return wild ? NaN : (a - 0.5) ** 2 + 4 * (b + 0.5) ** 2;
      };
      for (let k = 0; k < 5; k++) optimizer.step(closure);
      expect(params.data.x[0]).toBeCloseTo(0.5, 4);
      expect(params.data.x[1]).toBeCloseTo(-0.5, 4);
    }
  });
});
