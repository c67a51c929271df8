// Schedules whose rates are changed by plateaus, by hand or by other schedules, and what their states keep.
import { describe, expect, test } from "vitest";
import { ParameterDict, SGD } from "../../src/index.js";
import * as schedules from "../../src/schedule/index.js";
import { STEPS, inForce, rows, stepOf, twoGroups } from "./table.js";

const {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LinearLR,
  MultiplicativeLR,
  OneCycleLR,
  ReduceLROnPlateau,
  SequentialLR,
  StepLR,
} = schedules;
const sgd = (lr = 0.1, momentum = 0.9) => new SGD(new ParameterDict({ w: [1] }), { lr, momentum });
const json = (state: object): never => JSON.parse(JSON.stringify(state)) as never;

describe("a rate that something else has changed", () => {
  test("a warm-up each batch beside a plateau each epoch, cut and resumed at every epoch", () => {
    const make = () => {
      const optimizer = sgd();
      const warm = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
      return { optimizer, warm, plateau: new ReduceLROnPlateau(optimizer, { patience: 0 }) };
    };
    let now = make();
    for (const wanted of [0.1, 0.1, 0.01, 0.001]) {
      for (let batch = 0; batch < 5; batch++) now.warm.step();
      expect(now.optimizer.paramGroups[0].lr).toBeCloseTo(wanted, 15);
      now.plateau.step(1);
      const next = make();
      next.plateau.loadStateDict(json(now.plateau.stateDict()));
      next.warm.loadStateDict(json(now.warm.stateDict()));
      expect(inForce(next.optimizer)).toEqual(inForce(now.optimizer));
      now = next;
    }
  });

  test("StepLR keeps a rate set by hand until its next fall; a rate cut during a warm-up is scaled up again", () => {
    const optimizer = sgd();
    const schedule = new StepLR(optimizer, { stepSize: 4 });
    schedule.step();
    optimizer.paramGroups[0].lr = 0.05;
    const seen = [2, 3, 4, 5].map(() => {
      schedule.step();
      return optimizer.paramGroups[0].lr;
    });
    expect(seen).toEqual([0.05, 0.05, 0.05 * 0.1, 0.05 * 0.1]);
    const warming = sgd();
    const warm = new LinearLR(warming, { startFactor: 0.5, totalIters: 2 });
    warming.paramGroups[0].lr /= 2;
    warm.step();
    warm.step();
    warm.step();
    expect(warming.paramGroups[0].lr).toBeCloseTo(0.05, 15);
  });

  test("without such changes the rates are those of the closed form, bit for bit", () => {
    const optimizer = sgd();
    const schedule = new CosineAnnealingLR(optimizer, { tMax: 1000, etaMin: 1e-5 });
    for (let e = 1; e <= 3000; e++) schedule.step();
    expect(schedule.lastLr).toEqual(new CosineAnnealingLR(sgd(), { tMax: 1000, etaMin: 1e-5, lastEpoch: 3000 }).lastLr);
  });

  test("a chain with a cosine never goes below 0", () => {
    const optimizer = sgd();
    const parts = [
      new CosineAnnealingLR(optimizer, { tMax: 20, etaMin: 1e-3 }),
      new StepLR(optimizer, { stepSize: 4 }),
    ];
    const schedule = new ChainedScheduler(optimizer, { schedulers: parts });
    const seen = Array.from({ length: 50 }, () => {
      schedule.step();
      return optimizer.paramGroups[0].lr;
    });
    expect(seen.every((lr) => lr >= 0)).toBe(true);
    expect([seen.includes(0), seen[49] > 0]).toEqual([true, true]);
    const alone = sgd();
    const cosine = new CosineAnnealingLR(alone, { tMax: 3, etaMin: 0.05, lastEpoch: 4 });
    alone.paramGroups[0].lr = 0;
    cosine.step();
    expect(cosine.lastLr).toEqual([0]);
  });

  test("a rate scaled to 0 starts again from the base rate; one set by hand stays", () => {
    for (const set of [undefined, 0.3]) {
      const optimizer = sgd();
      const schedule = new ConstantLR(optimizer, { factor: 0, totalIters: 2 });
      if (set !== undefined) optimizer.paramGroups[0].lr = set;
      schedule.step();
      schedule.step();
      expect(schedule.lastLr).toEqual([set ?? 0.1]);
    }
  });

  test("a rate that underflows is 0, and stays so", () => {
    for (const make of [
      (o: SGD) => new ExponentialLR(o, { gamma: 1e-200 }),
      (o: SGD) => new MultiplicativeLR(o, { lrLambda: () => 1e-200 }),
      (o: SGD) => new ChainedScheduler(o, { schedulers: [new ExponentialLR(o, { gamma: 1e-200 }), new LinearLR(o)] }),
    ]) {
      const optimizer = sgd();
      const schedule = make(optimizer);
      for (let e = 0; e < 9; e++) schedule.step();
      expect(schedule.lastLr).toEqual([0]);
    }
  });
});

