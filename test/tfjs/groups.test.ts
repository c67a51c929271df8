import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import * as gradstep from "../../src/index.js";
import { CosineAnnealingLR, LinearLR, ReduceLROnPlateau, StepLR } from "../../src/schedule/index.js";
import { GradstepOptimizer } from "../../src/tfjs/index.js";
import { onBackends, train, values, variable } from "./setup.js";
import { watchWarnings } from "./warnings.js";

const warnings = watchWarnings();

onBackends(() => {
  test("groups by name and by pattern are the class's groups", () => {
    const names = ["dense/kernel", "dense/bias", "norm/gamma", "head"];
    const variables = names.map((name, i) => variable(name, [3], i + 1));
    const optimizer = new GradstepOptimizer("adamw", {
      lr: 0.1,
      weightDecay: 0.3,
      groups: [
        { params: /(bias|gamma)$/g, weightDecay: 0 },
        { params: ["head", /^tail/], lr: 0.01 },
      ],
    });
    train(optimizer, variables.slice(0, 2), 0, 2);
    train(optimizer, variables, 2, 6);
    expect(optimizer.paramGroups.map(({ params }) => params)).toEqual([
      ["dense/kernel"],
      ["dense/bias", "norm/gamma"],
      ["head"],
    ]);

    const params = new gradstep.ParameterDict(Object.fromEntries(names.map((name) => [name, [3]])));
    names.forEach((name, i) => params.data[name].set(values(3, i + 1)));
    const plain = new gradstep.AdamW(params, {
      lr: 0.1,
      weightDecay: 0.3,
      groups: [
        { params: names.slice(1, 3), weightDecay: 0 },
        { params: ["head"], lr: 0.01 },
      ],
    });
    for (let t = 0; t < 6; t++) {
      names.forEach((name, i) => params.grad[name].set(values(3, t + i / 7)));
      plain.step({ skip: t < 2 ? names.slice(2) : [] });
    }
    expect(variables.map((v) => Array.from(v.dataSync()))).toEqual(names.map((name) => Array.from(params.data[name])));
  });

  test("a schedule sets the rates of an optimizer while variables are added", () => {
    const optimizer = new GradstepOptimizer("sgd", { lr: 1, groups: [{ params: /bias/, lr: 0.5 }] });
    const schedule = new CosineAnnealingLR(optimizer, { tMax: 4 });
    const w = variable("w", [1]);
    const moves = [];
    for (let t = 0; t < 5; t++) {
      const bias = t === 2 ? [variable("bias", [1])] : [];
      const before = w.dataSync()[0];
      optimizer.applyGradients(Object.fromEntries([w, ...bias].map(({ name }) => [name, tf.ones([1])])));
      moves.push(before - w.dataSync()[0]);
      schedule.step();
    }
    const cosine = [1, 0.5 + Math.SQRT1_2 / 2, 0.5, 0.5 - Math.SQRT1_2 / 2, 0];
    expect(moves).toEqual(cosine.map((lr) => expect.closeTo(lr, 5) as number));
    const saved = schedule.stateDict();
    schedule.loadStateDict(saved);
    expect(schedule.lastLr).toEqual(optimizer.paramGroups.map(({ lr }) => lr));
  });
});

onBackends(() => {
  test.each<[string[], (string | RegExp)[], string[]]>([
    [
      ["head/kernel", "head/bias"],
      ["head/kernel", "head/bias"],
      ["head/kernel", "head/bias"],
    ],
    [
      ["head/kernel_1", "head/bias_1"],
      ["head/kernel", "head/bias"],
      ["head/kernel_1", "head/bias_1"],
    ],
    [
      ["head/kernel", "head/bias"],
      ["head/kernel_2", "head/bias_2"],
      ["head/kernel", "head/bias"],
    ],
    [["a/bias_3", "a/kernel_3"], [/bias$/], ["a/bias_3"]],
    [["w_1", "w_2", "w_3"], ["w_1"], ["w_1"]],
    [["w_1_1", "w_2_1"], ["w_1"], ["w_1_1"]],
    [["w_1", "w_1_1"], ["w_1_1"], ["w_1_1"]],
  ])("of %j, %j are %j, and nothing is warned of", (names, params, members) => {
    const optimizer = new GradstepOptimizer("sgd", { groups: [{ params }, { params: [] }] });
    train(
      optimizer,
      names.map((name) => variable(name, [2])),
      0,
      1,
    );
    expect(optimizer.paramGroups[1].params).toEqual(members);
    expect(warnings.texts).toEqual([]);
  });

  test("a full name takes precedence over a name without its number, in any group", () => {
    const groups = [{ params: ["w"] }, { params: ["w_1"] }];
    const optimizer = new GradstepOptimizer("sgd", { groups });
    const variables = ["w", "w_1", "w_2"].map((name) => variable(name, [2]));
    train(optimizer, variables, 0, 1);
    expect(optimizer.paramGroups.map(({ params }) => params)).toEqual([[], ["w", "w_2"], ["w_1"]]);
  });

  test("names and patterns that match no variable cause one warning", () => {
    const groups = [{ params: ["head/kernel", "head/bais"] }, { params: /gamma/ }];
    const optimizer = new GradstepOptimizer("sgd", { groups });
    const [kernel, later] = [variable("head/kernel", [2]), variable("later", [2])];
    train(optimizer, [kernel], 0, 2);
    train(optimizer, [kernel, later], 2, 3);
    expect(warnings.texts).toEqual([
      'GradstepOptimizer: no variable has the name or matches the pattern of "groups[0]: head/bais", "groups[1]: /gamma/"',
    ]);
  });
});

