// Compares rates, and cycled momenta, after each call of step() with PyTorch's values.
import { describe, expect, test } from "vitest";
import { type Optimizer, ParameterDict, SGD } from "../../src/index.js";
import * as schedules from "../../src/schedule/index.js";
import { fixture } from "../support/fixture.js";

type Nested = Readonly<Record<string, Options>>;
type Options = Readonly<Record<string, unknown>> & { readonly schedulers?: readonly Nested[] };

interface Fixture {
  readonly name: string;
  readonly scheduler: string;
  readonly options: Options;
  readonly lr: number;
  readonly values: readonly number[];
  readonly momentum?: readonly number[];
  readonly metrics?: readonly number[];
}

interface Schedule {
  readonly lastLr: number[];
  step(metric?: number): void;
}

const fixtures = (JSON.parse(fixture("schedules.json").toString()) as { schedules: Fixture[] }).schedules;

function build(optimizer: Optimizer, name: string, options: Options): Schedule {
  const make = (schedules as unknown as Record<string, new (o: Optimizer, options: object) => Schedule>)[name];
  if (!options.schedulers) return new make(optimizer, options);
  const inner = options.schedulers.flatMap((item) =>
    Object.entries(item).map(([kind, own]) => build(optimizer, kind, own)),
  );
  return new make(optimizer, { ...options, schedulers: inner });
}

const far = (actual: number, wanted: number): number =>
  actual === wanted ? 0 : Math.abs(actual - wanted) / Math.abs(wanted);

describe("schedules, against PyTorch's values", () => {
  test("all fifteen are there", () => {
    expect(fixtures.length).toBe(15);
    expect(fixtures.every(({ values }) => values.length === 60)).toBe(true);
  });

  test.each(fixtures)("$name", ({ scheduler, options, lr, values, momentum, metrics }) => {
    const optimizer = new SGD(new ParameterDict({ w: [3] }), { lr, momentum: 0.9 });
    const schedule = build(optimizer, scheduler, options);
    const [group] = optimizer.paramGroups;
    values.forEach((value, e) => {
      if (e > 0) schedule.step(...(metrics ? [metrics[e - 1]] : []));
      expect(far(group.lr, value), `${group.lr} for ${value} at ${e}`).toBeLessThan(1e-12);
      expect(schedule.lastLr).toEqual([group.lr]);
      if (momentum) expect(far(group.momentum, momentum[e]), `momentum at ${e}`).toBeLessThan(1e-12);
    });
  });
});

test("a long cosine keeps its digits to the last step, and ends at the lowest rate", () => {
  const optimizer = new SGD(new ParameterDict({ w: [1] }), { lr: 0.1 });
  const tMax = 20_000;
  const it = new schedules.CosineAnnealingLR(optimizer, { tMax });
  for (let e = 1; e < tMax; e++) it.step();
  const x = Math.PI / (2 * tMax);
  const wanted = 0.1 * x ** 2 * (1 - x ** 2 / 3);
  expect(Math.abs(it.lastLr[0] / wanted - 1)).toBeLessThan(1e-11);
  it.step();
  expect(it.lastLr).toEqual([0]);
});
