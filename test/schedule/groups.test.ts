// Schedules of several parameter groups, of groups that are added later, and of other schedules.
import { describe, expect, test } from "vitest";
import {
  Adam,
  Adan,
  Arena,
  LBFGS,
  type Optimizer,
  ParameterDict,
  type ParamGroup,
  RMSprop,
  SGD,
  type SGDOptions,
} from "../../src/index.js";
import {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  type LRScheduler,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  type ScheduleState,
  SequentialLR,
  StepLR,
  SWALR,
} from "../../src/schedule/index.js";
import { type AnySchedule, LRS, STEPS, metrics, rows, stepOf, twoGroups } from "./table.js";

const sgd = (lr = 0.1, momentum = 0.9) => new SGD(new ParameterDict({ w: [3] }), { lr, momentum });
const rates = (optimizer: SGD) => optimizer.paramGroups.map(({ lr }) => lr);

describe("base rates", () => {
  test.each(rows.filter(({ scales }) => scales))("$title: every group has its own", ({ make }) => {
    const [one, two] = [twoGroups(), sgd(LRS[1])];
    const [schedule, other] = [make(one), make(two)];
    for (let e = 0; e < STEPS; e++) {
      stepOf(schedule, metrics[e]);
      stepOf(other, metrics[e]);
      expect(rates(one)[1]).toBe(two.paramGroups[0].lr);
      expect(schedule.lastLr).toEqual(rates(one));
    }
  });

  test("a second schedule has the same base rate and starts from the present rate, as in PyTorch", () => {
    const optimizer = sgd();
    new ExponentialLR(optimizer, { gamma: 0.5 }).step();
    expect(optimizer.paramGroups[0].lr).toBe(0.05);
    const second = new StepLR(optimizer, { stepSize: 2 });
    expect([optimizer.paramGroups[0].lr, second.stateDict().baseLrs]).toEqual([0.05, [0.1]]);
    optimizer.paramGroups[0].lr = 0.3;
    const third = new ExponentialLR(optimizer, { gamma: 0.5 });
    expect([optimizer.paramGroups[0].lr, third.stateDict().baseLrs]).toEqual([0.3, [0.1]]);
    optimizer.paramGroups[0].initialLr = undefined;
    expect(new ExponentialLR(optimizer, { gamma: 0.5 }).stateDict().baseLrs).toEqual([0.3]);
  });

  test("ReduceLROnPlateau cuts the present rate", () => {
    const optimizer = sgd();
    const schedule = new ReduceLROnPlateau(optimizer, { patience: 0 });
    schedule.step(1);
    optimizer.paramGroups[0].lr = 0.5;
    schedule.step(NaN);
    expect(schedule.lastLr).toEqual([0.05]);
    for (let i = 0; i < 20; i++) schedule.step(1);
    expect(schedule.lastLr[0] / 5e-9).toBeCloseTo(1); // the next fall would be by less than eps
  });

  test.each([
    ["min", "rel", [10, 9.8, 8.9, 8.1], [0, 1, 0, 1]],
    ["max", "rel", [10, 10.5, 11.1, 12], [0, 1, 0, 1]],
    ["min", "abs", [-10, -10.05, -10.2], [0, 1, 0]],
    ["max", "abs", [-10, -9.95, -9.8], [0, 1, 0]],
    ["min", "rel", [Infinity, NaN, 5, -Infinity], [1, 2, 0, 0]],
  ] as const)("ReduceLROnPlateau, %s %s: what is better", (mode, thresholdMode, given, bad) => {
    const same = new ReduceLROnPlateau(sgd(), { mode, thresholdMode, threshold: 0 });
    same.step(3);
    same.step(3);
    expect(same.stateDict().badSteps).toBe(1);
    const schedule = new ReduceLROnPlateau(sgd(), { mode, thresholdMode, threshold: 0.1 });
    const counts = given.map((metric) => {
      schedule.step(metric);
      return schedule.stateDict().badSteps;
    });
    expect(counts).toEqual(bad);
  });
});

