// stateDict() and loadStateDict(): exact, structured-cloneable, and refused as a whole when anything is wrong.
import { describe, expect, test } from "vitest";
import { Adam, NAdam, type OptimizerState, ParameterDict, SGD, type StepOptimizer } from "../../src/index.js";
import { fillGradient, random } from "../support/harness.js";
import { type Options, type Row, make, rows } from "../rules/table.js";

const shapesOf = (rule: string): Record<string, number[]> =>
  rule === "Muon" ? { a: [3, 4], b: [5, 2] } : { a: [3, 4], b: [5], e: [0], s: [] };

type Chosen = Pick<Row, "rule" | "together">;

function fresh(
  { rule, together }: Chosen,
  options: Options,
): { params: ParameterDict; optimizer: StepOptimizer<Options> } {
  const params: ParameterDict = new ParameterDict(shapesOf(rule));
  const next = random(3);
  for (const name of params.names) fillGradient(params.data[name], next);
  const optimizer = make(rule, params, {
    ...options,
    groups: [{ params: ["b"], ...(together ? { weightDecay: 0.1 } : { lr: 0.03 }) }],
  });
  return { params, optimizer };
}

function train({ params, optimizer }: ReturnType<typeof fresh>, from: number, to: number): void {
  for (let t = from; t <= to; t++) {
    const next = random(50 + t);
    for (const name of params.names) fillGradient(params.grad[name], next);
    if (t === 2) optimizer.step({ skip: ["b", "s"].filter((name) => params.names.includes(name)) });
    else optimizer.step();
  }
}

type Loose = Record<string, unknown> & {
  groups: { params: string[]; options: Options; shared: Record<string, unknown> }[];
  state: Record<string, Record<string, unknown> & { slots: Options; scalars: Options; shape: number[] }>;
};
const loose = (saved: OptimizerState): Loose => structuredClone(saved) as unknown as Loose;

