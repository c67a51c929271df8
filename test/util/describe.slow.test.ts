// What a person sees of every public object: console.log, String() and JSON.stringify.
import { inspect } from "node:util";
import "@tensorflow/tfjs-backend-cpu";
import { describe, expect, test } from "vitest";
import * as gradstep from "../../src/index.js";
import * as checkpoint from "../../src/checkpoint/index.js";
import * as kernels from "../../src/kernels.js";
import * as nn from "../../src/nn/index.js";
import * as schedule from "../../src/schedule/index.js";
import * as tfjs from "../../src/tfjs/index.js";
import * as threads from "../../src/threads/index.js";

const { Adam, AdamW, Arena, Lookahead, ParameterDict, Random, SAM, SGD, WeightAverage, WeightEma } = gradstep;
const pool = await threads.Threads.create(1);

const make = () => new ParameterDict({ "fc1.weight": [128, 784], "fc1.bias": [128] });
const matrices = () => new ParameterDict({ w: [4, 3] }, { capacity: 2 ** 20 });
const sgd = () => new SGD(make(), { lr: 0.1 });

const textOf = (object: object): string => (object as { toString(): string }).toString();

interface Shown {
  dispose?(): unknown;
}
/** What makes an object, its text, and its JSON; both of rules and schedules are more or less the same. */
type Row = readonly [make: () => object, text: string | RegExp, json: unknown];

const plateau = { mode: "min", factor: 0.5, patience: 10, threshold: 1e-4, thresholdMode: "rel", cooldown: 0 };
const rows: Readonly<Record<string, Row>> = {
  ParameterDict: [
    () => {
      const params = ParameterDict.from({
        w: { shape: [2, 3], data: [1, -0.25, 1 / 3, 1e-7, 5, 6] },
        b: { shape: [], data: [2] },
      });
      return params;
    },
    "ParameterDict { 2 tensors, 7 parameters\n  w [2, 3]: 1, -0.25, 0.3333, 1e-7, …\n  b []: 2 }",
    { w: [2, 3], b: [] },
  ],
  SharedParameterDict: [
    () => new threads.SharedParameterDict({ w: [1] }, { threads: pool }),
    "SharedParameterDict { 1 tensor, 1 parameter\n  w [1]: 0 }",
    { w: [1] },
  ],
  Arena: [
    () => new Arena({ capacity: 131072 }),
    "Arena { capacity: 131072, used: 65536, free: 65536 }",
    { capacity: 131072, used: 65536, free: 65536 },
  ],
  SharedArena: [
    () => new threads.SharedArena({ capacity: 131072, threads: pool }),
    "SharedArena { capacity: 131072, used: 65536, free: 65536 }",
    { capacity: 131072, used: 65536, free: 65536 },
  ],
  Threads: [() => pool, "Threads { size: 1, workers: 0 }", { size: 1, workers: 0 }],
  WeightEma: [
    () => new WeightEma(make(), { decay: 0.9 }),
    "WeightEma { decay: 0.9, debias: false, updates: 0, 2 tensors, 100,480 parameters }",
    { decay: 0.9, debias: false, updates: 0, tensors: 2, parameters: 100480 },
  ],
  WeightAverage: [
    () => {
      const average = new WeightAverage(matrices());
      average.update();
      average.apply();
      return average;
    },
    "WeightAverage { updates: 1, applied: true, 1 tensor, 12 parameters }",
    { updates: 1, applied: true, tensors: 1, parameters: 12 },
  ],
  Lookahead: [
    () => new Lookahead(sgd()),
    "Lookahead { k: 6, alpha: 0.5, steps: 0\n  SGD { lr: 0.1, momentum: 0, dampening: 0, weightDecay: 0, 2 tensors, 100,480 parameters, step 0 } }",
    expect.objectContaining({ k: 6, optimizer: expect.objectContaining({ rule: "SGD" }) as unknown }),
  ],
  SAM: [
    () => new SAM(sgd(), { rho: 0.1 }),
    "SAM { rho: 0.1, adaptive: false\n  SGD { lr: 0.1, momentum: 0, dampening: 0, weightDecay: 0, 2 tensors, 100,480 parameters, step 0 } }",
    expect.objectContaining({ rho: 0.1, optimizer: expect.objectContaining({ rule: "SGD" }) as unknown }),
  ],
  Random: [() => new Random(1), /^Random \{ state: \[\d+, \d+, \d+, \d+\] \}$/, new Random(1).state()],
  GradstepOptimizer: [
    () => new tfjs.GradstepOptimizer("adam", { clipNorm: 1 }),
    'GradstepOptimizer { rule: "adam", clipNorm: 1, lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, 0 tensors, 0 parameters, step 0 }',
    expect.objectContaining({ rule: "adam", lr: 0.001 }),
  ],
  ReduceLROnPlateau: [
    () => new schedule.ReduceLROnPlateau(sgd(), { factor: 0.5 }),
    'ReduceLROnPlateau { mode: "min", factor: 0.5, patience: 10, threshold: 0.0001, thresholdMode: "rel", cooldown: 0, eps: 1e-8, minLr: 0, lr: 0.1, best: null, badSteps: 0, step 0 }',
    expect.objectContaining({ kind: "ReduceLROnPlateau", options: expect.objectContaining(plateau) as unknown }),
  ],
  StepLR: [
    () => {
      const steps = new schedule.StepLR(sgd(), { stepSize: 2, gamma: 0.5 });
      for (let i = 0; i < 3; i++) steps.step();
      return steps;
    },
    "StepLR { stepSize: 2, gamma: 0.5, lr: 0.05, step 3 }",
    expect.objectContaining({ kind: "StepLR", counter: 3 }),
  ],
  ...schedules({
    MultiStepLR: [{ milestones: [1, 2] }, "milestones: [1, 2], gamma: 0.1"],
    ConstantLR: [{ factor: 0.5 }, "factor: 0.5, totalIters: 5"],
    LinearLR: [{}, "startFactor: 0.3333333333333333, endFactor: 1, totalIters: 5"],
    ExponentialLR: [{ gamma: 0.9 }, "gamma: 0.9"],
    PolynomialLR: [{}, "totalIters: 5, power: 1"],
    CosineAnnealingLR: [{ tMax: 10 }, "tMax: 10, etaMin: 0"],
    CosineAnnealingWarmRestarts: [{ t0: 10 }, "t0: 10, tMult: 1, etaMin: 0"],
    OneCycleLR: [{ maxLr: 1, totalSteps: 10, cycleMomentum: false }, "maxLr: 1, totalSteps: 10"],
    CyclicLR: [{ baseLr: 0.1, maxLr: 1, cycleMomentum: false }, "baseLr: 0.1, maxLr: 1"],
    LambdaLR: [{ lrLambda: () => 1 }, ""],
    MultiplicativeLR: [{ lrLambda: () => 1 }, ""],
    SWALR: [{ swaLr: 0.05 }, "swaLr: 0.05, annealEpochs: 10"],
  }),
  SequentialLR: [
    () => new schedule.SequentialLR(...inner([2])),
    /^SequentialLR \{ milestones: \[2\], schedulers: \["StepLR", "StepLR"\], lr: 0.1, step 0 \}$/,
    expect.anything(),
  ],
  ChainedScheduler: [
    () => new schedule.ChainedScheduler(...inner()),
    /^ChainedScheduler \{ schedulers: \["StepLR", "StepLR"\], lr: 0.1, step 0 \}$/,
    expect.anything(),
  ],
};

