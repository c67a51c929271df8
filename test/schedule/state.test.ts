import { describe, expect, test } from "vitest";
import { Adam, ParameterDict, SGD } from "../../src/index.js";
import * as schedule from "../../src/schedule/index.js";

type Schedule = Pick<schedule.StepLR, "step" | "lastLr" | "stateDict" | "loadStateDict">;
const sgd = () => {
  const params = new ParameterDict({ a: [1], b: [1] });
  return new SGD(params, { lr: 0.1, momentum: 0.9, groups: [{ params: ["b"], lr: 0.02 }] });
};

/** A way to make each schedule. */
const makers: Record<string, (optimizer: SGD) => Schedule> = {
  StepLR: (o) => new schedule.StepLR(o, { stepSize: 3 }),
  MultiStepLR: (o) => new schedule.MultiStepLR(o, { milestones: [2, 5] }),
  ConstantLR: (o) => new schedule.ConstantLR(o),
  LinearLR: (o) => new schedule.LinearLR(o),
  ExponentialLR: (o) => new schedule.ExponentialLR(o, { gamma: 0.9 }),
  PolynomialLR: (o) => new schedule.PolynomialLR(o, { power: 1.5 }),
  CosineAnnealingLR: (o) => new schedule.CosineAnnealingLR(o, { tMax: 7 }),
  CosineAnnealingWarmRestarts: (o) => new schedule.CosineAnnealingWarmRestarts(o, { t0: 3, tMult: 2 }),
  OneCycleLR: (o) => new schedule.OneCycleLR(o, { maxLr: 0.5, totalSteps: 20 }),
  CyclicLR: (o) => new schedule.CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 3 }),
  LambdaLR: (o) => new schedule.LambdaLR(o, { lrLambda: (e: number) => 1 / (1 + e) }),
  SequentialLR: (o) => {
    const schedulers = [new schedule.LinearLR(o), new schedule.ExponentialLR(o, { gamma: 0.5 })];
    return new schedule.SequentialLR(o, { schedulers, milestones: [4] });
  },
  ChainedScheduler: (o) => {
    const schedulers = [new schedule.ConstantLR(o), new schedule.ExponentialLR(o, { gamma: 0.5 })];
    return new schedule.ChainedScheduler(o, { schedulers });
  },
};
const rates = (o: SGD) => o.paramGroups.map(({ lr, momentum }) => [lr, momentum]);

describe.each(Object.entries(makers))("%s", (_, make) => {
  test("goes on from its state at every step with the same bits", () => {
    const whole = sgd();
    const running = make(whole);
    for (let e = 0; e < 12; e++) {
      const resumed = sgd();
      const other = make(resumed);
      other.loadStateDict(structuredClone(running.stateDict()));
      expect(rates(resumed)).toEqual(rates(whole));
      running.step();
      other.step();
      expect(rates(resumed)).toEqual(rates(whole));
      expect(other.lastLr).toEqual(running.lastLr);
    }
  });

  test("refuses another's or a damaged state, and changes nothing", () => {
    const optimizer = sgd();
    const it = make(optimizer);
    it.step();
    const [state, before] = [it.stateDict(), rates(optimizer)];
    for (const bad of [
      undefined,
      { ...state, kind: "NoLR" },
      { ...state, version: 2 },
      { ...state, counter: -1 },
      { ...state, counter: NaN },
      { ...state, baseLrs: [NaN, 0.1] },
      { ...state, baseLrs: [0.1] },
      { ...state, extra: 1 },
    ]) {
      expect(() => it.loadStateDict(bad as never)).toThrow(/./);
      expect(rates(optimizer)).toEqual(before);
      expect(it.stateDict()).toEqual(state);
    }
  });
});

test("ReduceLROnPlateau goes on from its state", () => {
  const metrics = [1, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8];
  const [one, two] = [sgd(), sgd()];
  const make = (o: SGD) => new schedule.ReduceLROnPlateau(o, { patience: 1, factor: 0.5, cooldown: 1 });
  const running = make(one);
  metrics.slice(0, 4).forEach((x) => running.step(x));
  const resumed = make(two);
  resumed.loadStateDict(structuredClone(running.stateDict()));
  for (const x of metrics.slice(4)) {
    running.step(x);
    resumed.step(x);
    expect(rates(two)).toEqual(rates(one));
  }
  expect(one.paramGroups[0].lr).toBeLessThan(0.1);
});

test.each([
  [
    () => new schedule.StepLR(sgd(), { stepSize: 0 }),
    RangeError,
    'StepLR: "stepSize" expected a whole number >= 1, got 0',
  ],
  [() => new schedule.StepLR(sgd(), { step: 3 } as never), RangeError, 'StepLR: unknown option "step"'],
  [() => new schedule.ExponentialLR(sgd(), {} as never), TypeError, 'ExponentialLR: "gamma" expected'],
  [(): unknown => Reflect.construct(schedule.StepLR, [{}, { stepSize: 3 }]), TypeError, 'StepLR: "optimizer" expected'],
])("%s is refused", (make, error, message) => {
  expect(make).toThrow(error);
  expect(make).toThrow(message);
});

test("a one-cycle ends; betas cycle where there is no momentum", () => {
  const optimizer = new Adam(new ParameterDict({ a: [1] }));
  const it = new schedule.OneCycleLR(optimizer, { maxLr: 0.5, totalSteps: 4 });
  expect(optimizer.paramGroups[0].betas).toEqual([0.95, 0.999]);
  for (let e = 0; e < 4; e++) it.step(); // as many as PyTorch allows
  expect(() => it.step()).toThrow(/OneCycleLR/);
});
