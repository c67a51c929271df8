// A schedule resumed after any call of step() continues with the same bits; a wrong state changes nothing.
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import { ParameterDict, SGD } from "../../src/index.js";
import { ChainedScheduler, LambdaLR, OneCycleLR, ReduceLROnPlateau, StepLR } from "../../src/schedule/index.js";
import { LRS, type Row, STEPS, inForce, metrics, rows, stepOf, twoGroups } from "./table.js";

function whole({ make }: Row): { values: number[][]; states: unknown[] } {
  const optimizer = twoGroups();
  const schedule = make(optimizer);
  const values = [inForce(optimizer)];
  const states: unknown[] = [structuredClone(schedule.stateDict())];
  for (let e = 0; e < STEPS; e++) {
    stepOf(schedule, metrics[e]);
    values.push(inForce(optimizer));
    states.push(structuredClone(schedule.stateDict()));
  }
  return { values, states };
}

describe.each(rows)("$title", (row) => {
  const { values, states } = whole(row);

  test("resumed at every step: the same bits", () => {
    for (let cut = 0; cut <= STEPS; cut++) {
      const optimizer = twoGroups();
      const schedule = row.make(optimizer);
      schedule.loadStateDict(states[cut] as never);
      expect(schedule.lastLr).toEqual(optimizer.paramGroups.map(({ lr }) => lr));
      for (let e = cut; e <= STEPS; e++) {
        expect(inForce(optimizer), `cut at ${cut}, at ${e}`).toEqual(values[e]);
        expect(schedule.stateDict()).toEqual(states[e]);
        if (e < STEPS) stepOf(schedule, metrics[e]);
      }
    }
  });

  test("back to an earlier state of it and its optimizer", () => {
    const optimizer = twoGroups();
    const schedule = row.make(optimizer);
    for (let e = 0; e < 3; e++) stepOf(schedule, metrics[e]);
    const saved = optimizer.stateDict();
    for (let e = 3; e < STEPS; e++) stepOf(schedule, metrics[e]);
    optimizer.loadStateDict(saved);
    schedule.loadStateDict(states[3] as never);
    expect(inForce(optimizer)).toEqual(values[3]);
    stepOf(schedule, metrics[3]);
    expect(inForce(optimizer)).toEqual(values[4]);
  });

  test("as JSON, which has no NaN and no Infinity", () => {
    for (const state of states) expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  test("a wrong state: one clear error, and nothing is changed", () => {
    const optimizer = twoGroups();
    const schedule = row.make(optimizer);
    for (let e = 0; e < 5; e++) stepOf(schedule, metrics[e]);
    const good = states[9] as Record<string, unknown>;
    const before = [inForce(optimizer), schedule.stateDict()];
    const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([field]) => field !== name));
    const optional = "baseLrs" in good ? ["lastLrs", "lastMomenta"] : []; // which states of 0.1 lack
    const rates = "baseLrs" in good ? "baseLrs" : "lastLrs";
    const options = good.options as Record<string, unknown>;
    const wrong: unknown[] = [
      undefined,
      null,
      [],
      new Map(),
      ...Object.keys(good)
        .filter((name) => !optional.includes(name))
        .map(without),
      { ...good, lastLrs: [0.1, -1] },
      { ...good, lastLrs: [0.1] },
      { ...good, lastMomenta: [0.1, 1] },
      ...Object.keys(good).map((name) => ({ ...good, [name]: NaN })),
      ...Object.keys(options).flatMap((name) => [
        { ...good, options: { ...options, [name]: NaN } },
        { ...good, options: { ...options, [name]: undefined } },
      ]),
      { ...good, extra: 1 },
      { ...good, options: { ...options, extra: 1 } },
      { ...good, version: 2 },
      { ...good, kind: "Step" },
      { ...good, kind: "toString" },
      { ...good, counter: -1 },
      ...(good.kind === "CosineAnnealingWarmRestarts" ? [] : [{ ...good, counter: 1.5 }]),
      { ...good, [rates]: [0.1] },
      { ...good, [rates]: [0.1, 0.1, 0.1] },
      { ...good, [rates]: [0.1, NaN] },
      { ...good, [rates]: [0.1, -1] },
      { ...good, [rates]: [0.1, "0.1"] },
      { ...good, [rates]: Float64Array.of(0.1, 0.1) },
    ];
    if (Array.isArray(good.schedulers)) {
      const inner = good.schedulers as Record<string, unknown>[];
      const last = inner[inner.length - 1];
      const replaced = (item: unknown) => ({ ...good, schedulers: [...inner.slice(0, -1), item] });
      wrong.push(replaced({ ...last, kind: "StepLr" }), replaced({ ...last, options: {} }), replaced(null));
      wrong.push(replaced({ ...last, counter: 3 }), { ...good, schedulers: inner.slice(1) });
      wrong.push({ ...good, schedulers: [...inner, last] });
    }
    for (const state of wrong) {
      const load = () => schedule.loadStateDict(state as never);
      expect(load, JSON.stringify(state)).toThrow(/^\w+: "\S+" expected .*, got /);
      expect([inForce(optimizer), schedule.stateDict()]).toEqual(before);
    }
    schedule.loadStateDict(good as never);
    expect(inForce(optimizer)).toEqual(values[9]);
  });
});

