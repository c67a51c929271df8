// Base rates (`initialLr`) in groups, states and checkpoints, and schedules that start in the middle (`lastEpoch`).
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import { pack, unpack } from "../../src/checkpoint/safetensors.js";
import { Adam, Lookahead, ParameterDict, SGD } from "../../src/index.js";
import {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  SequentialLR,
  StepLR,
  SWALR,
} from "../../src/schedule/index.js";
import { type AnySchedule, LRS, STEPS, metrics, rows, stepOf, twoGroups } from "./table.js";

const sgd = (lr = 0.1) => new SGD(new ParameterDict({ w: [2] }), { lr });
const bases = (optimizer: SGD) => optimizer.paramGroups.map(({ initialLr }) => initialLr);
const rates = (optimizer: SGD) => optimizer.paramGroups.map(({ lr }) => lr);

describe("initialLr", () => {
  test.each(rows)("$title writes the present rate once", ({ make }) => {
    const optimizer = twoGroups();
    expect(bases(optimizer)).toEqual([undefined, undefined]);
    const schedule = make(optimizer);
    const wanted = schedule instanceof ReduceLROnPlateau ? [undefined, undefined] : [...LRS];
    expect(bases(optimizer)).toEqual(wanted);
    for (let e = 0; e < 3; e++) stepOf(schedule, metrics[e]);
    expect(bases(optimizer)).toEqual(wanted);
  });

  test("is live and checked, but not an option", () => {
    const optimizer = sgd();
    const [group] = optimizer.paramGroups;
    group.initialLr = 0.5;
    expect(() => (group.initialLr = -1)).toThrow(
      'SGD: "paramGroups[0].initialLr" expected a finite number >= 0, got -1',
    );
    expect(() => (group.initialLr = "1" as never)).toThrow(TypeError);
    expect([group.initialLr, Object.keys(group)]).toEqual([0.5, Object.keys(sgd().paramGroups[0])]);
    optimizer.addParamGroup({ params: new ParameterDict({ v: [1] }, { arena: optimizer.arena }) });
    expect(bases(optimizer)).toEqual([0.5, undefined]);
  });

  const annealed = (): { params: ParameterDict; optimizer: Adam; schedule: CosineAnnealingLR } => {
    const params: ParameterDict = new ParameterDict({ w: [2], v: [3] });
    const optimizer = new Adam(params, { lr: 0.01, groups: [{ params: ["v"], lr: 0.02 }] });
    const schedule = new CosineAnnealingLR(optimizer, { tMax: 100 });
    for (let e = 0; e < 50; e++) schedule.step();
    return { params, optimizer, schedule };
  };

  test.each(["a state", "a checkpoint", "a file of PyTorch's"])(
    "is restored from %s as the base of new schedules",
    (how) => {
      const { params, optimizer, schedule } = annealed();
      const bytes = save(params, { optimizers: [optimizer] });
      const { tensors, metadata } = unpack(bytes);
      const groups = JSON.parse(metadata.get("param_groups") ?? "") as Record<string, unknown>;
      expect([groups["param_groups.w.initial_lr"], groups["param_groups.v.initial_lr"]]).toEqual([0.01, 0.02]);

      const other = annealed();
      other.optimizer.paramGroups[0].initialLr = undefined;
      if (how === "a state") other.optimizer.loadStateDict(optimizer.stateDict());
      else if (how === "a checkpoint") load(bytes, other.params, { optimizers: [other.optimizer] });
      else
        load(pack(tensors, new Map([["param_groups", JSON.stringify(groups)]])), other.params, {
          optimizers: [other.optimizer],
        });
      const next = new CosineAnnealingLR(other.optimizer, { tMax: 100, lastEpoch: 50 });
      schedule.step();
      next.step();
      expect(next.lastLr).toEqual(schedule.lastLr);
      expect(next.stateDict()).toEqual(schedule.stateDict());
    },
  );

  test("is optional in files; a load from one without it removes it", () => {
    const { params, optimizer, schedule } = annealed();
    const old = optimizer.stateDict();
    for (const { options } of old.groups) delete (options as { initialLr?: number }).initialLr;
    optimizer.loadStateDict(old);
    expect(optimizer.paramGroups[0].initialLr).toBe(undefined);
    const { tensors, metadata } = unpack(save(params, { optimizers: [optimizer] }));
    expect(metadata.get("param_groups")).not.toContain("initial_lr");
    schedule.step(); // writes it again
    expect(optimizer.paramGroups[0].initialLr).toBe(0.01);
    load(pack(tensors, new Map([["param_groups", metadata.get("param_groups") ?? ""]])), params, {
      optimizers: [optimizer],
    });
    expect(optimizer.paramGroups[0].initialLr).toBe(undefined);
  });

  test("after loading, a new schedule starts from it unless the rate has been set since", () => {
    const saved = annealed().optimizer.stateDict();
    const loaded = () => {
      const { optimizer } = annealed();
      optimizer.loadStateDict(saved);
      return optimizer;
    };
    const optimizer = loaded();
    expect(new StepLR(optimizer, { stepSize: 9 }).lastLr).toEqual([0.01, 0.02]);
    expect(new LinearLR(optimizer, { startFactor: 0.5 }).lastLr).toEqual([0.005, 0.01]); // side by side with that
    const set = loaded();
    for (const group of set.paramGroups) group.lr = 1e-4;
    expect(new CosineAnnealingLR(set, { tMax: 9 }).lastLr).toEqual([1e-4, 1e-4]);
  });
});

