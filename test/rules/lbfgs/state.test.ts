import { describe, expect, test } from "vitest";
import { LBFGS, type LBFGSOptions, Optimizer, ParameterDict, SGD, StepOptimizer } from "../../../src/index.js";
import { firstDifference } from "../../support/harness.js";
import { from, rosenbrock, ten, wolfe } from "../rosenbrock.js";

describe("state", () => {
  test("resumes with the same bits, with a full ring", () => {
    for (const options of [wolfe, { ...wolfe, historySize: 3 }, { lr: 0.1, historySize: 4 }]) {
      const some = { ...options, maxIter: 3 };
      const [one, two] = [from(ten, { a: [3], b: [7] }), from(ten, { a: [3], b: [7] })];
      const first = new LBFGS(one, some);
      const second = new LBFGS(two, { ...some, maxIter: 7, lr: 9 });
      for (let k = 0; k < 5; k++) first.step(rosenbrock(one));
      const saved = structuredClone({ params: one.copy(), optimizer: first.stateDict() });
      two.assign(saved.params);
      second.loadStateDict(saved.optimizer);
      for (let k = 0; k < 5; k++) expect(second.step(rosenbrock(two))).toBe(first.step(rosenbrock(one)));
      for (const name of one.names) expect(firstDifference(one.data[name], two.data[name])).toBe(-1);
      expect(second.stateDict()).toEqual(first.stateDict());
    }
  });

  test("refuses an impossible ring and bad numbers", () => {
    const params = from([-1.2, 1]);
    const optimizer = new LBFGS(params, { ...wolfe, historySize: 3 });
    optimizer.step(rosenbrock(params));
    const saved = optimizer.stateDict();
    const [group] = saved.groups;
    const wrong: [shared: object, message: string][] = [
      [{ historyLength: 4 }, 'shared.historyLength" expected at most 3, got 4'],
      [{ historyStart: 3 }, 'shared.historyStart" expected a row below 3, got 3'],
      [{ historyStart: 0.5 }, 'shared.historyStart" expected a whole number >= 0, got 0.5'],
      [{ historyLength: -1 }, 'shared.historyLength" expected a whole number >= 0, got -1'],
      [{ nIter: Infinity }, 'shared.nIter" expected a whole number >= 0, got Infinity'],
      [{ t: "1" }, 'shared.t" expected a number, got "1"'],
      [{ ro: 1 }, 'shared" expected only nIter'],
    ];
    for (const [shared, message] of wrong) {
      const groups = [{ ...group, shared: { ...group.shared, ...shared } }];
      expect(() => optimizer.loadStateDict({ ...saved, groups })).toThrow(`LBFGS: "saved.groups[0].${message}`);
    }
    const options = { ...group.options, historySize: 5 };
    expect(() => optimizer.loadStateDict({ ...saved, groups: [{ ...group, options }] })).toThrow(RangeError);
    expect(optimizer.stateDict()).toEqual(saved);
  });

  test("needs as many slots as documented", () => {
    const shapes = { a: [50000], b: [1000, 300] };
    const optimizer = new LBFGS(new ParameterDict(shapes, { slots: 2 * 10 + 5 }), wolfe);
    expect((optimizer.state("b").oldDirs as Float32Array).length).toBe(3_000_000);
    const little = new ParameterDict(shapes);
    const { used } = little.arena;
    expect(() => new LBFGS(little, wolfe)).toThrow(
      /^LBFGS: needs \d+ bytes for its state.*raise "slots" of the ParameterDict/,
    );
    // Room for the state but not for the scratch memory: both are released, and the tensors are free.
    const tight = new ParameterDict(shapes, { slots: 2 * 10 + 2 });
    expect(() => new LBFGS(tight, wolfe)).toThrow(/^LBFGS: needs \d+ bytes for its scratch/);
    for (const params of [little, tight]) {
      expect(params.arena.used).toBe(used);
      new SGD(params).step();
    }
  });
});

