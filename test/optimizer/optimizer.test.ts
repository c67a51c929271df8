import { describe, expect, test } from "vitest";
import {
  Adam,
  AdamW,
  Arena,
  NAdam,
  Optimizer,
  ParameterDict,
  WeightEma,
  RMSprop,
  SGD,
  StepOptimizer,
} from "../../src/index.js";
import { fillGradient, firstDifference, random, shapeOf, shapesOf } from "../support/harness.js";
import { make, rows } from "../rules/table.js";

const three = (options = {}) => new ParameterDict({ a: [5], b: [20], c: [33] }, options);

describe("groups", () => {
  test("the first group holds the tensors that no other names, even if there are none", () => {
    const optimizer = new AdamW(three(), {
      lr: 0.5,
      groups: [
        { params: ["c"], lr: 0.1 },
        { params: ["a", "b"], weightDecay: 0 },
      ],
    });
    expect(optimizer.paramGroups.map((g) => [g.params, g.lr, g.weightDecay])).toEqual([
      [[], 0.5, 0.01],
      [["c"], 0.1, 0.01],
      [["a", "b"], 0.5, 0],
    ]);
    expect(new AdamW(three()).paramGroups.map((g) => g.params)).toEqual([["a", "b", "c"]]);
  });

  const ownGroups = rows.filter((row) => !row.together);
  test.each(ownGroups)("$rule: interleaved groups have the bits of one optimizer per group", (row) => {
    const { rule, variants } = row;
    for (const options of variants) {
      const names = Array.from({ length: 9 }, (_, i) => `t${i}`);
      const shapes = Object.fromEntries(names.map((n, i) => [n, shapeOf(row, i * 7 + 1)]));
      const odd = names.filter((_, i) => i % 3 === 1);
      const even = names.filter((n) => !odd.includes(n));
      const [together, apart] = [new ParameterDict(shapes), new ParameterDict(shapes)];
      const inGroups = make(rule, together, { ...options, groups: [{ params: odd, lr: 0.003, weightDecay: 0.2 }] });
      const alone = [
        make(rule, apart.subset(even), options),
        make(rule, apart.subset(odd), { ...options, lr: 0.003, weightDecay: 0.2 }),
      ];
      const next = random(5);
      for (let t = 0; t < 4; t++) {
        for (const n of names) {
          fillGradient(together.grad[n], next);
          apart.grad[n].set(together.grad[n]);
        }
        inGroups.step();
        alone.forEach((o) => o.step());
      }
      for (const n of names) expect(firstDifference(together.data[n], apart.data[n])).toBe(-1);
    }
  });

  test("options that decide which slots exist may differ between groups", () => {
    const params = three();
    const optimizer = new Adam(params, { groups: [{ params: ["b"], amsgrad: true }] });
    params.grad.b.fill(1);
    optimizer.step();
    expect(Object.keys(optimizer.state("a"))).toEqual(["step", "expAvg", "expAvgSq"]);
    expect(Object.keys(optimizer.state("b"))).toEqual(["step", "expAvg", "expAvgSq", "maxExpAvgSq"]);
    expect(optimizer.state("b").maxExpAvgSq).toEqual(optimizer.state("b").expAvgSq);
  });

  test("are live", () => {
    const params = new ParameterDict({ a: [1] });
    const optimizer = new SGD(params, { lr: 1 });
    params.grad.a[0] = 1;
    optimizer.step();
    optimizer.paramGroups[0].lr = 0.5;
    optimizer.step();
    optimizer.paramGroups[0].maximize = true;
    optimizer.step();
    expect(params.data.a[0]).toBe(-1);
    expect(() => (optimizer.paramGroups[0].lr = -1)).toThrow(
      'SGD: "paramGroups[0].lr" expected a finite number >= 0, got -1',
    );
    expect(optimizer.paramGroups[0].lr).toBe(0.5);
    expect(() => ((optimizer.paramGroups as unknown as unknown[])[0] = {})).toThrow(TypeError);
    expect(Object.entries({ ...optimizer.paramGroups[0] })).toContainEqual(["lr", 0.5]);
  });
});