interface At {
  lastEpoch?: number;
}
const startedLate: readonly [string, (o: SGD, at: At) => AnySchedule][] = [
  ["StepLR", (o, at) => new StepLR(o, { stepSize: 3, ...at })],
  ["MultiStepLR", (o, at) => new MultiStepLR(o, { milestones: [0, 4, 9], ...at })],
  ["ConstantLR", (o, at) => new ConstantLR(o, { factor: 0, ...at })],
  ["LinearLR", (o, at) => new LinearLR(o, at)],
  ["ExponentialLR", (o, at) => new ExponentialLR(o, { gamma: 0.9, ...at })],
  ["PolynomialLR", (o, at) => new PolynomialLR(o, { totalIters: 12, power: 1.5, ...at })],
  ["CosineAnnealingLR", (o, at) => new CosineAnnealingLR(o, { tMax: 6, etaMin: 0.01, ...at })],
  ["CosineAnnealingWarmRestarts", (o, at) => new CosineAnnealingWarmRestarts(o, { t0: 3, ...at })],
  ["OneCycleLR", (o, at) => new OneCycleLR(o, { maxLr: 0.3, totalSteps: 30, ...at })],
  ["CyclicLR", (o, at) => new CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 3, ...at })],
  ["LambdaLR", (o, at) => new LambdaLR(o, { lrLambda: (e) => 1 / (1 + e), ...at })],
  ["MultiplicativeLR", (o, at) => new MultiplicativeLR(o, { lrLambda: (e) => 1 - 1 / (9 + e), ...at })],
  ["SWALR", (o, at) => new SWALR(o, { swaLr: 0.05, ...at })],
  [
    "SequentialLR",
    (o, at) => {
      const schedulers = [
        new LinearLR(o),
        new SWALR(o, { swaLr: 0.05, annealEpochs: 4 }),
        new MultiplicativeLR(o, { lrLambda: () => 0.8 }),
        new ChainedScheduler(o, { schedulers: [new CosineAnnealingLR(o, { tMax: 2 }), new ConstantLR(o)] }),
      ];
      return new SequentialLR(o, { schedulers, milestones: [3, 8, 11], ...at });
    },
  ],
  [
    "ChainedScheduler",
    (o, at) => {
      const schedulers = [
        new StepLR(o, { stepSize: 4 }),
        new CosineAnnealingLR(o, { tMax: 3, etaMin: 1e-3 }),
        new LinearLR(o),
      ];
      return new ChainedScheduler(o, { schedulers, ...at });
    },
  ],
  [
    "a chain that sets the rate",
    (o, at) => {
      const schedulers = [
        new LambdaLR(o, { lrLambda: [(e) => e, (e) => 1 + e] }),
        new ExponentialLR(o, { gamma: 0.5 }),
      ];
      return new ChainedScheduler(o, { schedulers, ...at });
    },
  ],
];

