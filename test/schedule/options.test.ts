// Invalid arguments throw one clear error and change nothing.
import { describe, expect, test } from "vitest";
import { Adagrad, ParameterDict, SGD } from "../../src/index.js";
import * as schedules from "../../src/schedule/index.js";
import { inForce, twoGroups } from "./table.js";

type Make = new (optimizer: unknown, options?: unknown) => { step(metric?: unknown): void };
const classes = Object.fromEntries(
  Object.entries(schedules).filter(([name]) => name !== "LRScheduler"),
) as unknown as Record<string, Make>;
const f = () => 1;

const good: Readonly<Record<string, object>> = {
  StepLR: { stepSize: 1 },
  MultiStepLR: { milestones: [] },
  ConstantLR: {},
  LinearLR: {},
  ExponentialLR: { gamma: 1 },
  PolynomialLR: {},
  CosineAnnealingLR: { tMax: 1 },
  CosineAnnealingWarmRestarts: { t0: 1 },
  OneCycleLR: { maxLr: 1, totalSteps: 1 },
  CyclicLR: { baseLr: 0, maxLr: 1 },
  ReduceLROnPlateau: {},
  LambdaLR: { lrLambda: f },
  MultiplicativeLR: { lrLambda: f },
  SWALR: { swaLr: 1 },
};

const wrongTypes: readonly [string, object, RegExp][] = [
  ["StepLR", {}, /"stepSize" expected a whole number >= 1, got undefined/],
  ["StepLR", { stepSize: "3" }, /"stepSize" expected a whole number >= 1, got "3"/],
  ["StepLR", { stepSize: 3, gamma: null }, /"gamma" expected a finite number >= 0, got null/],
  ["MultiStepLR", {}, /"milestones" expected an array of whole numbers, got undefined/],
  ["MultiStepLR", { milestones: [1, "2"] }, /"milestones\[1\]" expected a whole number >= 0/],
  ["ExponentialLR", {}, /"gamma" expected/],
  ["CosineAnnealingLR", { etaMin: 0 }, /"tMax" expected/],
  ["CosineAnnealingWarmRestarts", {}, /"t0" expected/],
  ["OneCycleLR", { maxLr: 1 }, /"totalSteps" expected/],
  ["OneCycleLR", { totalSteps: 1 }, /"maxLr" expected/],
  ["OneCycleLR", { maxLr: 1, epochs: 2 }, /"stepsPerEpoch" expected/],
  ["OneCycleLR", { maxLr: 1, totalSteps: 9, threePhase: 1 }, /"threePhase" expected true or false, got 1/],
  ["CyclicLR", { maxLr: 1 }, /"baseLr" expected/],
  ["CyclicLR", { baseLr: [0.1, null], maxLr: 1 }, /"baseLr\[1\]" expected/],
  ["ReduceLROnPlateau", { minLr: "0" }, /"minLr" expected/],
  ["LambdaLR", {}, /"lrLambda" expected a function, got undefined/],
  ["MultiplicativeLR", { lrLambda: [f, 2] }, /"lrLambda\[1\]" expected a function, got 2/],
  ["SWALR", {}, /"swaLr" expected/],
  ["StepLR", { stepSize: 1, lastEpoch: "3" }, /"lastEpoch" expected a whole number >= 0, got "3"/],
  ["LambdaLR", { lrLambda: [f, 2] }, /"lrLambda\[1\]" expected a function, got 2/],
  ["SequentialLR", { milestones: [] }, /"schedulers" expected an array of schedules/],
  ["SequentialLR", { schedulers: [{}], milestones: [] }, /"schedulers\[0\]" expected a schedule/],
  ["ChainedScheduler", {}, /"schedulers" expected an array of schedules/],
];