test("a second schedule continues from the first, although variables were added in between", () => {
  const rates = [false, true].map((between) => {
    const optimizer = new GradstepOptimizer("sgd", { lr: 1 });
    const first = variable("first", [1]);
    train(optimizer, [first], 0, 1);
    const step = new StepLR(optimizer, { stepSize: 1, gamma: 0.5 });
    step.step();
    if (between) {
      first.dispose();
      train(optimizer, [variable("second", [1])], 0, 1);
    }
    const other = new LinearLR(optimizer, { startFactor: 0.5, totalIters: 4 });
    other.step();
    tf.disposeVariables();
    return optimizer.paramGroups[0].lr;
  });
  expect(rates[1]).toBe(rates[0]);
});

test("a plateau, and learningRate, reach every group", () => {
  const optimizer = new GradstepOptimizer("adam", { lr: 1, groups: [{ params: ["a"], lr: 0.5 }] });
  const plateau = new ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.1 });
  plateau.step(1);
  plateau.step(2);
  expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual([0.1, 0.05]);
  expect(optimizer.learningRate).toBe(0.1);
  optimizer.learningRate = 0.2;
  expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual([0.2, 0.2]);
  optimizer.setLearningRate(0.3);
  expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual([0.3, 0.3]);
  expect(() => optimizer.setLearningRate(-1)).toThrow("expected a finite number >= 0");
  expect(() => optimizer.setLearningRate("1" as never)).toThrow(TypeError);
  expect(optimizer.learningRate).toBe(0.3);
  expect(Object.keys(optimizer.paramGroups[1])).toContain("betas");
  expect(() => (optimizer.paramGroups[1].lr = -1)).toThrow('Adam: "paramGroups[1].lr" expected a finite number >= 0');
  expect(() => (optimizer.paramGroups[1].amsgrad = true)).toThrow("is settled when the optimizer is made");
  expect(() => delete (optimizer.paramGroups[1] as { lr?: number }).lr).toThrow("cannot change");
  expect(() => Object.freeze(optimizer.paramGroups[0])).toThrow("cannot change");
  expect(() => new CosineAnnealingLR({} as never, { tMax: 1 })).toThrow('"optimizer" expected an optimizer');
});

test.each<[unknown, unknown, string]>([
  ["adamx", {}, 'GradstepOptimizer: "rule" expected one of adabelief, adabound, adadelta'],
  ["Adam", {}, 'got "Adam"'],
  ["constructor", {}, 'got "constructor"'],
  [gradstep.Adam, {}, 'GradstepOptimizer: "rule" expected the name of a rule, got a function'],
  ["adam", { learningRate: 1 }, 'Adam: unknown option "learningRate"; did you mean "lr"? The options are lr,'],
  ["adam", { lr: -1 }, 'Adam: "lr" expected a finite number >= 0, got -1'],
  ["adam", null, 'GradstepOptimizer: "options" expected an object'],
  ["adam", { clipNorm: -1 }, 'GradstepOptimizer: "clipNorm" expected a finite number >= 0, got -1'],
  ["adam", { gradScale: "1" }, 'GradstepOptimizer: "gradScale" expected a finite number, got "1"'],
  ["adam", { groups: {} }, '"groups" expected an array of groups'],
  ["adam", { groups: [{ params: "bias" }] }, '"groups[0].params" expected a RegExp, or an array'],
  ["adam", { groups: [{ params: [1] }] }, '"groups[0].params[0]" expected a variable\'s name or a RegExp, got 1'],
  ["adam", { groups: [{ params: ["a"] }, { params: ["a"] }] }, '"groups[1].params[0]" expected each variable once'],
  ["adam", { groups: [{ params: [], betas: [2, 0] }] }, 'Adam: "groups[0].betas[0]" expected'],
  ["lbfgs", { groups: [] }, 'GradstepOptimizer: "groups" expected nothing for "lbfgs"'],
  ["lbfgs", { clipNorm: 1 }, 'GradstepOptimizer: "clipNorm" expected nothing for "lbfgs"'],
])("refuses %o with %o", (rule, options, message) => {
  expect(() => new GradstepOptimizer(rule as "adam", options as object)).toThrow(message);
});