describe("lastEpoch", () => {
  test.each(startedLate)("%s starts where it would be after as many steps", (_, make) => {
    const stepped = twoGroups();
    const schedule = make(stepped, {});
    for (let e = 0; e < STEPS; e++) {
      const fresh = twoGroups();
      const later = make(fresh, { lastEpoch: e });
      const annealed = twoGroups(); // its rates are those of e, its base rates those of before
      annealed.loadStateDict(stepped.stateDict());
      make(annealed, { lastEpoch: e });
      expect(later.stateDict()).toMatchObject({ counter: e, baseLrs: [...LRS] });
      stepOf(schedule, 1);
      for (const optimizer of [annealed, fresh]) {
        const before = rates(optimizer);
        expect(bases(optimizer)).toEqual([...LRS]);
        if (optimizer === fresh) stepOf(later, 1);
        else expect(before.map((lr, g) => Math.abs(lr - rates(fresh)[g]) < 1e-15)).toEqual([true, true]);
      }
      rates(fresh).forEach((lr, g) => expect(Math.abs(lr - rates(stepped)[g])).toBeLessThan(1e-15));
    }
  });

  test("side by side", () => {
    const [stepped, fresh] = [sgd(), sgd()];
    const make = (o: SGD, at: At): AnySchedule[] => [new LinearLR(o, at), new CosineAnnealingLR(o, { tMax: 9, ...at })];
    const schedules = make(stepped, {});
    for (let e = 0; e < 4; e++) schedules.forEach((schedule) => stepOf(schedule, 1));
    make(fresh, { lastEpoch: 4 });
    expect(fresh.paramGroups[0].lr).toBeCloseTo(stepped.paramGroups[0].lr, 15);
  });

  test("sets the counter of a plateau", () => {
    expect(new ReduceLROnPlateau(sgd(), { lastEpoch: 7 }).stateDict().counter).toBe(7);
  });

  test("of a chain is that of its schedules", () => {
    const optimizer = sgd();
    const parts = [
      new LinearLR(optimizer, { lastEpoch: 3 }),
      new ExponentialLR(optimizer, { gamma: 0.5, lastEpoch: 3 }),
    ];
    const chain = new ChainedScheduler(optimizer, { schedulers: parts });
    expect(chain.stateDict().counter).toBe(3);
    expect(chain.lastLr[0]).toBeCloseTo((0.1 / 8) * (1 / 3 + (2 / 3) * 0.6), 15);
    chain.step();
    expect(chain.lastLr[0]).toBeCloseTo((0.1 / 16) * (1 / 3 + (2 / 3) * 0.8), 15);
    const apart = sgd();
    const uneven = [new LinearLR(apart), new LinearLR(apart, { lastEpoch: 1 })];
    expect(() => new ChainedScheduler(apart, { schedulers: uneven })).toThrow(
      'ChainedScheduler: "schedulers[1]" expected a schedule that has made 0 steps, as the first, got 1',
    );
  });
});

test("a schedule takes a Lookahead instead of its optimizer", () => {
  const inside = sgd();
  const lookahead = new Lookahead(inside, { k: 2 });
  const schedulers = [new StepLR(lookahead, { stepSize: 1 }), new ExponentialLR(inside, { gamma: 0.5 })];
  new ChainedScheduler(lookahead, { schedulers }).step();
  expect([inside.paramGroups[0].lr, inside.paramGroups[0].initialLr]).toEqual([expect.closeTo(0.005), 0.1]);
  const plateau = new ReduceLROnPlateau(lookahead, { patience: 0 });
  plateau.step(1);
  plateau.step(1);
  expect(lookahead.paramGroups[0].lr).toBeCloseTo(0.0005);
  lookahead.dispose();
  expect(() => plateau.lastLr).toThrow("Lookahead: used after dispose()");
});
