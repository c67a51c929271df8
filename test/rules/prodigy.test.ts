import { expect, test } from "vitest";
import { Arena, ParameterDict, Prodigy } from "../../src/index.js";
import type { Options } from "./table.js";

const setUp = (options: ConstructorParameters<typeof Prodigy>[1] = {}) => {
  const params = new ParameterDict({ a: [4], b: [3] });
  for (const name of params.names) params.data[name].fill(1);
  return { params, optimizer: new Prodigy(params, { weightDecay: 0.1, ...options }) };
};

test("nothing moves or decays before a gradient that is not 0", () => {
  const { params, optimizer } = setUp();
  optimizer.step();
  expect([...params.data.a, ...params.data.b].every((x) => x === 1)).toBe(true);
  expect(optimizer.state("a")).toMatchObject({ step: 1, d: 1e-6, dMax: 1e-6, dNumerator: 0 });
  params.grad.a.fill(1);
  optimizer.step();
  expect(params.data.a[0]).toBeLessThan(1);
});

test("minimizes without a learning rate, one d for all groups", () => {
  const { params, optimizer } = setUp({ weightDecay: 0, groups: [{ params: ["b"], betas: [0.8, 0.999] }] });
  for (let t = 0; t < 300; t++) {
    for (const name of params.names) params.grad[name].forEach((_, i, g) => (g[i] = params.data[name][i] - 3));
    optimizer.step();
  }
  for (const name of params.names) for (const x of params.data[name]) expect(x).toBeCloseTo(3, 1);
  expect(optimizer.state("b").d).toBe(optimizer.state("a").d);
  expect(optimizer.state("a").d).toBeGreaterThan(1e-2);
});

test("groups share one lr, or have 0 and do not move; other values throw and change nothing", () => {
  const { params, optimizer } = setUp({ groups: [{ params: ["b"], lr: 0.5 }] });
  for (const name of params.names) params.grad[name].fill(1);
  const before = optimizer.stateDict();
  expect(() => optimizer.step()).toThrow(
    new RangeError('Prodigy: "paramGroups[1].lr" expected 1, as other groups have, or 0, got 0.5'),
  );
  expect(optimizer.stateDict()).toEqual(before);
  expect([...params.data.a, ...params.data.b].every((x) => x === 1)).toBe(true);
  for (const [moving, still] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const run = setUp({ groups: [{ params: ["b"] }] });
    run.optimizer.paramGroups[still === "a" ? 0 : 1].lr = 0;
    for (const name of run.params.names) run.params.grad[name].fill(1);
    run.optimizer.step();
    expect(run.params.data[moving][0]).toBeLessThan(1);
    expect(run.params.data[still].every((x) => x === 1)).toBe(true);
    for (const slot of ["expAvg", "expAvgSq", "s"] as const)
      expect(run.optimizer.state(still)[slot].every((x) => x === 0)).toBe(true);
  }
});

test("growthRate bounds the growth of d once it has left d0", () => {
  const grow = (options: Options): number[] => {
    const params = new ParameterDict({ w: [8] });
    const optimizer = new Prodigy(params, options);
    return Array.from({ length: 6 }, () => {
      params.grad.w.fill(1);
      optimizer.step();
      return optimizer.state("w").d;
    });
  };
  const slow = grow({ growthRate: 1.02 });
  for (let t = 2; t < slow.length; t++) expect(slow[t] / slow[t - 1]).toBeLessThanOrEqual(1.02 + 1e-12);
  expect(grow({ growthRate: 2 }).at(-1)).toBeGreaterThanOrEqual(slow.at(-1)!);
});

test("a NaN affects only its own elements and does not change d", () => {
  const { params, optimizer } = setUp();
  for (const name of params.names) params.grad[name].fill(1);
  for (let t = 0; t < 3; t++) optimizer.step();
  const { d } = optimizer.state("a");
  params.grad.a[1] = NaN;
  for (let t = 0; t < 3; t++) optimizer.step();
  expect(optimizer.state("a").d).toBe(d);
  expect([...params.data.a, ...params.data.b].map(Number.isNaN)).toEqual([
    false,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("p0 is a copy of the parameters at the first step, and a group added later shares d", () => {
  const arena = new Arena({ capacity: 2 ** 20 });
  const [params, head]: ParameterDict[] = [
    new ParameterDict({ w: [3] }, { arena }),
    new ParameterDict({ h: [2] }, { arena }),
  ];
  const optimizer = new Prodigy(params, { d0: 1e-3 });
  params.data.w.fill(5);
  params.grad.w.fill(1);
  for (let t = 0; t < 4; t++) optimizer.step();
  expect([...(optimizer.state("w").p0 as Float32Array)]).toEqual([5, 5, 5]);
  optimizer.addParamGroup({ params: head, d0: 1e-3 });
  expect(optimizer.state("h").d).toBe(optimizer.state("w").d);
  expect(optimizer.state("h").d).toBeGreaterThan(1e-3);
  head.grad.h.fill(1);
  optimizer.step();
  expect(head.data.h[0]).toBeLessThan(0);
  expect(optimizer.state("h").d).toBe(optimizer.state("w").d);
});
