import { describe, expect, test } from "vitest";
import {
  AdamW,
  Arena,
  LBFGS,
  Lookahead,
  ParameterDict,
  SGD,
  ScheduleFreeSGD,
  WeightAverage,
  WeightEma,
} from "../../src/index.js";
import { fillGradient, firstDifference, random, shapesOf } from "../support/harness.js";
import { type Row, make, rows } from "../rules/table.js";

const f = Math.fround;
const SIZES = { a: 5, b: 21, c: 65 };

function start(options = {}, row: Pick<Row, "shape"> = {}) {
  const params = new ParameterDict(shapesOf(row, SIZES), options);
  const next = random(2);
  for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
  const draw = (): void => {
    for (const name of params.names) fillGradient(params.grad[name], next);
  };
  return { params, draw };
}

describe("Lookahead", () => {
  test.each(rows)("around $rule: every k-th step φ ← φ + α(θ − φ), θ ← φ, to the bit", (row) => {
    const { rule, variants } = row;
    const [wrapped, plain] = [start({}, row), start({}, row)];
    const lookahead = new Lookahead(make(rule, wrapped.params, variants[0]), { k: 3, alpha: 0.3 });
    const optimizer = make(rule, plain.params, variants[0]);
    const slow = plain.params.copy();
    for (let t = 1; t <= 8; t++) {
      wrapped.draw();
      plain.draw();
      expect(lookahead.step()).toBe(true);
      optimizer.step();
      if (t % 3 === 0)
        for (const name of plain.params.names) {
          const p = plain.params.data[name];
          slow[name] = slow[name].map((x, i) => f(x + f(f(0.3) * f(p[i] - x))));
          p.set(slow[name]);
        }
      for (const name of plain.params.names)
        expect(firstDifference(wrapped.params.data[name], plain.params.data[name]), `${name} at step ${t}`).toBe(-1);
    }
  });

  test("takes the step's options, and returns what the step returned; a skipped step does not count", () => {
    const { params } = start();
    const lookahead = new Lookahead(new SGD(params, { lr: 1, nonFinite: "skip" }), { k: 2, alpha: 0.5 });
    params.data.a.fill(0);
    params.data.b.fill(0);
    const other = new Lookahead(new AdamW(new ParameterDict({ a: [1] })));
    expect(other.step()).toBe(true);
    const slow = lookahead.stateDict().tensors.a.values[0];
    params.grad.a.fill(-1);
    expect(lookahead.step({ gradScale: 4, skip: ["b"] })).toBe(true);
    expect(params.data.a[0]).toBe(4);
    params.grad.a[0] = NaN;
    expect(lookahead.step()).toBe(false);
    expect(params.data.a[1]).toBe(4);
    expect(lookahead.stateDict().steps).toBe(1);
    params.grad.a[0] = -1;
    expect(lookahead.step()).toBe(true);
    expect(params.data.a[0]).toBe(f(slow + f(0.5 * f(5 - slow))));
  });

  test.each([1, 2, 3])("an average in the same step sees the parameters after the step, k = %i", (k) => {
    for (const kind of ["WeightEma", "WeightAverage"] as const) {
      const results = [true, false].map((rides) => {
        const { params, draw } = start();
        const inner = new AdamW(params, { lr: 0.1, nonFinite: "skip", groups: [{ params: ["b"], lr: 0.2 }] });
        const lookahead = new Lookahead(inner, { k, alpha: 0.3 });
        const some = params.subset(["a", "c"]);
        const average = kind === "WeightEma" ? new WeightEma(some, { decay: 0.7 }) : new WeightAverage(some);
        for (let t = 1; t <= 7; t++) {
          draw();
          if (t === 4) params.grad.a[0] = NaN;
          const stepped = lookahead.step({ zeroGrad: true, skip: t === 2 ? ["c"] : [], ...(rides ? { average } : {}) });
          if (!rides && stepped) average.update();
        }
        return { params: params.copy(), average: average.stateDict(), lookahead: lookahead.stateDict() };
      });
      expect(results[0].average.updates).toBe(6);
      expect(results[0]).toEqual(results[1]);
    }
  });

  test("a step that throws changes nothing and does not count", () => {
    const { params } = start();
    const lookahead = new Lookahead(new SGD(params, { nonFinite: "throw" }), { k: 1 });
    params.grad.c[64] = Infinity;
    const before = params.copy();
    expect(() => lookahead.step()).toThrow('SGD: the gradient of "c" is Infinity at element 64');
    expect(() => lookahead.step({ skip: ["z"] as never })).toThrow('SGD: "skip[0]" expected');
    expect(params.copy()).toEqual(before);
    expect(lookahead.stateDict().steps).toBe(0);
  });

  test("slow weights start as the parameters when it is made, or for a later group when that is added", () => {
    const arena = new Arena({ capacity: 2 ** 18 });
    const first = new ParameterDict({ a: [2] }, { arena });
    const second = new ParameterDict({ z: [3] }, { arena });
    const optimizer = new SGD(first, { lr: 1 });
    first.data.a.fill(8);
    const lookahead = new Lookahead(optimizer, { k: 2, alpha: 0.5 });
    first.data.a.fill(0);
    lookahead.step();
    second.data.z.fill(4);
    optimizer.addParamGroup({ params: second });
    second.grad.z.fill(2);
    lookahead.step();
    expect(first.data.a[0]).toBe(4);
    expect(second.data.z[0]).toBe(3);
    expect(Object.keys(lookahead.stateDict().tensors)).toEqual(["a", "z"]);
    const { used } = arena;
    lookahead.dispose();
    expect(arena.used).toBe(used - 2 * 64);
  });

  test("in a full arena, after addParamGroup, a step says what to raise and changes nothing; saving works", () => {
    const arena = new Arena({ capacity: 2 ** 17 });
    const first = new ParameterDict({ a: [2] }, { arena });
    const second = new ParameterDict({ z: [3] }, { arena });
    const optimizer = new SGD(first, { lr: 1 });
    const lookahead = new Lookahead(optimizer, { k: 2, alpha: 0.5 });
    lookahead.step();
    second.data.z.fill(4);
    optimizer.addParamGroup({ params: second });
    arena.allocate(arena.free, "test", "the rest");
    second.grad.z.fill(2);
    const remedy =
      'Lookahead: needs 64 bytes for its copy of the parameters, 0 are free: raise "capacity" of the Arena';
    for (let t = 0; t < 2; t++) expect(() => lookahead.step()).toThrow(new RangeError(remedy));
    const saved = lookahead.stateDict();
    expect(saved).toMatchObject({ steps: 1, tensors: { z: { values: Float32Array.of(4, 4, 4) } } });
    expect([...second.data.z]).toEqual([4, 4, 4]);

    const roomy = new Arena({ capacity: 2 ** 18 });
    const [a, z] = [new ParameterDict({ a: [2] }, { arena: roomy }), new ParameterDict({ z: [3] }, { arena: roomy })];
    z.assign(second.copy());
    z.grad.z.fill(2);
    const inner = new SGD(a);
    inner.addParamGroup({ params: z });
    const next = new Lookahead(inner);
    next.loadStateDict(saved);
    next.step();
    expect([...z.data.z]).toEqual([3, 3, 3]);
  });

  test("goes on from a state dict with the same bits, the optimizer inside included", () => {
    const one = start();
    const build = (params: ParameterDict, options = {}) => new Lookahead(new AdamW(params, { lr: 0.01 }), options);
    const first = build(one.params, { k: 4, alpha: 0.3 });
    for (let t = 0; t < 6; t++) {
      one.draw();
      first.step();
    }
    const saved = structuredClone({ params: one.params.copy(), lookahead: first.stateDict() });
    expect(saved.lookahead).toMatchObject({ format: "gradstep/lookahead", version: 1, k: 4, alpha: 0.3, steps: 6 });
    const two = start();
    const second = build(two.params); // k and alpha are saved too
    two.params.assign(saved.params);
    second.loadStateDict(saved.lookahead);
    for (let t = 0; t < 6; t++) {
      one.draw();
      for (const name of one.params.names) two.params.grad[name].set(one.params.grad[name]);
      first.step();
      second.step();
    }
    for (const name of one.params.names) expect(firstDifference(one.params.data[name], two.params.data[name])).toBe(-1);
    expect(second.stateDict()).toEqual(first.stateDict());
  });

  test("a wrong state is refused as a whole", () => {
    const { params, draw } = start();
    const lookahead = new Lookahead(new AdamW(params), { k: 2 });
    draw();
    lookahead.step();
    const saved = lookahead.stateDict();
    const a = { shape: [5], values: new Float32Array(5).fill(9) };
    const wrong: [change: object, error: ErrorConstructor, message: string][] = [
      [{ format: "gradstep/optimizer" }, RangeError, 'Lookahead: "saved.format" expected "gradstep/lookahead"'],
      [{ version: 2 }, RangeError, '"saved.version" expected 1, got 2'],
      [{ k: 0 }, RangeError, '"saved.k" expected a whole number >= 1, got 0'],
      [{ alpha: NaN }, RangeError, '"saved.alpha" expected a number in [0, 1], got NaN'],
      [{ steps: 1.5 }, RangeError, '"saved.steps" expected a whole number >= 0, got 1.5'],
      [{ tensors: { a, b: saved.tensors.b } }, TypeError, '"saved.tensors.c" expected the tensor\'s state'],
      [
        { tensors: { ...saved.tensors, a }, optimizer: { ...saved.optimizer, rule: "Adam" } },
        RangeError,
        'AdamW: "saved.rule" expected "AdamW", got "Adam"',
      ],
      [{ tensors: { ...saved.tensors, a }, optimizer: undefined }, TypeError, 'AdamW: "saved" expected an object'],
    ];
    for (const [change, error, message] of wrong) {
      const load = () => lookahead.loadStateDict({ ...saved, ...change });
      expect(load).toThrow(error);
      expect(load).toThrow(message);
    }
    expect(lookahead.stateDict()).toEqual(saved);
  });

  test("bad arguments", () => {
    const { params } = start();
    const optimizer = new SGD(params);
    const bad: [call: () => unknown, error: ErrorConstructor, message: string][] = [
      [() => new Lookahead(params as never), TypeError, 'Lookahead: "optimizer" expected an optimizer whose step()'],
      [() => new Lookahead(optimizer, { k: 0 }), RangeError, 'Lookahead: "k" expected a whole number >= 1, got 0'],
      [() => new Lookahead(optimizer, { k: "6" as never }), TypeError, '"k" expected a whole number >= 1, got "6"'],
      [() => new Lookahead(optimizer, { alpha: 1.5 }), RangeError, '"alpha" expected a number in [0, 1], got 1.5'],
      [
        () => new Lookahead(optimizer, { beta: 1 } as never),
        RangeError,
        'unknown option "beta". The options are k, alpha',
      ],
      [() => new Lookahead(optimizer, null as never), TypeError, '"options" expected an object, got null'],
    ];
    const { used } = params.arena;
    for (const [call, error, message] of bad) {
      expect(call).toThrow(error);
      expect(call).toThrow(message);
    }
    expect(params.arena.used).toBe(used);
    expect(() => new Lookahead(new LBFGS(new ParameterDict({ a: [1] })) as never)).toThrow(TypeError);
  });

  test("after a dispose, its own or its optimizer's, every use throws; the optimizer outlives it", () => {
    const { params } = start();
    const optimizer = new SGD(params);
    const { used } = params.arena;
    const lookahead = new Lookahead(optimizer);
    const saved = lookahead.stateDict();
    lookahead.dispose();
    lookahead.dispose();
    expect(params.arena.used).toBe(used);
    expect(optimizer.step()).toBe(true);
    const bereft = new Lookahead(optimizer);
    optimizer.dispose();
    for (const [owner, it] of [["Lookahead", lookahead] as const, ["SGD", bereft] as const])
      for (const use of [() => it.step(), () => it.stateDict(), () => it.loadStateDict(saved)])
        expect(use).toThrow(`${owner}: used after dispose()`);
  });

  test("a call that throws adds no tensors: slow weights start at the parameters of the next step that succeeds", () => {
    const arena = new Arena({ capacity: 2 ** 18 });
    const optimizer = new SGD(new ParameterDict({ a: [3] }, { arena }), { lr: 1 });
    const lookahead = new Lookahead(optimizer, { k: 1, alpha: 0.5 });
    const later = new ParameterDict({ b: [1] }, { arena });
    optimizer.addParamGroup({ params: later });
    const saved = lookahead.stateDict();
    const { used } = arena;
    later.data.b[0] = 4;
    expect(() => lookahead.step({ gradScale: NaN })).toThrow(RangeError);
    expect(() => lookahead.loadStateDict({ ...saved, k: 0 })).toThrow(RangeError);
    expect(arena.used).toBe(used);
    later.data.b[0] = 8;
    later.grad.b[0] = 2;
    lookahead.step();
    expect(later.data.b[0]).toBe(7);
  });

  test("a schedule-free rule under evaluation is not stepped", () => {
    const { params, draw } = start();
    const optimizer = new ScheduleFreeSGD(params, { lr: 0.1 });
    const lookahead = new Lookahead(optimizer, { k: 1 });
    draw();
    lookahead.step();
    optimizer.eval();
    const before = params.copy();
    expect(() => lookahead.step()).toThrow("call train() first");
    expect(params.copy()).toEqual(before);
  });
});