describe("options", () => {
  test("defaults are PyTorch's", () => {
    expect({ ...new LBFGS(from([1])).paramGroups[0] }).toEqual({
      lr: 1,
      maxIter: 20,
      maxEval: 25,
      historySize: 100,
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      lineSearch: null,
      maximize: false,
      dialect: "torch",
      params: ["x"],
    });
    const evaluations = (options: LBFGSOptions) => new LBFGS(from([1]), options).paramGroups[0].maxEval;
    expect(evaluations({ maxIter: 10 })).toBe(12);
    expect(evaluations({ maxIter: 1 })).toBe(1);
    expect(evaluations({ maxIter: 10, maxEval: 3 })).toBe(3);
    expect(evaluations({ maxIter: undefined, maxEval: undefined })).toBe(25);
  });

  test("bad options throw and take no memory", () => {
    const params = from([1]);
    const { used } = params.arena;
    const wrong: [options: unknown, error: ErrorConstructor, message: string][] = [
      [{ lr: -1 }, RangeError, 'LBFGS: "lr" expected a finite number >= 0, got -1'],
      [{ maxIter: 0 }, RangeError, 'LBFGS: "maxIter" expected a whole number >= 1, got 0'],
      [{ maxIter: NaN }, RangeError, 'LBFGS: "maxIter" expected a whole number >= 1, got NaN'],
      [{ maxIter: "20" }, TypeError, 'LBFGS: "maxIter" expected a whole number >= 1, got "20"'],
      [{ maxEval: 0 }, RangeError, 'LBFGS: "maxEval" expected a whole number >= 1, got 0'],
      [{ historySize: 0 }, RangeError, 'LBFGS: "historySize" expected a whole number >= 1, got 0'],
      [{ toleranceGrad: -1 }, RangeError, '"toleranceGrad" expected a finite number >= 0, got -1'],
      [{ toleranceChange: NaN }, RangeError, '"toleranceChange" expected a finite number >= 0, got NaN'],
      [{ lineSearch: "wolfe" }, RangeError, 'LBFGS: "lineSearch" expected one of "strong-wolfe", got "wolfe"'],
      [{ lineSearch: true }, TypeError, 'LBFGS: "lineSearch" expected one of "strong-wolfe", got true'],
      [{ weightDecay: 0.1 }, RangeError, 'LBFGS: unknown option "weightDecay"'],
      [{ lr: 1e39 }, RangeError, 'LBFGS: "lr" expected a finite number >= 0 that float32 can hold, got 1e+39'],
      [{ maximize: 1 }, TypeError, 'LBFGS: "maximize" expected true or false, got 1'],
      [{ dialect: "keras" }, RangeError, 'LBFGS: "dialect" expected one of "torch", got "keras"'],
      [{ groups: [{ params: ["x"] }] }, RangeError, 'LBFGS: "groups" expected nothing'],
      [null, TypeError, 'LBFGS: "options" expected an object, got null'],
      [new Map([["lr", 1]]), TypeError, 'LBFGS: "options" expected an object, got a Map'],
    ];
    for (const [options, error, message] of wrong) {
      expect(() => new LBFGS(params, options as LBFGSOptions)).toThrow(error);
      expect(() => new LBFGS(params, options as LBFGSOptions)).toThrow(message);
    }
    expect(params.arena.used).toBe(used);
  });

  test("has one group", () => {
    const params = from([1, 2], { a: [1], b: [1] });
    const optimizer = new LBFGS(params.subset(["a"]));
    expect(() => (optimizer as unknown as Optimizer).addParamGroup({ params: params.subset(["b"]) })).toThrow(
      "LBFGS: has one parameter group",
    );
    expect(optimizer.paramGroups).toHaveLength(1);
    expect(optimizer).toBeInstanceOf(Optimizer);
    expect(optimizer).not.toBeInstanceOf(StepOptimizer);
    optimizer.dispose();
    expect(() => optimizer.step(() => 0)).toThrow("LBFGS: used after dispose()");
    new SGD(params).step();
  });
});
