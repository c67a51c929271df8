// Schedule-free rules: train(), eval() and the shared numbers of a group.
import { describe, expect, test } from "vitest";
import { ParameterDict, ScheduleFreeAdamW, ScheduleFreeSGD, SGD } from "../../src/index.js";
import { fillGradient, firstDifference, random } from "../support/harness.js";
import { make } from "./table.js";

const N = 37;

function setUp(rule: string, options = {}, seed = 5) {
  const params = new ParameterDict({ a: [N], b: [3] });
  const next = random(seed);
  for (const n of params.names) params.data[n].set(params.data[n].map(() => next() - 0.5));
  const optimizer = make(rule, params, { lr: 0.05, ...options });
  const step = (skip: string[] = []) => {
    for (const n of params.names) fillGradient(params.grad[n], next);
    optimizer.step({ skip });
  };
  return { params, optimizer, step };
}

describe.each(["ScheduleFreeSGD", "ScheduleFreeAdamW"])("%s", (rule) => {
  test("evaluates at the weighted average of z", () => {
    const { params, optimizer, step } = setUp(rule, { warmupSteps: 4, r: 1, weightLrPower: 2, weightDecay: 0.1 });
    const sum = new Float64Array(N);
    let weights = 0;
    for (let k = 1; k <= 12; k++) {
      step();
      const weight = k * (0.05 * Math.min(1, k / 4)) ** 2;
      weights += weight;
      (optimizer.state("a").z as Float32Array).forEach((z, i) => (sum[i] += weight * z));
    }
    optimizer.eval();
    params.data.a.forEach((x, i) => expect(x).toBeCloseTo(sum[i] / weights, 5));
  });

  test("eval() and train() are idempotent and do not move a tensor without a step", () => {
    const { params, optimizer, step } = setUp(rule);
    const b = params.data.b.slice();
    for (let t = 0; t < 3; t++) step(["b"]);
    const y = params.data.a.slice();
    optimizer.train();
    expect(params.data.a).toEqual(y);
    optimizer.eval();
    const x = params.data.a.slice();
    expect(firstDifference(x, y)).not.toBe(-1);
    optimizer.eval();
    expect(params.data.a).toEqual(x);
    optimizer.train();
    const back = params.data.a.slice();
    back.forEach((value, i) => expect(value).toBeCloseTo(y[i], 5));
    optimizer.train();
    expect(params.data.a).toEqual(back);
    expect(params.data.b).toEqual(b);
  });

  test("step() between eval() and train() throws and changes nothing", () => {
    const { params, optimizer, step } = setUp(rule);
    step();
    optimizer.eval();
    const before = [params.data.a.slice(), JSON.stringify(optimizer.stateDict())];
    expect(step).toThrow(`${rule}: step() moves the parameters for training: call train() first`);
    expect([params.data.a, JSON.stringify(optimizer.stateDict())]).toEqual(before);
    optimizer.train();
    step();
    expect(optimizer.state("a").step).toBe(2);
  });

  test("a state dict stores whether it holds evaluation parameters, and resumes with the same bits", () => {
    for (const evaluating of [false, true]) {
      const one = setUp(rule, { warmupSteps: 5 });
      const two = setUp(rule, { warmupSteps: 5 });
      for (let t = 0; t < 3; t++) one.step(t === 0 ? ["b"] : []);
      if (evaluating) one.optimizer.eval();
      const saved = structuredClone(one.optimizer.stateDict());
      expect(saved.evaluating).toBe(evaluating);
      two.params.assign(one.params.copy());
      two.optimizer.loadStateDict(saved);
      if (evaluating) expect(() => two.optimizer.step()).toThrow("call train() first");
      for (const { params, optimizer } of [one, two]) {
        optimizer.train();
        const next = random(9);
        for (let t = 0; t < 5; t++) {
          for (const n of params.names) fillGradient(params.grad[n], next);
          optimizer.step();
        }
      }
      for (const n of one.params.names) expect(firstDifference(one.params.data[n], two.params.data[n])).toBe(-1);
      expect(two.optimizer.state("a").weightSum).toBe(one.optimizer.state("a").weightSum);
    }
  });

  test("a group counts its own steps, which apply to tensors that were skipped before", () => {
    const { optimizer, step } = setUp(rule, { warmupSteps: 4, groups: [{ params: ["b"], lr: 0.1, warmupSteps: 0 }] });
    step();
    step(["a"]);
    expect(optimizer.state("a")).toMatchObject({ step: 1, k: 2, lrMax: 0.025, scheduledLr: 0.025 });
    expect(optimizer.state("a").weightSum).toBeCloseTo(0.0125 ** 2 + 0.025 ** 2, 15);
    expect(optimizer.state("b")).toMatchObject({ step: 2, k: 2, lrMax: 0.1, share: 0.5 });
  });

  test("a falling learning rate keeps the weight of the largest one", () => {
    const { optimizer, step } = setUp(rule, { lr: 0.1 });
    step();
    optimizer.paramGroups[0].lr = 0.01;
    step();
    expect(optimizer.state("a")).toMatchObject({ lrMax: 0.1, scheduledLr: 0.01, share: 0.5 });
  });

  test("z starts at the parameters of the first step", () => {
    const { params, optimizer, step } = setUp(rule);
    params.data.a.fill(3);
    optimizer.paramGroups[0].lr = 0;
    step();
    expect(optimizer.state("a").z).toEqual(new Float32Array(N).fill(3));
  });

  test("a learning rate of 0 has weight 0, also at the first step", () => {
    const { params, optimizer, step } = setUp(rule, { lr: 0 });
    const before = params.data.a.slice();
    step();
    expect(params.data.a).toEqual(before);
    expect(optimizer.state("a")).toMatchObject({ weightSum: 0, share: 0 });
    optimizer.paramGroups[0].lr = 0.1;
    step();
    expect(optimizer.state("a").share).toBe(1);
    expect(params.data.a.every(Number.isFinite)).toBe(true);
  });
});

test("a β of 0 is refused, also when set live", () => {
  const sgd = new ScheduleFreeSGD(new ParameterDict({ a: [2] }));
  expect(() => (sgd.paramGroups[0].momentum = 0)).toThrow(
    'ScheduleFreeSGD: "paramGroups[0].momentum" expected a number in (0, 1), got 0',
  );
  const adamw = new ScheduleFreeAdamW(new ParameterDict({ a: [2] }));
  expect(() => (adamw.paramGroups[0].betas = [0, 0.9])).toThrow('"paramGroups[0].betas" expected a first rate > 0');
  expect(adamw.paramGroups[0].betas).toEqual([0.9, 0.999]);
});

test("eval() and train() do nothing in other rules", () => {
  const params = new ParameterDict({ a: [2] });
  params.grad.a.fill(1);
  const optimizer = new SGD(params, { lr: 1 });
  optimizer.eval();
  optimizer.step();
  optimizer.train();
  expect([...params.data.a]).toEqual([-1, -1]);
});