describe.each(rows)("$rule", (row) => {
  const { rule, variants, together } = row;
  test.each(variants)("goes on from a clone of its state: %j", (options) => {
    const [one, two] = [fresh(row, options), fresh(row, options)];
    train(one, 1, 7);
    for (const group of one.optimizer.paramGroups.slice(0, together ? 2 : 1)) group.lr = 0.007;
    const saved = one.optimizer.stateDict();
    const clone = structuredClone(saved);
    expect(clone).toEqual(saved);
    // Steps of all tensors together, where those that are loaded have taken different numbers of them.
    for (let t = 1; t <= 3; t++) two.optimizer.step();
    two.params.assign(one.params.copy());
    two.optimizer.loadStateDict(clone);
    expect(two.optimizer.stateDict()).toEqual(saved);
    train(one, 8, 14);
    expect(clone, "owned").toEqual(saved);
    train(two, 8, 14);
    expect(two.params.copy()).toEqual(one.params.copy());
    expect(two.optimizer.stateDict()).toEqual(one.optimizer.stateDict());
  });

  test("refuses a state with any fault, and is unchanged then", () => {
    const target = fresh(row, variants[0]);
    train(target, 1, 4);
    const { optimizer, params } = target;
    const saved = optimizer.stateDict();
    const slot = Object.keys(saved.state.a.slots).at(0);
    const damage: [string, (saved: Loose) => unknown, RegExp][] = [
      ["no object", () => 5, /"saved" expected an object/],
      ["another format", (s) => (s.format = "x"), /"saved.format" expected "gradstep\/optimizer", got "x"/],
      ["a newer version", (s) => (s.version = 2), /"saved.version" expected 1, got 2/],
      ["another rule", (s) => (s.rule = "Other"), new RegExp(`"saved.rule" expected "${rule}", got "Other"`)],
      ["no evaluating", (s) => delete s.evaluating, /"saved.evaluating" expected true or false/],
      ["no groups", (s) => delete (s as Options).groups, /"saved.groups" expected an array/],
      ["a group too few", (s) => s.groups.pop(), /"saved.groups" expected 2 groups/],
      ["swapped groups", (s) => s.groups.reverse(), /"saved.groups\[0\].params" expected the group's/],
      ["a missing name", (s) => s.groups[1].params.pop(), /"saved.groups\[1\].params" expected the group's 1 tensor /],
      ["a NaN rate", (s) => (s.groups[1].options.lr = NaN), /"saved.groups\[1\].options.lr" expected .* got NaN/],
      ["a rate in words", (s) => (s.groups[0].options.lr = "1"), /"saved.groups\[0\].options.lr" expected/],
      [
        "no rate",
        (s) => delete s.groups[0].options.lr,
        /"saved.groups\[0\].options.lr" expected a finite number >= 0, got undefined/,
      ],
      ["another dialect", (s) => (s.groups[0].options.dialect = "jax"), /"saved.groups\[0\].options.dialect" expected/],
      ["an unknown number", (s) => (s.groups[0].shared.x = 1), /"saved.groups\[0\].shared" expected/],
      ["no state", (s) => delete (s as Options).state, /"saved.state" expected an object/],
      ["a tensor's state less", (s) => delete s.state.b, /"saved.state.b" expected the tensor's state/],
      ["a stranger's state", (s) => (s.state.z = s.state.a), /"saved.state" expected only a, b(, e, s)?, got "z"/],
      ["another shape", (s) => s.state.a.shape.reverse(), /"saved.state.a.shape" expected \[3, 4\], got \[4, 3\]/],
      ["half a step", (s) => (s.state.b.step = 0.5), /"saved.state.b.step" expected a whole number >= 0, got 0.5/],
      ["a step in words", (s) => (s.state.b.step = "1"), /"saved.state.b.step" expected a whole number >= 0, got "1"/],
      ["an unknown slot", (s) => (s.state.b.slots.x = new Float32Array(5)), /"saved.state.b.slots" expected/],
      [
        "an unknown scalar",
        (s) => (s.state.b.scalars.x = 1),
        /"saved.state.b.scalars" expected (nothing|only \w.*), got "x"/,
      ],
      ...Object.keys(saved.state.a.scalars).map((scalar): (typeof damage)[number] => [
        "no scalar",
        (s) => Reflect.deleteProperty(s.state.b.scalars, scalar),
        new RegExp(`"saved.state.b.scalars.${scalar}" expected a number`),
      ]),
      ...Object.keys(saved.groups[0].shared).map((shared): (typeof damage)[number] => [
        "no shared number",
        (s) => Reflect.deleteProperty(s.groups[1].shared, shared),
        new RegExp(`"saved.groups\\[1\\].shared.${shared}" expected a number`),
      ]),
      ...(slot === undefined
        ? []
        : ([
            [
              "no slot",
              (s) => Reflect.deleteProperty(s.state.a.slots, slot),
              /"saved.state.a.slots.\w+" expected a Float32Array of \d+/,
            ],
            ["a short slot", (s) => (s.state.a.slots[slot] = new Float32Array(1)), /got a Float32Array of 1/],
            [
              "a list for a slot",
              (s) => (s.state.a.slots[slot] = [1, 2]),
              /"saved.state.a.slots.\w+" expected a Float32Array/,
            ],
            ["a wider slot", (s) => (s.state.a.slots[slot] = new Float64Array(12)), /got a Float64Array of 12/],
          ] satisfies typeof damage)),
    ];
    const before = params.copy();
    for (const [what, change, message] of damage) {
      const wrong = loose(saved);
      const given = change(wrong) === 5 ? 5 : wrong;
      expect(() => optimizer.loadStateDict(given as never), what).toThrow(message);
      expect(optimizer.stateDict(), what).toEqual(saved);
    }
    expect(params.copy()).toEqual(before);
    optimizer.loadStateDict(saved);
  });
});

test("options that are fixed cannot come from a state", () => {
  const optimizer = new Adam(new ParameterDict({ a: [2] }), { amsgrad: true });
  const saved = loose(optimizer.stateDict());
  saved.groups[0].options.amsgrad = false;
  expect(() => optimizer.loadStateDict(saved as never)).toThrow(
    'Adam: "saved.groups[0].options.amsgrad" expected true, as the optimizer has, got false',
  );
});

test("a momentum comes only with its buffer", () => {
  const without = new SGD(new ParameterDict({ a: [2] }));
  const saved = loose(without.stateDict());
  saved.groups[0].options.momentum = 0.9;
  expect(() => without.loadStateDict(saved as never)).toThrow(
    'SGD: "saved.groups[0].options.momentum" is 0.9, the optimizer\'s is 0, and only one of them has a "momentumBuffer"',
  );
});

test("a state is a snapshot with its own vectors", () => {
  const params = new ParameterDict({ a: [2] });
  const optimizer = new NAdam(params);
  const saved = optimizer.stateDict();
  params.grad.a.fill(1);
  optimizer.step();
  expect(saved.state.a.step).toBe(0);
  expect(saved.state.a.slots.expAvg).toEqual(new Float32Array(2));
  expect((saved.state.a.slots.expAvg as Float32Array).buffer.byteLength).toBe(8);
  optimizer.loadStateDict(saved);
  expect(optimizer.state("a")).toEqual({
    step: 0,
    muProduct: 1,
    expAvg: new Float32Array(2),
    expAvgSq: new Float32Array(2),
  });
});