describe("a sequence", () => {
  // Rates at positions 0 and 1 of each phase differ, so that an error of one position is noticed.
  test("starts each phase at position 0, with its momentum and inner schedules", () => {
    const optimizer = sgd();
    const phases = [
      new ExponentialLR(optimizer, { gamma: 0.5 }),
      new ExponentialLR(optimizer, { gamma: 0.25 }),
      new CyclicLR(optimizer, { baseLr: 0.03, maxLr: 0.05, stepSizeUp: 4 }),
    ];
    const schedule = new SequentialLR(optimizer, { schedulers: phases, milestones: [2, 4] });
    const expected: [lr: number, momentum: number, counters: number[]][] = [
      [0.1, 0.9, [0, 0, 0]],
      [0.05, 0.9, [1, 0, 0]],
      [0.1, 0.9, [1, 0, 0]],
      [0.025, 0.9, [1, 1, 0]],
      [0.03, 0.9, [1, 1, 0]],
      [0.035, 0.875, [1, 1, 1]],
    ];
    expected.forEach(([lr, momentum, counters], e) => {
      if (e > 0) schedule.step();
      const [group] = optimizer.paramGroups;
      expect([e, group.lr, group.momentum]).toEqual([e, expect.closeTo(lr, 14), expect.closeTo(momentum, 14)]);
      expect(phases.map((phase) => phase.stateDict().counter)).toEqual(counters);
      const there = sgd();
      const again = ["A", "B"].map((_, i) => new ExponentialLR(there, { gamma: [0.5, 0.25][i] }));
      const cycle = new CyclicLR(there, { baseLr: 0.03, maxLr: 0.05, stepSizeUp: 4 });
      new SequentialLR(there, { schedulers: [...again, cycle], milestones: [2, 4], lastEpoch: e });
      expect(there.paramGroups[0].lr).toBeCloseTo(lr, 14);
    });
  });

  test("and a chain refuse a plateau, and the message names the recipe", () => {
    const optimizer = sgd();
    const parts = () => ({ schedulers: [new LinearLR(optimizer), new ReduceLROnPlateau(optimizer)] as never });
    for (const make of [
      () => new ChainedScheduler(optimizer, parts()),
      () => new SequentialLR(optimizer, { ...parts(), milestones: [5] }),
    ]) {
      expect(make).toThrow(TypeError);
      expect(make).toThrow(/"schedulers\[1\]" expected .*"Warm-up with a plateau" in docs\/schedules.md/);
    }
  });
});

describe("step()", () => {
  test.each(rows)("$title refuses arguments that it does not use, and changes nothing", ({ make }) => {
    const optimizer = twoGroups();
    const schedule = make(optimizer) as unknown as { step(...given: unknown[]): void; stateDict(): object };
    const before = [inForce(optimizer), schedule.stateDict()];
    const given =
      schedule instanceof ReduceLROnPlateau || schedule instanceof CosineAnnealingWarmRestarts ? [1, 2] : [60];
    expect(() => schedule.step(...given)).toThrow(TypeError);
    expect(() => schedule.step(...given)).toThrow(
      /"step\(\)" expected (no argument|one position|the metric alone), got/,
    );
    expect([inForce(optimizer), schedule.stateDict()]).toEqual(before);
  });

  test("of warm restarts takes a position, whole or not", () => {
    const optimizer = sgd();
    const schedule = new CosineAnnealingWarmRestarts(optimizer, { t0: 10, tMult: 2 });
    const at = (c: number, period: number): number => (0.1 * (1 + Math.cos((Math.PI * c) / period))) / 2;
    for (const [given, c, period] of [
      [0.99, 0.99, 10],
      [12.5, 2.5, 20],
      [undefined, 3.5, 20],
      [31, 1, 40],
      [9.5, 9.5, 10],
      [undefined, 0.5, 20],
    ] as const) {
      schedule.step(given);
      expect(schedule.lastLr[0]).toBeCloseTo(at(c, period), 15);
      const other = new CosineAnnealingWarmRestarts(sgd(), { t0: 1 });
      other.loadStateDict(json(schedule.stateDict()));
      expect(other.stateDict()).toEqual(schedule.stateDict());
    }
    for (const wrong of [-1, NaN, Infinity]) expect(() => schedule.step(wrong)).toThrow(RangeError);
    for (const wrong of ["1", null]) expect(() => schedule.step(wrong as never)).toThrow(TypeError);
  });
});