describe("addParamGroup", () => {
  test("existing tensors continue and new ones start", () => {
    const arena = new Arena({ capacity: 2 ** 18 });
    const first = new ParameterDict({ a: [5], b: [7] }, { arena });
    const second = new ParameterDict({ c: [9] }, { arena });
    const optimizer = new NAdam(first, { lr: 0.1 });
    first.grad.a.fill(1);
    optimizer.step();
    const kept = optimizer.state("a").expAvg;
    optimizer.addParamGroup({ params: second, lr: 0.01 });
    expect(optimizer.paramGroups.map((g) => [g.params, g.lr])).toEqual([
      [["a", "b"], 0.1],
      [["c"], 0.01],
    ]);
    second.grad.c.fill(1);
    optimizer.step();
    expect(optimizer.state("a").expAvg).toBe(kept);
    expect([optimizer.state("a").step, optimizer.state("c").step]).toEqual([2, 1]);

    const alone = new ParameterDict({ c: [9] });
    alone.grad.c.fill(1);
    const other = new NAdam(alone, { lr: 0.01 });
    other.step();
    expect(second.data.c).toEqual(alone.data.c);
    expect(optimizer.state("c").muProduct).toBe(other.state("c").muProduct);
    optimizer.dispose();
    expect(arena.used).toBe(65536 + 6 * 64);
  });

  test("refuses invalid arguments and changes nothing", () => {
    const params = three();
    const optimizer = new Adam(params.subset(["a"]), { lr: 0.1 });
    const busy = new SGD(params.subset(["b"]));
    const { used } = params.arena;
    const add = (group: unknown) => () => optimizer.addParamGroup(group as never);
    const prefix = 'Adam: "paramGroups[1]';
    expect(add({ params: three() })).toThrow(`${prefix}.params" expected a ParameterDict in the optimizer's arena`);
    expect(add({ params: params.subset(["b"]) })).toThrow('Adam: "b" belongs to a live SGD; dispose that first');
    expect(add({ params: params.subset(["a"]) })).toThrow('Adam: "a" belongs to a live Adam');
    expect(add({ params: ["c"] })).toThrow(TypeError);
    expect(add({ params: params.subset(["c"]), lr: -1 })).toThrow(
      `${prefix}.lr" expected a finite number >= 0, got -1`,
    );
    expect(add({ params: params.subset(["c"]), rate: 1 })).toThrow('Adam: unknown option "paramGroups[1].rate"');
    expect(add(undefined)).toThrow(TypeError);
    for (const group of [{ params: three() }, { params: params.subset(["b"]) }]) expect(add(group)).toThrow(RangeError);
    const twin = new ParameterDict({ a: [3] }, { arena: params.arena });
    expect(add({ params: twin })).toThrow(`${prefix}.params" expected names that are new to the optimizer, got "a"`);
    twin.dispose();
    expect(params.arena.used).toBe(used);
    expect(optimizer.paramGroups).toHaveLength(1);
    busy.dispose();
    optimizer.addParamGroup({ params: params.subset(["b", "c"]) });
    optimizer.step();
    expect(optimizer.paramGroups[1].lr).toBe(0.1);
  });

  test("without room for its state, nothing is allocated", () => {
    const arena = new Arena({ capacity: 2 * 65536 });
    const optimizer = new Adam(new ParameterDict({ a: [16] }, { arena }));
    const big = new ParameterDict({ b: [7000] }, { arena });
    expect(() => optimizer.addParamGroup({ params: big })).toThrow(
      /^Adam: needs 56064 bytes for its state, \d+ are free/,
    );
    expect(optimizer.paramGroups).toHaveLength(1);
    new SGD(big).step();
  });
});