describe("what a state restores, and what it does not", () => {
  test("options do", () => {
    const optimizer = twoGroups();
    const saved = new StepLR(twoGroups(), { stepSize: 2, gamma: 0.5 }).stateDict();
    const schedule = new StepLR(optimizer, { stepSize: 100 });
    schedule.loadStateDict(saved);
    schedule.step();
    schedule.step();
    expect(optimizer.paramGroups[0].lr).toBe(0.05);
  });

  test("those of inner schedules do", () => {
    const make = (gamma: number) => {
      const optimizer = twoGroups();
      const schedulers = [new StepLR(optimizer, { stepSize: 1, gamma }), new StepLR(optimizer, { stepSize: 2 })];
      return new ChainedScheduler(optimizer, { schedulers });
    };
    const [from, to] = [make(0.5), make(0.25)];
    to.loadStateDict(from.stateDict());
    expect(to.stateDict()).toEqual(from.stateDict());
    from.step();
    to.step();
    expect(to.lastLr).toEqual([0.05, 0.125]);
  });

  test("LambdaLR's function does not", () => {
    const saved = new LambdaLR(twoGroups(), { lrLambda: () => 1 }).stateDict();
    expect(saved).toEqual({
      format: "gradstep/schedule",
      version: 1,
      kind: "LambdaLR",
      counter: 0,
      baseLrs: [...LRS],
      lastLrs: [...LRS],
      options: {},
    });
    const optimizer = twoGroups();
    const schedule = new LambdaLR(optimizer, { lrLambda: (e) => 0.5 + e });
    schedule.loadStateDict(saved);
    expect(optimizer.paramGroups[0].lr).toBe(0.1);
    schedule.step();
    expect(optimizer.paramGroups[0].lr).toBeCloseTo(0.15);
  });

  test("a state shares no memory with the schedule", () => {
    const schedule = new OneCycleLR(twoGroups(), { maxLr: [0.1, 0.2], totalSteps: 9 });
    const saved = schedule.stateDict() as unknown as { baseLrs: number[]; options: { maxLr: number[] } };
    const copy = structuredClone(saved);
    schedule.loadStateDict(saved as never);
    saved.baseLrs[0] = saved.options.maxLr[0] = 7;
    expect(schedule.stateDict()).toEqual(copy);
    schedule.lastLr[0] = 7;
    expect(schedule.lastLr[0]).toBeCloseTo(0.1 / 25);
  });

  test("a counter past the end of OneCycleLR throws", () => {
    const schedule = new OneCycleLR(twoGroups(), { maxLr: 0.1, totalSteps: 9 });
    expect(() => schedule.loadStateDict({ ...schedule.stateDict(), counter: 10 })).toThrow(RangeError);
    expect(schedule.stateDict().counter).toBe(0);
  });

  test("through a checkpoint", () => {
    const params = new ParameterDict({ w: [3] });
    const optimizer = new SGD(params, { lr: 0.1 });
    const schedule = new StepLR(optimizer, { stepSize: 1 });
    const plateau = new ReduceLROnPlateau(optimizer);
    schedule.step();
    plateau.step(3);
    const extra = { schedule: schedule.stateDict(), plateau: plateau.stateDict() };
    const bytes = save(params, { optimizers: [optimizer], extra });
    schedule.step();
    const loaded = load(bytes, params, { optimizers: [optimizer] }).extra as unknown as typeof extra;
    expect(loaded).toEqual(extra);
    schedule.loadStateDict(loaded.schedule);
    plateau.loadStateDict(loaded.plateau);
    expect(optimizer.paramGroups[0].lr).toBe(0.1 * 0.1);
  });
});
