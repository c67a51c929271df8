import { describe, expect, test, vi } from "vitest";
import { Arena, LBFGS, type LBFGSOptions, Optimizer, ParameterDict, SGD, StepOptimizer } from "../src/index.js";
import { IN_PLACE, type Trial, strongWolfe } from "../src/line-search.js";
import { firstDifference, paddingOf, poisonedArena } from "./harness.js";
import { lbfgs } from "./reference/lbfgs.js";

/** Σ 100(x′ − x²)² + (1 − x)² over neighbours, in float64, of all tensors as one vector; fills the gradients. */
function rosenbrock(params: ParameterDict): () => number {
  return () => {
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
  };
}

const from = (x: number[], shapes: Record<string, number[]> = { x: [x.length] }, options = {}): ParameterDict => {
  const params = new ParameterDict(shapes, options);
  let at = 0;
  for (const name of params.names) {
    params.data[name].set(x.slice(at, at + params.data[name].length));
    at += params.data[name].length;
  }
  return params;
};
const wolfe = { historySize: 10, lineSearch: "strong-wolfe" } as const;
const ten = Array.from({ length: 10 }, () => -1.2);

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

  test("in several tensors, whatever stands in the padding, as in one", () => {
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

/** Loses the loss: a tolerance of 0 never stops at it. */
function closureWithLoss(closure: () => number): () => number {
  let calls = 0;
  return () => closure() + calls++;
}

describe("the line search", () => {
  /** Searches φ from 0 and returns the point with how often φ was evaluated. */
  const search = (phi: (t: number) => [loss: number, slope: number], first: number) => {
    const buffers = [NaN, NaN];
    let at = NaN;
    let count = 0;
    const line = {
      evaluate(t: number): Trial {
        count++;
        at = t;
        const [loss, slope] = phi(t);
        return { t, loss: Number.isFinite(loss + slope) ? loss : Infinity, slope, gradient: IN_PLACE };
      },
      keep: (buffer: number) => void (buffers[buffer] = at),
    };
    const [loss, slope] = phi(0);
    const found = strongWolfe(line, { t: 0, loss, slope, gradient: -1 }, first, 1);
    // The gradient that the point names is its own.
    const kept = found.gradient === IN_PLACE ? at : found.gradient < 0 ? 0 : buffers[found.gradient];
    expect(kept).toBe(found.t);
    return { ...found, count, start: { loss, slope } };
  };

  const lines: [name: string, phi: (t: number) => [number, number]][] = [
    ["a parabola", (t) => [(t - 3) ** 2, 2 * (t - 3)]],
    ["a quartic with a narrow valley", (t) => [1e4 * (t - 0.01) ** 4 - t, 4e4 * (t - 0.01) ** 3 - 1]],
    ["two valleys", (t) => [0.1 * t - Math.sin(3 * t), 0.1 - 3 * Math.cos(3 * t)]],
    ["a kink that interpolation misjudges", (t) => [Math.abs(t - 1) + t * t * 0.01, Math.sign(t - 1) + 0.02 * t]],
    ["a wall of NaN", (t) => (t > 2 ? [NaN, NaN] : [(t - 1.5) ** 2, 2 * (t - 1.5)])],
    ["a wall of infinity", (t) => (t > 0.5 ? [Infinity, 1] : [(t - 0.4) ** 2, 2 * (t - 0.4)])],
    ["Moré and Thuente's first function", (t) => [-t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2]],
  ];
  test.each(lines)("%s: both conditions hold, from any first trial", (name, phi) => {
    for (const first of [1e-6, 1e-3, 0.1, 1, 10, 100]) {
      const { t, loss, slope, count, start } = search(phi, first);
      expect(count).toBeLessThanOrEqual(26);
      expect(t).toBeGreaterThan(0);
      expect(loss).toBeLessThanOrEqual(start.loss + 1e-4 * t * start.slope);
      if (!name.startsWith("a kink")) expect(Math.abs(slope), `first ${first}`).toBeLessThanOrEqual(-0.9 * start.slope);
    }
  });

  test("a line that only rises after all ends at its start", () => {
    const { t, count } = search((t) => [t, t === 0 ? -1 : 1], 1);
    expect(t).toBe(0);
    expect(count).toBeLessThanOrEqual(26);
  });

  test("a line that falls for ever is left after 26 trials, at the lowest", () => {
    const { t, count } = search((t) => [-t, -1], 1e-3);
    expect(count).toBe(26);
    expect(t).toBeGreaterThan(1);
  });

  test("steps back from a loss or gradient that is not finite, under every policy", () => {
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

describe("step", () => {
  test("returns the first loss, and leaves loss and gradients of where it arrived", () => {
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

  test("takes live options", () => {
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

  test("a closure that is none, or returns no number", () => {
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
        // A point at which it has been, and one of its own.
        expect(seen.slice(0, Math.max(1, failing - 1))).toContainEqual([...params.data.x]);
        if (failing === 1) expect(optimizer.state("x")).toMatchObject({ step: 0, nIter: 0, funcEvals: 0 });
        const before = loss();
        expect(before).toBeLessThanOrEqual(24.3);
        for (let k = 0; k < 3; k++) optimizer.step(loss);
        expect(loss()).toBeLessThan(before);
      }
    },
  );

  test('nonFinite: "skip" takes back what arrives at gradients that are not finite, "throw" names them', () => {
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

  test("a closure that disposes the optimizer ends it, and writes nothing into memory that is another's", () => {
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
        others.data.all.fill(5);
        return 1;
      };
      expect(() => optimizer.step(closure)).toThrow("LBFGS: used after dispose()");
      expect(others?.data.all.every((x) => x === 5)).toBe(true);
    }
  });
});

describe("state", () => {
  test("resumes with the same bits, with a full ring", () => {
    for (const options of [wolfe, { ...wolfe, historySize: 3 }, { lr: 0.1, historySize: 4 }]) {
      const some = { ...options, maxIter: 3 };
      const [one, two] = [from(ten, { a: [3], b: [7] }), from(ten, { a: [3], b: [7] })];
      const first = new LBFGS(one, some);
      const second = new LBFGS(two, { ...some, maxIter: 7, lr: 9 });
      for (let k = 0; k < 5; k++) first.step(rosenbrock(one));
      const saved = structuredClone({ params: one.copy(), optimizer: first.stateDict() });
      two.assign(saved.params);
      second.loadStateDict(saved.optimizer);
      for (let k = 0; k < 5; k++) expect(second.step(rosenbrock(two))).toBe(first.step(rosenbrock(one)));
      for (const name of one.names) expect(firstDifference(one.data[name], two.data[name])).toBe(-1);
      expect(second.stateDict()).toEqual(first.stateDict());
    }
  });

  test("a ring that cannot be is refused, and a wrong number", () => {
    const params = from([-1.2, 1]);
    const optimizer = new LBFGS(params, { ...wolfe, historySize: 3 });
    optimizer.step(rosenbrock(params));
    const saved = optimizer.stateDict();
    const [group] = saved.groups;
    const wrong: [shared: object, message: string][] = [
      [{ historyLength: 4 }, 'shared.historyLength" expected at most 3, got 4'],
      [{ historyStart: 3 }, 'shared.historyStart" expected a row below 3, got 3'],
      [{ historyStart: 0.5 }, 'shared.historyStart" expected a whole number >= 0, got 0.5'],
      [{ historyLength: -1 }, 'shared.historyLength" expected a whole number >= 0, got -1'],
      [{ nIter: Infinity }, 'shared.nIter" expected a whole number >= 0, got Infinity'],
      [{ t: Infinity }, 'shared.t" expected a finite number, got Infinity'],
      [{ hDiag: NaN }, 'shared.hDiag" expected a number, got NaN'],
      [{ ro: 1 }, 'shared" expected only nIter'],
    ];
    for (const [shared, message] of wrong) {
      const groups = [{ ...group, shared: { ...group.shared, ...shared } }];
      expect(() => optimizer.loadStateDict({ ...saved, groups })).toThrow(`LBFGS: "saved.groups[0].${message}`);
    }
    const options = { ...group.options, historySize: 5 };
    expect(() => optimizer.loadStateDict({ ...saved, groups: [{ ...group, options }] })).toThrow(RangeError);
    expect(optimizer.stateDict()).toEqual(saved);
  });

  test("needs as many slots as it says", () => {
    const shapes = { a: [50000], b: [1000, 300] };
    const optimizer = new LBFGS(new ParameterDict(shapes, { slots: 2 * 10 + 5 }), wolfe);
    expect((optimizer.state("b").oldDirs as Float32Array).length).toBe(3_000_000);
    const little = new ParameterDict(shapes);
    const { used } = little.arena;
    expect(() => new LBFGS(little, wolfe)).toThrow(
      /^LBFGS: needs \d+ bytes for its state.*raise "slots" of the ParameterDict/,
    );
    // Room for the state but not for the scratch: nothing is kept either, and the tensors are free.
    const tight = new ParameterDict(shapes, { slots: 2 * 10 + 2 });
    expect(() => new LBFGS(tight, wolfe)).toThrow(/^LBFGS: needs \d+ bytes for its scratch/);
    for (const params of [little, tight]) {
      expect(params.arena.used).toBe(used);
      new SGD(params).step();
    }
  });
});

describe("options", () => {
  test("defaults are PyTorch's", () => {
    expect({ ...new LBFGS(from([1])).paramGroups[0] }).toEqual({
      lr: 1,
      maxIter: 20,
      maxEval: 25,
      historySize: 100,
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      lineSearch: null,
      dialect: "torch",
      params: ["x"],
    });
    const evaluations = (options: LBFGSOptions) => new LBFGS(from([1]), options).paramGroups[0].maxEval;
    expect(evaluations({ maxIter: 10 })).toBe(12);
    expect(evaluations({ maxIter: 1 })).toBe(1);
    expect(evaluations({ maxIter: 10, maxEval: 3 })).toBe(3);
    expect(evaluations({ maxIter: undefined, maxEval: undefined })).toBe(25);
  });

  test("bad ones are refused, and nothing is taken", () => {
    const params = from([1]);
    const { used } = params.arena;
    const wrong: [options: unknown, error: ErrorConstructor, message: string][] = [
      [{ lr: -1 }, RangeError, 'LBFGS: "lr" expected a finite number >= 0, got -1'],
      [{ maxIter: 0 }, RangeError, 'LBFGS: "maxIter" expected a whole number >= 1, got 0'],
      [{ maxIter: NaN }, RangeError, 'LBFGS: "maxIter" expected a whole number >= 1, got NaN'],
      [{ maxIter: "20" }, TypeError, 'LBFGS: "maxIter" expected a whole number >= 1, got "20"'],
      [{ maxEval: 0 }, RangeError, 'LBFGS: "maxEval" expected a whole number >= 1, got 0'],
      [{ historySize: 0 }, RangeError, 'LBFGS: "historySize" expected a whole number >= 1, got 0'],
      [{ toleranceGrad: -1 }, RangeError, '"toleranceGrad" expected a finite number >= 0, got -1'],
      [{ toleranceChange: NaN }, RangeError, '"toleranceChange" expected a finite number >= 0, got NaN'],
      [{ lineSearch: "wolfe" }, RangeError, 'LBFGS: "lineSearch" expected "strong-wolfe", got "wolfe"'],
      [{ lineSearch: true }, TypeError, 'LBFGS: "lineSearch" expected "strong-wolfe", got true'],
      [{ weightDecay: 0.1 }, RangeError, 'LBFGS: unknown option "weightDecay"'],
      [{ maximize: true }, RangeError, 'LBFGS: unknown option "maximize"'],
      [{ dialect: "keras" }, RangeError, 'LBFGS: "dialect" expected "torch", got "keras"'],
      [{ groups: [{ params: ["x"] }] }, RangeError, 'LBFGS: "groups" expected nothing'],
      [null, TypeError, 'LBFGS: "options" expected an object, got null'],
      [new Map([["lr", 1]]), TypeError, 'LBFGS: "options" expected an object, got a Map'],
    ];
    for (const [options, error, message] of wrong) {
      expect(() => new LBFGS(params, options as LBFGSOptions)).toThrow(error);
      expect(() => new LBFGS(params, options as LBFGSOptions)).toThrow(message);
    }
    expect(params.arena.used).toBe(used);
  });

  test("it has one group", () => {
    const params = from([1, 2], { a: [1], b: [1] });
    const optimizer = new LBFGS(params.subset(["a"]));
    expect(() => (optimizer as unknown as Optimizer).addParamGroup({ params: params.subset(["b"]) })).toThrow(
      "LBFGS: has one parameter group",
    );
    expect(optimizer.paramGroups).toHaveLength(1);
    expect(optimizer).toBeInstanceOf(Optimizer);
    expect(optimizer).not.toBeInstanceOf(StepOptimizer);
    optimizer.dispose();
    expect(() => optimizer.step(() => 0)).toThrow("LBFGS: used after dispose()");
    new SGD(params).step();
  });
});