describe("a plateau", () => {
  test.each([
    ["min", -100, -95, -111],
    ["max", -100, -105, -89],
    ["min", 100, 105, 89],
    ["max", 100, 95, 111],
  ] as const)("in %s mode takes its margin from |%s|", (mode, best, worse, better) => {
    const optimizer = sgd(1);
    const schedule = new ReduceLROnPlateau(optimizer, { mode, patience: 0, threshold: 0.1 });
    for (const metric of [best, best, worse]) schedule.step(metric);
    expect([schedule.stateDict().best, schedule.lastLr[0]]).toEqual([best, expect.closeTo(0.01)]);
    schedule.step(better);
    expect(schedule.stateDict().best).toBe(better);
  });

  test.each(["min", "max"] as const)("keeps an infinite best metric through JSON: %s", (mode) => {
    const best = mode === "max" ? Infinity : -Infinity;
    const make = () => new ReduceLROnPlateau(sgd(), { mode, patience: 0, factor: 0.5 });
    const [schedule, other] = [make(), make()];
    schedule.step(best);
    other.loadStateDict(json(schedule.stateDict()));
    schedule.step(1);
    other.step(1);
    expect([other.lastLr, other.stateDict()]).toEqual([[0.05], schedule.stateDict()]);
    other.loadStateDict({ ...schedule.stateDict(), best }); // as version 0.1 wrote it
    expect(other.stateDict().best).toBe(String(best));
  });
});

describe("states", () => {
  test.each(rows)("$title: a state of version 0.1 gives the rates of its counter", ({ make }) => {
    for (const cut of [0, 5, 9, STEPS]) {
      const [optimizer, other] = [twoGroups(), twoGroups()];
      const [schedule, loaded] = [make(optimizer), make(other)];
      if (schedule instanceof ReduceLROnPlateau) return;
      for (let e = 0; e < cut; e++) stepOf(schedule, 1);
      const old = schedule.stateDict() as Partial<schedules.ScheduleState>;
      Reflect.deleteProperty(old, "lastLrs");
      Reflect.deleteProperty(old, "lastMomenta");
      loaded.loadStateDict(old as never);
      inForce(other).forEach((x, i) => expect(Math.abs(x - inForce(optimizer)[i])).toBeLessThan(1e-15));
    }
  });

  test("a chain does not replay its steps", () => {
    const optimizer = sgd();
    const parts = [
      new CosineAnnealingLR(optimizer, { tMax: 10, etaMin: 1e-3 }),
      new ExponentialLR(optimizer, { gamma: 0.9 }),
    ];
    const schedule = new ChainedScheduler(optimizer, { schedulers: parts });
    const saved = schedule.stateDict() as Partial<schedules.ScheduleState>;
    schedule.loadStateDict({ ...(saved as schedules.ScheduleState), counter: 2 ** 50 });
    expect(schedule.lastLr).toEqual([0.1]);
    Reflect.deleteProperty(saved, "lastLrs");
    schedule.loadStateDict({ ...(saved as schedules.ScheduleState), counter: 2 ** 50 }); // replays from the last end of a fall of the cosine
    schedule.step();
    expect(schedule.stateDict().counter).toBe(2 ** 50 + 1);
  });

  test("a momentum set by hand is kept", () => {
    const make = () => {
      const optimizer = sgd();
      return { optimizer, schedule: new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 20 }) };
    };
    const [from, to] = [make(), make()];
    from.schedule.step();
    Object.assign(from.optimizer.paramGroups[0], { lr: 0.2, momentum: 0.5 });
    to.schedule.loadStateDict(json(from.schedule.stateDict()));
    expect(inForce(to.optimizer)).toEqual([0.2, 0.5]);
    from.schedule.step();
    to.schedule.step();
    expect(inForce(to.optimizer)).toEqual(inForce(from.optimizer));
  });
});