function inner(milestones?: number[]): [gradstep.SGD, never] {
  const optimizer = sgd();
  const schedulers = [1, 2].map((stepSize) => new schedule.StepLR(optimizer, { stepSize }));
  return [optimizer, { schedulers, ...(milestones && { milestones }) } as never];
}

function schedules(of: Readonly<Record<string, readonly [object, string]>>): Record<string, Row> {
  type Maker = new (optimizer: gradstep.SGD, options: object) => object;
  return Object.fromEntries(
    Object.entries(of).map(([name, [options, text]]) => {
      const Class = (schedule as unknown as Record<string, Maker>)[name];
      const json: unknown = expect.objectContaining({ kind: name, counter: 0 });
      return [
        name,
        [
          () => new Class(sgd(), options),
          new RegExp(`^${name} \\{ ${text.replace(/[[\]]/g, "\\$&")}.*lr: [\\d.]+, step 0 \\}$`),
          json,
        ],
      ];
    }),
  );
}

const isClass = (value: unknown): value is { readonly name: string; readonly prototype: object } =>
  typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
const subpaths = { ...gradstep, ...checkpoint, ...kernels, ...nn, ...schedule, ...tfjs, ...threads };
const classes = Object.entries(subpaths).filter(([, value]) => isClass(value));
const bases = ["Optimizer", "StepOptimizer", "LRScheduler"];
/** Their texts are tables of layers: test/nn/. */
const networks = ["MLP", "Network"];
const isRule = (value: unknown) => isClass(value) && value.prototype instanceof gradstep.Optimizer;

