// Messages that name the cause and what to change, and their grammar.
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import { counted, withArticle } from "../../src/util/check.js";
import * as gradstep from "../../src/index.js";
import { Adam, AdamW, Lookahead, ParameterDict, RMSprop, SGD, WeightEma, clipGradNorm } from "../../src/index.js";
import { MLP } from "../../src/nn/index.js";

const make = (): ParameterDict => new ParameterDict({ w: [2] });
const mlp = new MLP([2, 3]);
const foreign = (bytes: number[]): object => new WebAssembly.Module(Uint8Array.from(bytes));
const empty = [0, 97, 115, 109, 1, 0, 0, 0];
/** Exports one global, "other". */
const other = [...empty, 6, 6, 1, 127, 0, 65, 0, 11, 7, 9, 1, 5, 111, 116, 104, 101, 114, 3, 0];

const causes: [what: string, call: () => unknown, type: typeof Error, message: string][] = [
  ["Adam(mlp)", () => new Adam(mlp as never), TypeError, "got an MLP: pass mlp.params"],
  ["WeightEma(mlp)", () => new WeightEma(mlp as never), TypeError, "got an MLP: pass mlp.params"],
  ["clipGradNorm(mlp)", () => clipGradNorm(mlp as never, 1), TypeError, "got an MLP: pass mlp.params"],
  [
    "addParamGroup(mlp)",
    () => new Adam(make()).addParamGroup({ params: mlp as never }),
    TypeError,
    'Adam: "paramGroups[1].params" expected a ParameterDict, got an MLP: pass mlp.params',
  ],
  ["an object around them", () => new Adam({ params: make() } as never), TypeError, "got an object: pass its params"],
  [
    "another copy of the class",
    () =>
      new Adam(
        new (class ParameterDict {
          a = 1;
        })() as never,
      ),
    TypeError,
    "got a ParameterDict of another copy of gradstep",
  ],
  [
    "a group of another arena",
    () => new Adam(make()).addParamGroup({ params: new ParameterDict({ v: [1] }) }),
    RangeError,
    `"paramGroups[1].params" expected a ParameterDict in the optimizer's arena, made with { arena: params.arena }, got`,
  ],
  [
    "decoupled decay",
    () => new Adam(make(), { decoupledWeightDecay: true } as never),
    RangeError,
    'Adam: unknown option "decoupledWeightDecay": use AdamW. The options are ',
  ],
  [
    "decoupled decay of a group",
    () => new Adam(make(), { groups: [{ params: ["w"], decoupledWeightDecay: true } as never] }),
    RangeError,
    'Adam: unknown option "groups[0].decoupledWeightDecay": use AdamW. The options are ',
  ],
  [
    "a module without exports",
    () => new ParameterDict({ w: [1] }, { module: foreign(empty) }),
    RangeError,
    'ParameterDict: "module" expected a WebAssembly.Module of gradstep/kernels.wasm, got one of something else',
  ],
  [
    "a foreign module",
    () => new gradstep.Arena({ capacity: 1, module: foreign(other) }),
    RangeError,
    'Arena: "module"',
  ],
];

test.each(causes)("%s", (_, call, type, message) => {
  expect(call).toThrow(type);
  expect(call).toThrow(message);
});

describe.each([SGD, RMSprop])("a state of %o and another momentum", (Class) => {
  const [a, b] = [make(), make()];
  const [having, lacking] = [new Class(a, { momentum: 0.9 }), new Class(b)];
  having.step();
  const told = (saved: number, own: number): string =>
    `"saved.groups[0].options.momentum" is ${saved}, the optimizer's is ${own}, and only one of them has a ` +
    `"momentumBuffer": make the optimizer with { momentum: ${saved} }`;

  test("by loadStateDict", () => {
    expect(() => lacking.loadStateDict(having.stateDict())).toThrow(told(0.9, 0));
    expect(() => having.loadStateDict(lacking.stateDict())).toThrow(told(0, 0.9));
  });

  test("from a file", () => {
    const [file, plain] = [save(a, { optimizers: [having] }), save(b, { optimizers: [lacking] })];
    expect(() => load(file, b, { optimizers: [lacking] })).toThrow(told(0.9, 0));
    expect(() => load(plain, a, { optimizers: [having] })).toThrow(told(0, 0.9));
  });
});

describe("grammar", () => {
  test("articles go by the sound", () => {
    const an = "Adam AdamW Adagrad ADOPT ASGD SGD LBFGS MLP RMSprop Rprop Ftrl LRScheduler Arena Int32Array Error";
    const a = "Yogi Lion NAdam RAdam LAMB LARS MADGRAD Muon ScheduleFreeSGD Uint8Array Float32Array Map Lookahead";
    for (const noun of an.split(" ")) expect(withArticle(noun)).toBe(`an ${noun}`);
    for (const noun of a.split(" ")) expect(withArticle(noun)).toBe(`a ${noun}`);
    expect(() => new Adam(make(), { lr: new Int32Array(1) as never })).toThrow(/got an Int32Array of 1$/);
    expect(() => new Lookahead(make() as never)).toThrow(/got a ParameterDict$/);
    expect(() => new AdamW(new Adam(make()) as never)).toThrow("got an Adam: make one with");
  });

  test("one of a thing", () => {
    expect([counted(1, "row"), counted(2, "row"), counted(0, "index", "indices")]).toEqual([
      "1 row",
      "2 rows",
      "0 indices",
    ]);
    const x = new Float32Array(2);
    expect(() => mlp.trainBatch(x, [])).toThrow('"y" expected 1 class index in an integer array');
    expect(() => new ParameterDict({ w: [1] }).assign({ w: [] })).toThrow("expected 1 number, got");
    const state = new Adam(make()).stateDict();
    expect(() => new Adam(make()).loadStateDict({ ...state, groups: [] })).toThrow("expected 1 group, as");
  });
});