describe("step", () => {
  const params = three();
  const optimizer = new Adam(params);

  test.each([
    [{ skip: ["z"] }, RangeError, 'Adam: "skip[0]" expected one of the tensors "a", "b", "c", got "z"'],
    [{ skip: ["a", "a"] }, RangeError, 'Adam: "skip[1]" expected each tensor once, got "a"'],
    [{ skip: "a" }, TypeError, 'Adam: "skip" expected an array of tensor names, got "a"'],
    [{ skip: [3] }, TypeError, 'Adam: "skip[0]" expected a tensor name, got 3'],
    [{ gradScale: NaN }, RangeError, 'Adam: "gradScale" expected a finite number, got NaN'],
    [{ gradScale: "1" }, TypeError, 'Adam: "gradScale" expected a finite number, got "1"'],
    [
      { scale: 1 },
      RangeError,
      'unknown option "scale"; did you mean "gradScale"? The options are skip, gradScale, rows, clipNorm, zeroGrad',
    ],
    [{ zeroGrad: 1 }, TypeError, 'Adam: "zeroGrad" expected true or false, got 1'],
    [{ clipNorm: -1 }, RangeError, 'Adam: "clipNorm" expected a number >= 0, got -1'],
    [{ average: null }, TypeError, 'Adam: "average" expected a WeightEma or a WeightAverage, got null'],
    [{ average: {} }, TypeError, 'Adam: "average" expected a WeightEma or a WeightAverage, got'],
    [{ average: [] }, TypeError, 'Adam: "average" expected a WeightEma or a WeightAverage, got []'],
    [
      { average: new WeightEma(new ParameterDict({ a: [3] })) },
      RangeError,
      'Adam: "average" expected an average of tensors that are the optimizer\'s',
    ],
    [7, TypeError, 'Adam: "step options" expected an object, got 7'],
    [null, TypeError, 'Adam: "step options" expected an object, got null'],
  ])("refuses %j and changes nothing", (options, error, message) => {
    params.grad.b.fill(1);
    const [before, step] = [params.data.b.slice(), optimizer.state("b").step];
    const call = () => optimizer.step(options as never);
    expect(call).toThrow(error);
    expect(call).toThrow(message);
    expect(params.data.b).toEqual(before);
    expect(optimizer.state("b").step).toBe(step);
    expect(optimizer.state("a").step).toBe(step);
  });

  test("takes absent and undefined options", () => {
    const { step } = optimizer.state("a");
    for (const options of [undefined, {}, { skip: undefined, gradScale: undefined }, { skip: [] }])
      expect(optimizer.step(options)).toBe(true);
    expect(optimizer.state("a").step).toBe(step + 4);
  });

  test("counts the steps of each tensor and uses that count", () => {
    const both = new ParameterDict({ early: [3], late: [3] });
    const adam = new Adam(both, { lr: 0.1 });
    both.grad.early.fill(1);
    both.grad.late.fill(1);
    for (let t = 0; t < 5; t++) adam.step({ skip: ["late"] });
    adam.step();
    expect([adam.state("early").step, adam.state("late").step]).toEqual([6, 1]);
    expect(both.data.late[0]).toBeCloseTo(-0.1, 6);
  });

  test("a tensor whose first step comes late takes it with the current options", () => {
    const both = new ParameterDict({ a: [3], b: [3] });
    for (const n of both.names) both.grad[n].fill(1);
    const adam = new Adam(both, { lr: 0.1 });
    adam.step({ skip: ["b"] });
    adam.paramGroups[0].lr = 0.01;
    adam.step({ skip: ["a"] });
    expect(both.data.a[0]).toBeCloseTo(-0.1, 6);
    expect(both.data.b[0]).toBeCloseTo(-0.01, 6);
  });

  test("adjacent tensors with the same step count but different scalars do not share coefficients", () => {
    const shapes = { a: [3], b: [3] };
    const [together, apart] = [new ParameterDict(shapes), new ParameterDict(shapes)];
    for (const params of [together, apart]) for (const n of params.names) params.grad[n].fill(1);
    const one = new NAdam(together, { lr: 0.1 });
    const alone = { a: new NAdam(apart.subset(["a"]), { lr: 0.1 }), b: new NAdam(apart.subset(["b"]), { lr: 0.1 }) };
    const step = (betas: [number, number], skip: ("a" | "b")[]) => {
      one.paramGroups[0].betas = betas;
      one.step({ skip });
      for (const n of ["a", "b"] as const) {
        alone[n].paramGroups[0].betas = betas;
        if (!skip.includes(n)) alone[n].step();
      }
    };
    step([0.9, 0.999], ["b"]);
    step([0.5, 0.999], ["a"]);
    step([0.9, 0.999], []);
    expect(one.state("a").step).toBe(one.state("b").step);
    expect(one.state("a").muProduct).not.toBe(one.state("b").muProduct);
    for (const n of together.names) {
      expect(together.data[n]).toEqual(apart.data[n]);
      expect(one.state(n).muProduct).toBe(alone[n].state(n).muProduct);
    }
  });

  test("an optimizer of no tensors does nothing", () => {
    expect(new Adam(params.subset([])).step()).toBe(true);
    expect(new Adam(new ParameterDict({ e: [0] })).step()).toBe(true);
  });

  test("works above 2 GiB, where addresses are not int32", () => {
    const arena = new Arena({ capacity: 2 ** 31 + 2 ** 24 });
    new ParameterDict({ low: [2 ** 28] }, { arena }); // reserved, not touched
    const high = new ParameterDict({ w: [100] }, { arena });
    expect(high.data.w.byteOffset).toBeGreaterThanOrEqual(2 ** 31);
    high.grad.w.fill(2);
    const rms = new RMSprop(high, { lr: 0.5, momentum: 0.9, centered: true });
    rms.step();
    const low = new ParameterDict({ w: [100] });
    low.grad.w.fill(2);
    new RMSprop(low, { lr: 0.5, momentum: 0.9, centered: true }).step();
    expect(high.data.w).toEqual(low.data.w);
    arena.dispose();
  });
});