describe("with an optimizer", () => {
  test("steps use the present rate", () => {
    const params = new ParameterDict({ w: [2] });
    params.grad.w.fill(1);
    const optimizer = new SGD(params, { lr: 1 });
    const schedule = new MultiStepLR(optimizer, { milestones: [1, 2], gamma: 0.5 });
    for (let t = 0; t < 3; t++) {
      optimizer.step();
      schedule.step();
    }
    expect([...params.data.w]).toEqual([-1.75, -1.75]);
  });

  test("LBFGS has groups too", () => {
    const optimizer = new LBFGS(new ParameterDict({ w: [2] }));
    new StepLR(optimizer, { stepSize: 1, gamma: 0.5 }).step();
    expect(optimizer.paramGroups[0].lr).toBe(0.5);
  });

  test("the momentum is `momentum` or `betas[0]`, whichever the rule has", () => {
    const make = (optimizer: Optimizer) => new OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 10, maxMomentum: 0.97 });
    const params = () => new ParameterDict({ w: [3] });
    const [momentum, adam, adan] = [sgd(), new Adam(params()), new Adan(params())];
    for (const optimizer of [momentum, adam, adan]) make(optimizer).step();
    const value = momentum.paramGroups[0].momentum;
    expect(value).toBeLessThan(0.97);
    expect(value).toBeGreaterThan(0.85);
    expect(adam.paramGroups[0].betas).toEqual([value, 0.999]);
    expect(adan.paramGroups[0].betas).toEqual([value, 0.92, 0.99]);
    new CyclicLR(adam, { baseLr: 0, maxLr: 1 });
    expect(adam.paramGroups[0].betas).toEqual([0.9, 0.999]);
    const plain = new RMSprop(params());
    new OneCycleLR(plain, { maxLr: 0.1, totalSteps: 10, cycleMomentum: false }).step();
    expect(plain.paramGroups[0].momentum).toBe(0);
  });
});

describe("groups that are added later", () => {
  const grown = (lr?: number): [SGD, (options?: SGDOptions) => void] => {
    const arena = new Arena({ capacity: 1 << 20 });
    const optimizer = new SGD(new ParameterDict({ w: [3] }, { arena }), { lr: lr ?? 0.1, momentum: 0.9 });
    const add = (options: SGDOptions = {}) =>
      optimizer.addParamGroup({ params: new ParameterDict({ late: [4] }, { arena }), ...options });
    return [optimizer, add];
  };

  test.each(rows.filter(({ scales, title }) => scales === true && !title.includes("group")))(
    "$title: starts from its own rate",
    ({ make }) => {
      const [optimizer, add] = grown();
      const schedule = make(optimizer);
      for (let e = 0; e < 4; e++) schedule.step();
      add({ lr: 2 * optimizer.paramGroups[0].lr });
      expect(schedule.lastLr).toEqual(rates(optimizer));
      for (let e = 4; e < STEPS; e++) {
        schedule.step();
        const [first, late] = rates(optimizer);
        expect(Math.abs(late - 2 * first)).toBeLessThanOrEqual(1e-12 * first);
      }
    },
  );

  test.each(["alone", "in a chain"])("one without a rate of its own follows the first: a cosine %s", (where) => {
    const [optimizer, add] = grown();
    const cosine = new CosineAnnealingLR(optimizer, { tMax: 10, etaMin: 0.01 });
    const schedulers = [cosine, new LinearLR(optimizer)];
    const schedule = where === "alone" ? cosine : new ChainedScheduler(optimizer, { schedulers });
    for (let e = 0; e < 4; e++) schedule.step();
    add();
    const saved = schedule.stateDict();
    for (let e = 4; e < 9; e++) schedule.step();
    const [first, late] = rates(optimizer);
    expect(Math.abs(late - first)).toBeLessThan(1e-15);
    schedule.loadStateDict(saved);
    for (let e = 4; e < 9; e++) schedule.step();
    expect(rates(optimizer)).toEqual([first, late]);
  });

  test("at the end of a decay it keeps its rate", () => {
    const [optimizer, add] = grown();
    const schedule = new LinearLR(optimizer, { endFactor: 0, totalIters: 2 });
    for (let e = 0; e < 3; e++) schedule.step();
    add({ lr: 0.5 });
    expect(schedule.stateDict().baseLrs).toEqual([0.1, 0.5]);
    schedule.step();
    expect(rates(optimizer)).toEqual([0, 0.5]);
  });

  const arrays: readonly [string, (o: SGD) => AnySchedule][] = [
    ["CyclicLR", (o) => new CyclicLR(o, { baseLr: [0.1], maxLr: 0.4, stepSizeUp: 3, cycleMomentum: false })],
    ["CyclicLR, maxLr", (o) => new CyclicLR(o, { baseLr: 0.1, maxLr: [0.4], stepSizeUp: 3, baseMomentum: [0.8] })],
    ["OneCycleLR", (o) => new OneCycleLR(o, { maxLr: [0.1], totalSteps: 9, maxMomentum: [0.9] })],
    ["LambdaLR", (o) => new LambdaLR(o, { lrLambda: [(e) => 1 / (1 + e)] })],
    ["MultiplicativeLR", (o) => new MultiplicativeLR(o, { lrLambda: [() => 0.5] })],
    ["SWALR", (o) => new SWALR(o, { swaLr: [0.01], annealEpochs: 4 })],
    ["ReduceLROnPlateau", (o) => new ReduceLROnPlateau(o, { minLr: [0.001], patience: 0 })],
    [
      "a sequence",
      (o) =>
        new SequentialLR(o, {
          schedulers: [new LambdaLR(o, { lrLambda: [(e) => 1 / (1 + e)] }), new SWALR(o, { swaLr: [0.3] })],
          milestones: [3],
        }),
    ],
    [
      "a chain",
      (o) =>
        new ChainedScheduler(o, {
          schedulers: [new LambdaLR(o, { lrLambda: [() => 0.7] }), new OneCycleLR(o, { maxLr: [0.1], totalSteps: 9 })],
        }),
    ],
  ];
  test.each(arrays)("%s with an array does not change the rate of a later group", (_, make) => {
    const [optimizer, add] = grown();
    const schedule = make(optimizer);
    stepOf(schedule, 1);
    add({ lr: 0.5 });
    const seen = new Set([0.1, rates(optimizer)[0]]);
    for (let e = 0; e < 4; e++) {
      expect(schedule.lastLr[1]).toBe(0.5);
      schedule.loadStateDict(JSON.parse(JSON.stringify(schedule.stateDict())) as never);
      stepOf(schedule, 1);
      expect(rates(optimizer)[1]).toBe(0.5);
      seen.add(rates(optimizer)[0]);
    }
    expect(seen.size).toBeGreaterThan(2);
  });

  test("ReduceLROnPlateau cuts them too", () => {
    const [optimizer, add] = grown();
    const schedule = new ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.5 });
    schedule.step(1);
    add({ lr: 4 });
    schedule.step(1);
    expect(rates(optimizer)).toEqual([0.05, 2]);
  });
});