const wrongValues: readonly [string, object, RegExp][] = [
  ["StepLR", { stepSize: 0 }, /^StepLR: "stepSize" expected a whole number >= 1, got 0$/],
  ["StepLR", { stepSize: 1.5 }, /"stepSize" expected/],
  ["StepLR", { stepSize: 1, gamma: -1 }, /"gamma" expected/],
  [
    "StepLR",
    { step_size: 1 },
    /^StepLR: unknown option "step_size"; did you mean "stepSize"\? The options are stepSize, gamma, lastEpoch$/,
  ],
  ["StepLR", { stepSize: 1, schedulers: [] }, /unknown option "schedulers"/],
  ["MultiStepLR", { milestones: [-1] }, /"milestones\[0\]" expected/],
  ["ConstantLR", { factor: 1.1 }, /"factor" expected a number in \[0, 1\]/],
  ["ConstantLR", { totalIters: 0 }, /"totalIters" expected/],
  ["LinearLR", { startFactor: 0 }, /"startFactor" expected a number in \(0, 1\], got 0/],
  ["LinearLR", { endFactor: 2 }, /"endFactor" expected/],
  ["ExponentialLR", { gamma: NaN }, /"gamma" expected/],
  ["PolynomialLR", { power: -1 }, /"power" expected/],
  ["CosineAnnealingLR", { tMax: 0 }, /"tMax" expected/],
  ["CosineAnnealingLR", { tMax: 5, etaMin: -1e-3 }, /"etaMin" expected/],
  ["CosineAnnealingWarmRestarts", { t0: 5, tMult: 1.5 }, /"tMult" expected/],
  ["OneCycleLR", { maxLr: 1, totalSteps: 9, epochs: 3, stepsPerEpoch: 3 }, /"totalSteps" expected nothing beside/],
  ["OneCycleLR", { maxLr: 1, totalSteps: 9, pctStart: 30 }, /"pctStart" expected/],
  [
    "OneCycleLR",
    { maxLr: 1, totalSteps: 9, annealStrategy: "cosine" },
    /"annealStrategy" expected one of "cos", "linear"/,
  ],
  ["OneCycleLR", { maxLr: 1, totalSteps: 9, maxMomentum: 1 }, /"maxMomentum" expected a number in \[0, 1\)/],
  ["OneCycleLR", { maxLr: 1, totalSteps: 9, divFactor: 0 }, /"divFactor" expected/],
  [
    "OneCycleLR",
    { maxLr: [1], totalSteps: 9 },
    /"maxLr" expected one value, or an array of 2, one for each group, got \[1\]/,
  ],
  ["CyclicLR", { baseLr: 0, maxLr: 1, mode: "square" }, /"mode" expected one of "triangular"/],
  ["CyclicLR", { baseLr: 0, maxLr: 1, stepSizeDown: 0 }, /"stepSizeDown" expected/],
  ["ReduceLROnPlateau", { factor: 1 }, /"factor" expected a number in \[0, 1\), got 1/],
  ["ReduceLROnPlateau", { mode: "auto" }, /"mode" expected one of "min", "max"/],
  ["ReduceLROnPlateau", { patience: -1 }, /"patience" expected/],
  ["ReduceLROnPlateau", { minLr: [0, 0, 0] }, /"minLr" expected/],
  ["ReduceLROnPlateau", { min_lr: 0 }, /did you mean "minLr"\? The options are mode, factor, patience/],
  ["LambdaLR", { lrLambda: [f] }, /"lrLambda" expected/],
  ["SWALR", { swaLr: 1, annealEpochs: -1 }, /"annealEpochs" expected/],
  ["SWALR", { swaLr: 1, annealStrategy: "square" }, /"annealStrategy" expected one of "cos", "linear"/],
  ["ReduceLROnPlateau", { lastEpoch: -1 }, /"lastEpoch" expected/],
  ["OneCycleLR", { maxLr: 1, totalSteps: 9, lastEpoch: 10 }, /past the end/],
  ["LambdaLR", { lrLambda: () => -1 }, /"lrLambda\(0\)" expected a finite number >= 0, got -1/],
  ["SequentialLR", { schedulers: [], milestones: [] }, /"schedulers" expected at least one schedule/],
];

describe("bad options", () => {
  const attempt = (name: string, options: object, error: ErrorConstructor, message: RegExp) => {
    const optimizer = twoGroups();
    const before = inForce(optimizer);
    const make = () => new classes[name](optimizer, options);
    expect(make).toThrow(error);
    expect(make).toThrow(message);
    expect(make).toThrow(new RegExp(`^${name}: `));
    expect(inForce(optimizer)).toEqual(before);
  };
  test.each(wrongTypes)("%s, %j: TypeError", (name, options, message) => attempt(name, options, TypeError, message));
  test.each(wrongValues)("%s, %j: RangeError", (name, options, message) => attempt(name, options, RangeError, message));

  test.each(Object.entries(classes))("%s: an optimizer, and options", (name, make) => {
    for (const wrong of [undefined, {}, new ParameterDict({ w: [1] })])
      expect(() => new make(wrong, {})).toThrow(new RegExp(`^${name}: "optimizer" expected an optimizer, got `));
    for (const wrong of [null, 3, [], new Map()])
      expect(() => new make(twoGroups(), wrong)).toThrow(new RegExp(`^${name}: "options" expected an object, got `));
    if (name in good) new make(twoGroups(), good[name]).step(...(name === "ReduceLROnPlateau" ? [1] : []));
  });

  test("wrong milestones, and schedules of other optimizers or of other schedules", () => {
    const { SequentialLR, ChainedScheduler, ConstantLR, ReduceLROnPlateau } = schedules;
    const optimizer = twoGroups();
    const pair = () => [new ConstantLR(optimizer), new ConstantLR(optimizer)] as const;
    for (const milestones of [[], [3, 5], [0], [-1], [NaN], [1.5]])
      expect(() => new SequentialLR(optimizer, { schedulers: pair(), milestones })).toThrow(RangeError);
    const three = [...pair(), new ConstantLR(optimizer)];
    expect(() => new SequentialLR(optimizer, { schedulers: three, milestones: [5, 5] })).toThrow(
      'SequentialLR: "milestones" expected 2 increasing whole numbers, for 3 schedules, got [5, 5]',
    );
    const others = [new ConstantLR(twoGroups())];
    expect(() => new ChainedScheduler(optimizer, { schedulers: others })).toThrow("a schedule of the same optimizer");
    expect(() => new ChainedScheduler(optimizer, { schedulers: [three[0], three[0]] })).toThrow("part of no other");
    const plateau = [new ReduceLROnPlateau(optimizer)] as never;
    expect(() => new ChainedScheduler(optimizer, { schedulers: plateau })).toThrow("whose step() takes no metric");
    new ChainedScheduler(optimizer, { schedulers: three });
    expect(() => new ChainedScheduler(optimizer, { schedulers: three })).toThrow("part of no other");
  });

  test("no momentum to cycle", () => {
    const adagrad = new Adagrad(new ParameterDict({ w: [1] }));
    expect(() => new schedules.OneCycleLR(adagrad, { maxLr: 1, totalSteps: 5 })).toThrow(
      'OneCycleLR: "cycleMomentum" expected false for Adagrad without a momentum, got true',
    );
    const plain = new SGD(new ParameterDict({ w: [1] }), { lr: 0.5 });
    expect(() => new schedules.CyclicLR(plain, { baseLr: 0, maxLr: 1 })).toThrow(
      '"cycleMomentum" expected false for SGD',
    );
    expect(plain.paramGroups[0].lr).toBe(0.5);
  });
});

