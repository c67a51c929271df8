// The types of optimizer.state(): the compiler checks them, and the names are compared with the states at run time.
import { describe, expect, expectTypeOf, test } from "vitest";
import * as gradstep from "../../src/index.js";
import {
  type CommonOptions,
  type Lookahead,
  type Optimizer,
  ParameterDict,
  type StepOptimizer,
} from "../../src/index.js";
import type { AnyOptimizer as Resumable } from "../../src/checkpoint/index.js";
import type { AnyOptimizer } from "../../src/schedule/index.js";
import { rows } from "./table.js";

const averaging = ["k", "weightSum", "lrMax", "scheduledLr", "share"] as const;
/** Per rule: its slots, the slots that only some options or shapes need, and its numbers. */
const states = {
  AdaBelief: [["mu", "nu"], [], []],
  AdaBound: [["expAvg", "expAvgSq"], ["maxExpAvgSq"], ["baseLr"]],
  Adadelta: [["squareAvg", "accDelta"], [], []],
  Adafactor: [[], ["rowVar", "colVar", "variance"], []],
  Adagrad: [["sum"], [], []],
  Adam: [["expAvg", "expAvgSq"], ["maxExpAvgSq"], []],
  AdamW: [["expAvg", "expAvgSq"], ["maxExpAvgSq"], []],
  Adamax: [["expAvg", "expInf"], [], []],
  AdamP: [["expAvg", "expAvgSq"], [], []],
  Adan: [["expAvg", "expAvgDiff", "expAvgSq", "negPreGrad"], [], []],
  AdEMAMix: [["m1", "m2", "nu"], [], []],
  ADOPT: [["expAvg", "expAvgSq"], [], []],
  ASGD: [["ax"], [], ["eta", "mu"]],
  DAdaptAdam: [["expAvg", "expAvgSq", "s"], [], ["d", "numeratorWeighted"]],
  Ftrl: [["accumulator", "linear"], [], []],
  LAMB: [["expAvg", "expAvgSq"], [], []],
  LaProp: [["expAvg", "expAvgSq"], [], ["expAvgLr1", "expAvgLr2"]],
  LARS: [[], ["momentumBuffer"], []],
  Lion: [["expAvg"], [], []],
  LBFGS: [
    ["d", "prevFlatGrad", "oldDirs", "oldStps"],
    [],
    ["nIter", "funcEvals", "t", "hDiag", "historyLength", "historyStart"],
  ],
  MADGRAD: [["gradSumSq", "s", "x0"], [], []],
  MARS: [["expAvg", "expAvgSq", "lastGrad"], [], []],
  Muon: [["momentumBuffer"], [], []],
  NAdam: [["expAvg", "expAvgSq"], [], ["muProduct"]],
  NovoGrad: [["mu"], [], ["nu"]],
  Prodigy: [["expAvg", "expAvgSq", "s", "p0"], [], ["d", "dMax", "dNumerator"]],
  RAdam: [["expAvg", "expAvgSq"], [], []],
  RMSprop: [["squareAvg"], ["gradAvg", "momentumBuffer"], []],
  Rprop: [["prev", "stepSize"], [], []],
  ScheduleFreeAdamW: [["expAvgSq", "z"], [], averaging],
  ScheduleFreeSGD: [["z"], [], averaging],
  SGD: [[], ["momentumBuffer"], []],
  SGDP: [["momentum"], [], []],
  Signum: [[], ["momentumBuffer"], []],
  StableAdamW: [["expAvg", "expAvgSq"], [], []],
  Yogi: [["mu", "nu"], [], []],
} as const;

type Library = typeof gradstep;
type States = typeof states;
/** Every exported class that makes an optimizer. */
type RuleName = {
  [Name in keyof Library]: Library[Name] extends new (...args: never) => { stateBytes: number } ? Name : never;
}[keyof Library];
type Plain<T> = { [Key in keyof T]: T[Key] };
type StateOf<Name extends RuleName> = Plain<ReturnType<InstanceType<Library[Name]>["state"]>>;
type Expected<Row extends readonly (readonly string[])[]> = Plain<
  { readonly step: number } & Readonly<Record<Row[0][number], Float32Array<ArrayBuffer>>> &
    Readonly<Partial<Record<Row[1][number], Float32Array<ArrayBuffer>>>> &
    Readonly<Record<Row[2][number], number>>
>;

const params = new ParameterDict({ "fc1.weight": [2, 3], "fc1.bias": [3] });

test("state() has exactly the rule's slots and numbers", () => {
  expectTypeOf<{ [Name in keyof States]: StateOf<Name> }>().toEqualTypeOf<{
    [Name in keyof States]: Expected<States[Name]>;
  }>();
  // A rule that declares no state of its own would have the general one, of any name.
  expectTypeOf<{ [Name in RuleName]: string extends keyof StateOf<Name> ? Name : never }[RuleName]>().toBeNever();
  const general = (optimizer: Optimizer) => optimizer.state("fc1.bias").anything;
  expectTypeOf(general).returns.toEqualTypeOf<Float32Array<ArrayBuffer> | number>();
});

describe.each(Object.entries(states))("%s", (name, [slots, optional, numbers]) => {
  type Constructor = new (params: ParameterDict, options: object) => Optimizer;
  const Rule = (gradstep as unknown as Record<string, Constructor>)[name];
  const variants = rows.find(({ rule }) => rule === name)?.variants ?? [{}];

  test("the declared names are those at run time", () => {
    const found = new Set<string>();
    for (const options of variants)
      for (const shape of name === "Muon" ? [[2, 3]] : [[2, 3], [4]]) {
        const state = new Rule(new ParameterDict({ w: shape }, { slots: 210 }), options).state("w");
        expect(Object.keys(state)).toEqual(expect.arrayContaining(["step", ...slots, ...numbers]));
        for (const [key, value] of Object.entries(state)) {
          found.add(key);
          expect(typeof value === "number").toBe(["step", ...numbers].includes(key));
        }
      }
    expect([...found].sort()).toEqual(["step", ...slots, ...optional, ...numbers].sort());
  });
});

test("an optimizer with its own state type is accepted wherever any optimizer is", () => {
  type Refused<By> = { [Name in RuleName]: InstanceType<Library[Name]> extends By ? never : Name }[RuleName];
  // LBFGS has no weightDecay, which the internal rule of an `Optimizer` has; the published types leave that out.
  expectTypeOf<Refused<Optimizer>>().toEqualTypeOf<"LBFGS">();
  expectTypeOf<Refused<AnyOptimizer>>().toBeNever();
  expectTypeOf<Refused<Resumable>>().toBeNever();
  expectTypeOf<Refused<StepOptimizer>>().toEqualTypeOf<"LBFGS">();
  expectTypeOf<Refused<ConstructorParameters<typeof Lookahead>[0]>>().toEqualTypeOf<"LBFGS">();
  const stepsOf = <O extends CommonOptions, N extends string>(of: Optimizer<O, N>, name: N) => of.state(name).step;
  const adam = new gradstep.Adam(params);
  expect(stepsOf(adam, "fc1.bias")).toBe(0);
  adam.dispose();
});

test("a tensor name that does not exist is an error at that name, also at compile time", () => {
  const groups = { params: ["fc1.weight"] } as const;
  const make = () =>
    new gradstep.Adam(params, {
      groups: [
        groups,
        {
          lr: 0.1,
          // @ts-expect-error: no tensor has this name
          params: ["fc1.bais"],
        },
      ],
    });
  expect(make).toThrow(/fc1\.bais/);
});