describe("schedules of schedules", () => {
  test("a chain with a cosine: PyTorch's recurrence", () => {
    const optimizer = sgd();
    const schedulers = [
      new ConstantLR(optimizer, { factor: 0.5, totalIters: 3 }),
      new CosineAnnealingLR(optimizer, { tMax: 6, etaMin: 0.02 }),
    ];
    const schedule = new ChainedScheduler(optimizer, { schedulers });
    let lr = 0.05;
    for (let e = 1; e <= 14; e++) {
      if (e === 3) lr *= 2;
      if ((e - 7) % 12 === 0) lr += (0.08 * (1 - Math.cos(Math.PI / 6))) / 2;
      else lr = ((1 + Math.cos((Math.PI * e) / 6)) / (1 + Math.cos((Math.PI * (e - 1)) / 6))) * (lr - 0.02) + 0.02;
      schedule.step();
      expect(Math.abs(optimizer.paramGroups[0].lr - lr)).toBeLessThan(1e-12);
    }
  });

  test("a chain of schedules that scale loads in constant time at any counter", () => {
    const optimizer = sgd();
    const schedulers = [new ConstantLR(optimizer), new StepLR(optimizer, { stepSize: 2 ** 50, gamma: 0.5 })];
    const schedule = new ChainedScheduler(optimizer, { schedulers });
    const saved = schedule.stateDict() as Partial<ScheduleState>;
    Reflect.deleteProperty(saved, "lastLrs"); // as version 0.1 wrote it
    schedule.loadStateDict({ ...(saved as ScheduleState), counter: 2 ** 52 });
    expect(optimizer.paramGroups[0].lr).toBe(0.1 / 16);
  });

  test("a chain stays at 0", () => {
    const optimizer = sgd();
    const schedulers = [new PolynomialLR(optimizer, { totalIters: 2 }), new CosineAnnealingLR(optimizer, { tMax: 9 })];
    const schedule = new ChainedScheduler(optimizer, { schedulers });
    for (let e = 0; e < 5; e++) schedule.step();
    expect(schedule.lastLr).toEqual([0]);
  });

  test("a sequence in a chain restarts at its milestones, as in PyTorch", () => {
    const optimizer = sgd();
    const constants = [0.5, 0.8].map((factor) => new ConstantLR(optimizer, { factor, totalIters: 100 }));
    const schedulers = [
      new ExponentialLR(optimizer, { gamma: 0.5 }),
      new SequentialLR(optimizer, { schedulers: constants, milestones: [2] }),
    ];
    const schedule = new ChainedScheduler(optimizer, { schedulers });
    for (const lr of [0.05, 0.025, 0.08, 0.04]) {
      expect(optimizer.paramGroups[0].lr).toBeCloseTo(lr, 14);
      schedule.step();
    }
  });

  test("a chain cycles the momentum", () => {
    const [alone, chained] = [sgd(), sgd()];
    const cycle = (optimizer: SGD) => new OneCycleLR(optimizer, { maxLr: 0.4, totalSteps: 20 });
    const schedule = cycle(alone);
    const schedulers = [cycle(chained), new ExponentialLR(chained, { gamma: 0.5 })];
    const chain = new ChainedScheduler(chained, { schedulers });
    for (let e = 0; e < 9; e++) {
      schedule.step();
      chain.step();
      expect(chained.paramGroups[0].momentum).toBe(alone.paramGroups[0].momentum);
      expect(chained.paramGroups[0].lr).toBe(alone.paramGroups[0].lr / 2);
    }
  });

  test("cycles do not change the base rate of schedules before or after them", () => {
    for (const [make, start] of [
      [(o: SGD) => new OneCycleLR(o, { maxLr: 0.5, totalSteps: 9 }), 0.02],
      [(o: SGD) => new CyclicLR(o, { baseLr: 0.03, maxLr: 0.5 }), 0.03],
    ] as const)
      for (const first of [true, false]) {
        const optimizer = sgd();
        const schedulers: LRScheduler[] = [make(optimizer), new StepLR(optimizer, { stepSize: 1 })];
        if (!first) schedulers.reverse();
        const schedule = new SequentialLR(optimizer, { schedulers, milestones: [1] });
        expect(schedule.lastLr[0]).toBeCloseTo(first ? start : 0.1, 14);
        schedule.step();
        expect(schedule.lastLr[0]).toBeCloseTo(first ? 0.1 : start, 14);
        expect(optimizer.paramGroups[0].initialLr).toBe(0.1);
      }
    const optimizer = sgd();
    new OneCycleLR(optimizer, { maxLr: 0.5, totalSteps: 9 });
    expect(new StepLR(optimizer, { stepSize: 9 }).lastLr[0]).toBeCloseTo(0.02, 14);
  });

  test("inner schedules follow the whole and cannot be stepped alone", () => {
    const optimizer = sgd();
    const inner = [new LinearLR(optimizer), new ExponentialLR(optimizer, { gamma: 0.5 })] as const;
    const schedule = new SequentialLR(optimizer, { schedulers: inner, milestones: [3] });
    for (let e = 0; e < 5; e++) schedule.step();
    expect(inner.map((s) => s.stateDict().counter)).toEqual([2, 2]);
    expect(inner[1].lastLr).toEqual([0.025]);
    expect(() => inner[0].step()).toThrow("LinearLR: step() is the SequentialLR's, of which this is a part");
    expect(() => inner[0].loadStateDict(inner[0].stateDict())).toThrow("SequentialLR's");
  });

  test("a sequence does not set the momentum while no cycle is active", () => {
    const optimizer = sgd();
    const schedulers = [
      new OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 5 }),
      new ExponentialLR(optimizer, { gamma: 0.5 }),
    ];
    const schedule = new SequentialLR(optimizer, { schedulers, milestones: [4] });
    for (let e = 0; e < 4; e++) schedule.step();
    const face: ParamGroup<SGDOptions> = optimizer.paramGroups[0];
    expect(face.lr).toBe(0.1);
    face.momentum = 0.5;
    schedule.step();
    expect([face.lr, face.momentum]).toEqual([0.05, 0.5]);
  });
});
