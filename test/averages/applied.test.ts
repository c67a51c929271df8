// While an average stands in for parameters, nobody takes its values for those that are trained, nor loses these.
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import {
  Adam,
  Arena,
  LBFGS,
  Lookahead,
  ParameterDict,
  SGD,
  ScheduleFreeSGD,
  WeightAverage,
  WeightEma,
} from "../../src/index.js";

const kinds = {
  WeightEma: (params: ParameterDict) => new WeightEma(params, { decay: 0.5 }),
  WeightAverage: (params: ParameterDict) => new WeightAverage(params),
};
const entries = Object.entries(kinds) as [keyof typeof kinds, (typeof kinds)["WeightEma"]][];

/** An optimizer that has taken four steps of −1, and its average. */
function trained(make: (params: ParameterDict) => WeightEma | WeightAverage = kinds.WeightEma, options = {}) {
  const params: ParameterDict = new ParameterDict({ w: [3], v: [2] }, options);
  const optimizer = new SGD(params, { lr: 1 });
  const average = make(params);
  for (let t = 0; t < 4; t++) {
    params.grad.w.fill(1);
    optimizer.step();
    average.update();
  }
  return { params, optimizer, average };
}

describe.each(entries)("while a %s is applied", (kind, make) => {
  const cure = `a ${kind} is applied to "w": call its restore() first`;

  test("training, saving, loading or averaging its values is refused and changes nothing", () => {
    const { params, optimizer, average } = trained(make, { slots: 20 });
    const other = new WeightEma(params.subset(["w"]));
    const fresh = new WeightAverage(params);
    other.update();
    const [checkpoint, state, otherState] = [
      save(params, { optimizers: [optimizer] }),
      optimizer.stateDict(),
      other.stateDict(),
    ];
    const before = params.copy();
    average.apply();
    const applied = params.copy();
    expect(applied).not.toEqual(before);
    const refused: [call: () => unknown, owner: string][] = [
      [() => optimizer.step(), "SGD"],
      [() => optimizer.step({ average: other, skip: ["w"] }), "SGD"],
      [() => optimizer.stateDict(), "SGD"],
      [() => optimizer.loadStateDict(state), "SGD"],
      [() => save(params, { optimizers: [optimizer] }), "save"],
      [() => load(checkpoint, params, { optimizers: [optimizer] }), "load"],
      [() => load(save(params), params), "load"],
      [() => params.assign({ w: [1, 2, 3] }), "ParameterDict"],
      [() => new Lookahead(optimizer), "Lookahead"],
      [() => other.update(), "WeightEma"],
      [() => other.apply(), "WeightEma"],
      [() => fresh.update(), "WeightAverage"],
    ];
    const { used } = params.arena;
    for (const [call, owner] of refused) expect(call, String(call)).toThrow(new Error(`${owner}: ${cure}`));
    expect(params.copy()).toEqual(applied);
    expect(params.arena.used).toBe(used);
    expect(optimizer.state("w").step).toBe(4);
    average.restore();
    expect(params.copy()).toEqual(before);
    expect([optimizer.stateDict(), other.stateDict()]).toEqual([state, otherState]);
    for (const [call] of refused.slice(0, -2)) call();
  });

  test("its values can be saved alone, as an export, with the average's own state beside them", () => {
    const { params, average } = trained(make);
    average.apply();
    const bytes = save(params, { extra: { average: average.stateDict() } });
    const { params: elsewhere, average: next } = trained(make);
    next.loadStateDict(load(bytes, elsewhere).extra.average as never);
    expect(elsewhere.copy()).toEqual(params.copy());
    expect(next.stateDict()).toEqual(average.stateDict());
    expect(params.copy().w).toEqual(average.values.w);
  });

  test("a step of any optimizer of its tensors is refused, Lookahead and LBFGS included, also midway", () => {
    const params: ParameterDict = new ParameterDict({ w: [3] }, { slots: 30 });
    const inner = new SGD(params, { lr: 1 });
    const lookahead = new Lookahead(inner, { k: 1 });
    const average = make(params);
    average.update();
    average.apply();
    for (const call of [
      () => lookahead.step(),
      () => lookahead.stateDict(),
      () => lookahead.loadStateDict({} as never),
    ])
      expect(call).toThrow(`Lookahead: ${cure}`);
    average.restore();
    lookahead.step();
    inner.dispose();

    const lbfgs = new LBFGS(params, { historySize: 2 });
    average.apply();
    let calls = 0;
    expect(() => lbfgs.step(() => ++calls)).toThrow(`LBFGS: ${cure}`);
    expect(calls).toBe(0);
    average.restore();
    expect(() => lbfgs.step(() => (average.apply(), 1))).toThrow(`LBFGS: ${cure}`);
    average.restore();
    expect(lbfgs.step(() => 1)).toBe(1);
  });

  test("an average of some tensors blocks only those, and no other optimizers in the arena", () => {
    const arena = new Arena({ capacity: 2 ** 18 });
    const params: ParameterDict = new ParameterDict({ v: [2], w: [3] }, { arena });
    const [ofV, ofW] = [new SGD(params.subset(["v"]), { lr: 1 }), new SGD(params.subset(["w"]), { lr: 1 })];
    const [average, other] = [make(params.subset(["w"])), new WeightEma(params.subset(["v"]))];
    for (const each of [average, other]) each.update();
    average.apply();
    params.grad.v.fill(1);
    expect(ofV.step({ average: other })).toBe(true);
    expect(params.data.v[0]).toBe(-1);
    other.apply();
    other.restore();
    params.assign({ v: [5, 5] });
    expect(ofV.stateDict().rule).toBe("SGD");
    expect(() => ofW.step()).toThrow(`SGD: ${cure}`);
    // The file would have the average of "w" among the parameters that "v" is trained with.
    expect(() => save(params, { optimizers: [ofV] })).toThrow(`save: ${cure}`);
    expect(save(params.subset(["v"]), { optimizers: [ofV] }).length).toBeGreaterThan(0);
    average.restore();
    expect(ofW.step()).toBe(true);
    expect(arena.applied).toBe(0);
  });

  test("a schedule-free rule cannot switch between train() and eval()", () => {
    const params: ParameterDict = new ParameterDict({ w: [3] });
    const optimizer = new ScheduleFreeSGD(params, { lr: 0.5 });
    const plain = new Adam(new ParameterDict({ w: [3] }));
    const average = make(params);
    for (let t = 0; t < 3; t++) {
      params.grad.w.fill(t + 1);
      optimizer.step({ average });
    }
    average.apply();
    expect(() => optimizer.eval()).toThrow(`ScheduleFreeSGD: ${cure}`);
    optimizer.train(); // it does nothing
    average.restore();
    optimizer.eval();
    const evaluated = params.copy();
    average.apply();
    expect(() => optimizer.train()).toThrow(`ScheduleFreeSGD: ${cure}`);
    plain.eval();
    plain.train();
    average.restore();
    expect(params.copy()).toEqual(evaluated);
    optimizer.train();
    expect(optimizer.step()).toBe(true);
  });

  test("when it is disposed of, the parameters keep its values and training continues from them", () => {
    const { params, optimizer, average } = trained(make);
    average.apply();
    const { w } = params.copy();
    average.dispose();
    expect(optimizer.step()).toBe(true);
    expect(params.data.w[0]).toBe(w[0] - 1);
    expect(params.arena.applied).toBe(0);
  });
});

test("averages of no tensors count too", () => {
  const params: ParameterDict = new ParameterDict({ w: [3] });
  const average = new WeightEma(params.subset([]));
  average.update();
  average.apply();
  expect(() => average.apply()).toThrow("apply() twice");
  average.restore();
  expect(params.arena.applied).toBe(0);
});