describe("a step that throws", () => {
  test("past the end of OneCycleLR", () => {
    for (const annealStrategy of ["cos", "linear"] as const) {
      const optimizer = twoGroups();
      const schedule = new schedules.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 7, annealStrategy });
      for (let e = 0; e < 7; e++) schedule.step();
      const before = [inForce(optimizer), schedule.stateDict()];
      expect(() => schedule.step()).toThrow(RangeError);
      expect(() => schedule.step()).toThrow('OneCycleLR: step() past the end: "totalSteps" is 7');
      expect([inForce(optimizer), schedule.stateDict()]).toEqual(before);
    }
  });

  test("OneCycleLR at e = totalSteps continues along the cosine, as PyTorch does, but not along the line", () => {
    const at = (annealStrategy: "cos" | "linear") => {
      const optimizer = twoGroups();
      const options = { maxLr: 1, totalSteps: 10, annealStrategy, divFactor: 10, finalDivFactor: 10 };
      const schedule = new schedules.OneCycleLR(optimizer, options);
      for (let e = 0; e < 10; e++) schedule.step();
      return optimizer.paramGroups[0];
    };
    expect(at("cos").lr).toBeCloseTo(0.01 + (0.99 / 2) * (1 + Math.cos((Math.PI * 8) / 7)), 12);
    expect([at("linear").lr, at("linear").momentum]).toEqual([0.01, 0.95]);
  });

  test("empty phases", () => {
    for (const [totalSteps, pctStart] of [
      [10, 0.1],
      [5, 1],
      [5, 0],
      [1, 0.3],
    ]) {
      const optimizer = twoGroups();
      const schedule = new schedules.OneCycleLR(optimizer, { maxLr: 1, totalSteps, pctStart });
      for (let e = 0; e < totalSteps; e++) schedule.step();
      expect(inForce(optimizer).every(Number.isFinite)).toBe(true);
    }
  });

  test("a rate that the rule refuses in one group of two", () => {
    const params = new ParameterDict({ a: [1], b: [1] });
    const optimizer = new SGD(params, { lr: 1, groups: [{ params: ["b"], lr: 1e37 }] });
    const schedule = new schedules.ExponentialLR(optimizer, { gamma: 100 });
    expect(() => schedule.step()).toThrow(
      'SGD: "paramGroups[1].lr" expected a finite number >= 0 that float32 can hold',
    );
    expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual([1, 1e37]);
    expect(schedule.stateDict().counter).toBe(0);
  });

  test("a rate that overflows, a function that throws, a metric that is not a number", () => {
    const optimizer = twoGroups();
    const growing = new schedules.ExponentialLR(optimizer, { gamma: 1e30 });
    growing.step();
    const before = inForce(optimizer);
    expect(() => growing.step()).toThrow(
      'SGD: "paramGroups[0].lr" expected a finite number >= 0 that float32 can hold',
    );
    expect([inForce(optimizer), growing.stateDict().counter]).toEqual([before, 1]);

    const lrLambda = (e: number) => {
      if (e > 0) throw new Error("mine");
      return 1;
    };
    const own = new schedules.LambdaLR(optimizer, { lrLambda });
    expect(() => own.step()).toThrow("mine");
    expect(own.stateDict().counter).toBe(0);

    const plateau = new schedules.ReduceLROnPlateau(optimizer);
    for (const metric of [undefined, "1", null, 1n])
      expect(() => plateau.step(metric as never)).toThrow('ReduceLROnPlateau: "metric" expected a number, got ');
    expect(plateau.stateDict().counter).toBe(0);
  });

  test("after the optimizer's dispose()", () => {
    const optimizer = twoGroups();
    const schedule = new schedules.StepLR(optimizer, { stepSize: 1 });
    optimizer.dispose();
    expect(() => schedule.step()).toThrow("SGD: used after dispose()");
  });
});