test("every public class has a row, or is a rule", () => {
  const names = classes
    .filter(([name, value]) => !isRule(value) && ![...bases, ...networks].includes(name))
    .map(([name]) => name);
  expect(names.sort()).toEqual(Object.keys(rows).sort());
});

describe.each(Object.entries(rows))("%s", (name, [makeObject, text, json]) => {
  test("has a text, Node's inspection and JSON", () => {
    const object = makeObject() as Shown;
    const shown = textOf(object);
    if (typeof text === "string") expect(shown).toBe(text);
    else expect(shown).toMatch(text);
    expect(inspect(object)).toBe(shown);
    expect(inspect({ object }, { depth: 0 })).toBe(`{ object: [${name}] }`);
    expect(inspect({ a: { b: { object } } }, { depth: 1 })).toBe("{ a: { b: [Object] } }");
    expect(inspect({ object })).toContain(shown.split("\n")[0]);
    expect(JSON.parse(JSON.stringify(object))).toEqual(json);
    expect(JSON.stringify(object).length).toBeLessThan(700);
  });

  test("throws for none of them after dispose()", async () => {
    const object = makeObject() as Shown;
    if (name === "Threads" || object.dispose === undefined) return;
    await object.dispose();
    expect(inspect(object)).toMatch(/^\[\w+: used after dispose\(\)\]$|^\w+ \{/);
    expect(JSON.stringify(object)).toMatch(/^\{"error":".*used after dispose\(\)"\}$|^\{"rule"/);
  });
});

const ruleNames = classes
  .filter(([, value]) => isRule(value))
  .map(([name]) => name)
  .filter((name) => !bases.includes(name));
type Maker = new (params: object, options: object) => gradstep.Optimizer;

describe.each(ruleNames)("%s", (rule) => {
  test("shows its options and how far it is", () => {
    const params = matrices();
    const optimizer = new (gradstep as unknown as Record<string, Maker>)[rule](params, { lr: 0.25 });
    if (optimizer instanceof gradstep.StepOptimizer) optimizer.step();
    const step = optimizer instanceof gradstep.StepOptimizer ? 1 : 0;
    expect(textOf(optimizer)).toMatch(
      new RegExp(`^${rule} \\{ lr: 0.25, .*1 tensor, 12 parameters, step ${step} \\}$`),
    );
    expect(inspect([optimizer], { breakLength: Infinity })).toBe(`[ ${textOf(optimizer)} ]`);
    expect(JSON.parse(JSON.stringify(optimizer))).toMatchObject({ rule, lr: 0.25, tensors: 1, parameters: 12, step });
    params.arena.dispose();
    expect(textOf(optimizer)).toBe(`[${rule}: used after dispose()]`);
    expect(JSON.parse(JSON.stringify({ optimizer }))).toEqual({
      optimizer: { error: `${rule}: used after dispose()` },
    });
  });
});

test("an optimizer's groups show what differs", () => {
  const optimizer = new AdamW(make(), { groups: [{ params: /bias/, weightDecay: 0, maximize: true }] });
  for (let i = 0; i < 100; i++) optimizer.step();
  expect(textOf(optimizer)).toBe(
    'AdamW { lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, groups: [{ params: ["fc1.bias"], weightDecay: 0, maximize: true }], ' +
      "2 tensors, 100,480 parameters, step 100 }",
  );
  const [first, second] = optimizer.paramGroups;
  expect(textOf(second)).toBe(
    '{ weightDecay: 0, maximize: true, lr: 0.001, betas: [0.9, 0.999], amsgrad: false, eps: 1e-8, cautious: false, dialect: "torch", params: ["fc1.bias"] }',
  );
  expect(inspect(first)).toBe(textOf(first));
  expect(JSON.parse(JSON.stringify(first))).toMatchObject({ lr: 0.001, params: ["fc1.weight"] });
  expect(Object.keys(second)).not.toContain("toString");
});

test("many tensors and names stay a few lines", () => {
  const params = new ParameterDict(
    Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`layer${i}.weight`, [1]])),
  );
  const optimizer = new Adam(params, { groups: [{ params: /[05]\./, lr: 1 }] });
  expect(inspect(params).split("\n")).toHaveLength(10);
  expect(inspect(params)).toMatch(/… 992 more \}$/);
  expect(inspect(optimizer).length).toBeLessThan(250);
  expect(inspect(optimizer.paramGroups[1]).length).toBeLessThan(250);
});