describe("state", () => {
  test.each(rows)("$rule: before the first step the count is 0 and slots hold their start values", (row) => {
    const { rule, variants, start, shared, scalars } = row;
    for (const options of variants) {
      const params = new ParameterDict(shapesOf(row, { a: 5, b: 20, c: 33 }));
      params.data.b.fill(0.25);
      const optimizer = make(rule, params, options);
      const starts = start?.(optimizer.paramGroups[0] as never) ?? {};
      const { step, ...state } = optimizer.state("b");
      const slots = Object.entries(state).filter(([, value]) => typeof value !== "number");
      const numbers = Object.entries(state).filter(([, value]) => typeof value === "number");
      const settled = optimizer.paramGroups[0] as never;
      expect(Object.fromEntries(numbers)).toEqual({ ...scalars, ...shared?.start(settled) });
      expect(step).toBe(0);
      for (const [name, slot] of slots) {
        const from = starts[name] ?? 0;
        const { length } = slot as Float32Array;
        expect(slot).toEqual(new Float32Array(length).fill(from === "parameters" ? 0.25 : from));
      }
      expect(optimizer.state("a").step).toBe(0);
    }
  });

  test("gives the same views every time, and they are live", () => {
    const params = three();
    const optimizer = new Adam(params);
    const { expAvg } = optimizer.state("b");
    params.grad.b.fill(1);
    optimizer.step();
    expect(optimizer.state("b").expAvg).toBe(expAvg);
    expect((expAvg as Float32Array)[19]).toBeCloseTo(0.1, 6);
    expect(() => optimizer.state("z")).toThrow('Adam: "name" expected one of the tensors "a", "b", "c", got "z"');
  });

  test("Keras's velocity points downhill", () => {
    const params = three();
    const optimizer = new SGD(params, { dialect: "keras", lr: 0.5, momentum: 0.9 });
    params.grad.a.fill(1);
    optimizer.step();
    expect((optimizer.state("a").momentumBuffer as Float32Array)[0]).toBe(-0.5);
  });
});

describe("ownership", () => {
  test("two live optimizers cannot own one tensor", () => {
    const params = three();
    const first = new SGD(params.subset(["a", "b"]));
    expect(() => new Adam(params)).toThrow('Adam: "a" belongs to a live SGD; dispose that first');
    const second = new Adam(params.subset(["c"]));
    first.dispose();
    const third = new RMSprop(params.subset(["a"]));
    expect(() => new Adam(params.subset(["b", "c"]))).toThrow('"c" belongs to a live Adam');
    for (const o of [second, third]) o.dispose();
    new Adam(params).step();
  });

  test("zeroGrad() clears only its own tensors", () => {
    const params = three();
    for (const n of params.names) params.grad[n].fill(1);
    new SGD(params.subset(["b"])).zeroGrad();
    expect([params.grad.a[0], params.grad.b[0], params.grad.c[32]]).toEqual([1, 0, 1]);
  });

  test("the order of names in a subset does not matter", () => {
    const [one, two] = [three(), three()];
    for (const params of [one, two]) for (const n of params.names) params.grad[n].fill(n.charCodeAt(0) - 96);
    new Adam(one.subset(["c", "a", "b"])).step();
    new Adam(two).step();
    for (const n of one.names) expect(one.data[n]).toEqual(two.data[n]);
  });

  test("after dispose() everything throws except dispose()", () => {
    const params = three();
    const optimizer = new Adam(params);
    const [group] = optimizer.paramGroups;
    optimizer.dispose();
    optimizer.dispose();
    const uses: (() => unknown)[] = [
      () => optimizer.step(),
      () => optimizer.zeroGrad(),
      () => optimizer.state("a"),
      () => optimizer.paramGroups,
      () => optimizer.addParamGroup({ params }),
      () => (group.lr = 1),
    ];
    for (const use of uses) expect(use).toThrow("Adam: used after dispose()");
  });

  test("the base classes are exported", () => {
    const optimizer = new Adam(three());
    expect(optimizer).toBeInstanceOf(StepOptimizer);
    expect(optimizer).toBeInstanceOf(Optimizer);
  });
});
