import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { GradstepOptimizer, type GradstepOptions, type RuleName } from "../../src/tfjs/index.js";
import { rules } from "../../src/tfjs/rules.js";
import { bits, onBackends, train, values, variable } from "./setup.js";
import { watchWarnings } from "./warnings.js";

const warnings = watchWarnings();

const stepping = (Object.keys(rules) as RuleName[]).filter((name) => name !== "lbfgs");

/** What saving a model and loading it does to a config: JSON, then names into camel case, strings too. */
function throughModel(config: unknown): tf.serialization.ConfigDict {
  const camel = (text: string) => text.replace(/_+(\w|$)/g, (_, letter: string) => letter.toUpperCase());
  const turn = (value: unknown, key = ""): unknown => {
    if (typeof value === "string") return key === "name" ? value : camel(value);
    if (Array.isArray(value)) return value.map((item) => turn(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([k, item]) => [k === "name" ? k : camel(k), turn(item, k)]));
  };
  return { ...(turn(JSON.parse(JSON.stringify(config))) as object), customObjects: {} };
}

const again = (optimizer: GradstepOptimizer): GradstepOptimizer =>
  GradstepOptimizer.fromConfig(GradstepOptimizer as never, throughModel(optimizer.getConfig()));

test.each(Object.keys(rules) as RuleName[])("%s: a config holds everything", (rule) => {
  const optimizer = new GradstepOptimizer(rule, { lr: 0.5, nonFinite: "skip" });
  optimizer.learningRate = 0.25;
  const copy = again(optimizer);
  expect(copy.rule).toBe(rule);
  expect(copy.learningRate).toBe(0.25);
  expect(copy.getConfig()).toEqual(optimizer.getConfig());
  expect(copy.getConfig().nonFinite).toEqual({ name: "skip" });
});

test("a config holds groups, clipping, and strings that TensorFlow.js would change", () => {
  const optimizer = new GradstepOptimizer("muon", {
    lr: 0.5,
    adjustLr: "match_rms_adamw",
    clipNorm: 2,
    gradScale: 0.5,
    groups: [{ params: ["dense_Dense1/kernel", /_bias$/i], lr: 0.1 }],
  });
  optimizer.paramGroups[1].lr = 0.05;
  const copy = again(optimizer) as GradstepOptimizer<"muon">;
  expect(copy.getConfig()).toEqual(optimizer.getConfig());
  expect(copy.paramGroups[0].adjustLr).toBe("match_rms_adamw");
  expect(copy.paramGroups[1].lr).toBe(0.05);
  expect([copy.clipNorm, copy.gradScale]).toEqual([2, 0.5]);
  const kernel = variable("dense_Dense1/kernel", [2, 2]);
  train(copy, [kernel], 0, 1);
  expect(copy.paramGroups[1].params).toEqual(["dense_Dense1/kernel"]);
  tf.disposeVariables();
});

test("a config has TensorFlow.js's learningRate, and may have 0.1's lr", () => {
  const config = new GradstepOptimizer("sgd", { lr: 0.5, groups: [{ params: ["a"], lr: 0.25 }] }).getConfig();
  expect(config.learningRate).toBe(0.5);
  const read = (given: object) =>
    GradstepOptimizer.fromConfig<GradstepOptimizer>(GradstepOptimizer as never, throughModel(given));
  const rates = (given: object) => read(given).paramGroups.map(({ lr }) => lr);
  expect(rates(config)).toEqual([0.5, 0.25]);
  expect(rates({ ...config, learningRate: 0.1 })).toEqual([0.1, 0.25]);
  const { learningRate, ...rest } = config;
  expect(rates({ ...rest, lr: learningRate })).toEqual([0.5, 0.25]);
  expect(rates(rest)).toEqual([1e-3, 0.25]);
  expect(() => rates({ ...config, lr: 0.1 })).toThrow(
    'GradstepOptimizer: "config.lr" expected nothing beside another learningRate, got 0.1',
  );
});

test("for a pattern that no file may hold, a config has the names that it has matched", () => {
  const optimizer = new GradstepOptimizer("sgd", {
    groups: [{ params: [/(?<!head\/)bias/, "x"] }, { params: /bias/ }],
  });
  const names = ["a/bias", "head/bias", "x", "b/bias"];
  train(
    optimizer,
    names.map((name) => variable(name, [2])),
    0,
    1,
  );
  const members = optimizer.paramGroups.map(({ params }) => params);
  expect(members).toEqual([[], ["a/bias", "x", "b/bias"], ["head/bias"]]);
  const copy = again(optimizer);
  expect(warnings.texts).toEqual([
    "GradstepOptimizer: no file may hold the pattern /(?<!head\\/)bias/; the names it has matched are saved instead",
  ]);
  train(
    copy,
    names.map((name) => tf.engine().registeredVariables[name]),
    0,
    1,
  );
  expect(copy.paramGroups.map(({ params }) => params)).toEqual(members);
  tf.disposeVariables();
});

/** Weights as a saved model holds them. */
async function throughFile(weights: { name: string; tensor: tf.Tensor }[]) {
  const { data, specs } = await tf.io.encodeWeights(weights, "optimizer");
  const tensors = tf.io.decodeWeights(data, specs);
  return specs.map(({ name }) => ({ name, tensor: tensors[name] }));
}

onBackends(() => {
  test.each(stepping)("%s goes on from its weights with the same bits", async (rule) => {
    const shapes = rule === "muon" ? { w: [5, 4] } : { b: [4], w: [5, 4] };
    const variables = Object.entries(shapes).map(([name, shape], i) => variable(name, shape, i));
    const options = { lr: 0.02, clipNorm: 1, groups: [{ params: /b/, weightDecay: 0.1 }] } as GradstepOptions;
    const optimizer = new GradstepOptimizer(rule, options);
    train(optimizer, variables, 0, 3);
    optimizer.learningRate = 0.03;
    const weights = await throughFile(await optimizer.getWeights());
    const start = variables.map((v) => tf.tensor(v.dataSync().slice(), v.shape));
    train(optimizer, variables, 3, 6);
    const expected = bits(variables);

    variables.forEach((v, i) => v.assign(start[i]));
    const resumed = new GradstepOptimizer(rule, options);
    train(resumed, variables, 7, 8);
    variables.forEach((v, i) => v.assign(start[i]));
    await resumed.setWeights(weights);
    expect(resumed.iterations).toBe(3);
    expect(resumed.learningRate).toBe(0.03);
    const names = (list: { name: string }[]) => list.map(({ name }) => name).sort();
    expect(names(await resumed.getWeights())).toEqual(names(weights));
    train(resumed, variables, 3, 6);
    expect(bits(variables)).toEqual(expected);
    expect(resumed.iterations).toBe(6);
  });

  test("lbfgs goes on from its weights with the same bits", async () => {
    const w = variable("w", [6]);
    const loss = () =>
      w
        .sub(tf.tensor(values(6, 3)))
        .pow(4)
        .sum()
        .asScalar();
    const optimizer = new GradstepOptimizer("lbfgs", { maxIter: 3, historySize: 5 });
    optimizer.minimize(loss);
    const weights = await throughFile(await optimizer.getWeights());
    const start = tf.tensor(w.dataSync().slice());
    optimizer.minimize(loss);
    const expected = bits([w]);
    w.assign(start);
    const resumed = new GradstepOptimizer("lbfgs");
    await resumed.setWeights(weights);
    expect(resumed.paramGroups[0].historySize).toBe(5);
    resumed.minimize(loss);
    expect(bits([w])).toEqual(expected);
  });

  test("a saved model goes on beside the one it came from", async () => {
    const make = () => {
      const model = tf.sequential();
      model.add(tf.layers.dense({ units: 5, inputShape: [3], activation: "tanh" }));
      model.add(tf.layers.dense({ units: 2 }));
      return model;
    };
    const x = tf.tensor(values(24, 1), [8, 3]);
    const y = tf.tensor(values(16, 2), [8, 2]);
    const fit = (model: tf.LayersModel) => model.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false });
    const model = make();
    const groups = [{ params: /bias/, weightDecay: 0, lr: 0.05 }];
    const optimizer = new GradstepOptimizer("adamw", { lr: 0.1, weightDecay: 0.1, groups });
    model.compile({ optimizer, loss: "meanSquaredError" });
    await fit(model);
    let artifacts: tf.io.ModelArtifacts = {};
    await model.save(
      tf.io.withSaveHandler((saved) => {
        artifacts = JSON.parse(JSON.stringify({ ...saved, weightData: undefined })) as tf.io.ModelArtifacts;
        artifacts.weightData = saved.weightData ?? [];
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" as const } });
      }),
      { includeOptimizer: true },
    );
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    const restored: unknown = loaded.optimizer;
    if (!(restored instanceof GradstepOptimizer)) throw new Error("another optimizer was loaded");
    expect(restored.iterations).toBe(4);
    await fit(model);
    await fit(loaded);
    const weights = (of: tf.LayersModel) => of.getWeights().map((w) => Array.from(w.dataSync()));
    expect(weights(loaded)).toEqual(weights(model));
    expect(restored.paramGroups[1].params.map((name) => name.replace(/_\d+$/, ""))).toEqual(
      optimizer.paramGroups[1].params.map((name) => name.replace(/_\d+$/, "")),
    );
    expect(restored.paramGroups[1].params[0]).not.toBe(optimizer.paramGroups[1].params[0]);
  });

  test("weights do not depend on the names of classes, which a bundler changes", async () => {
    const name = Object.getOwnPropertyDescriptor(rules.adam, "name") ?? {};
    Object.defineProperty(rules.adam, "name", { value: "a", configurable: true });
    try {
      const w = variable("w", [4]);
      const optimizer = new GradstepOptimizer("adam");
      train(optimizer, [w], 0, 2);
      const resumed = again(optimizer);
      await resumed.setWeights(await optimizer.getWeights());
      expect(resumed.iterations).toBe(2);
    } finally {
      Object.defineProperty(rules.adam, "name", name);
    }
  });

  test("weights that do not fit change nothing", async () => {
    const w = variable("w", [4]);
    const optimizer = new GradstepOptimizer("adam", { lr: 0.1 });
    train(optimizer, [w], 0, 2);
    const weights = await throughFile(await optimizer.getWeights());
    const [iter, numbers, ...slots] = weights;
    const json = (numbers.tensor.dataSync() as unknown as string[])[0];
    const changed = (from: string, to: string) => [
      iter,
      { name: "gradstep", tensor: tf.scalar(json.replace(from, to), "string") },
      ...slots,
    ];
    const before = bits([w]);
    const refused: [unknown, string][] = [
      [{}, '"weights" expected an array'],
      [null, '"weights" expected an array of named tensors, as getWeights() gives, got null'],
      [undefined, '"weights" expected an array of named tensors, as getWeights() gives, got undefined'],
      [[null], '"weights[0]" expected a tensor with its name, as getWeights() gives, got null'],
      [[iter, { name: "gradstep", tensor: null }], '"weights[1]" expected a tensor with its name'],
      [[tf.scalar(1)], '"weights[0]" expected a tensor with its name'],
      [[], '"weights" expected a tensor "iter"'],
      [[iter], '"weights" expected a tensor "gradstep"'],
      [[iter, numbers, slots[0]], '"weights" expected a tensor "w/expAvgSq"'],
      [[iter, numbers, slots[0], { ...slots[1], tensor: tf.ones([5]) }], "expected a Float32Array of 4"],
      [changed('"Adam"', '"NAdam"'), '"gradstep.rule" expected "adam", got "nadam"'],
      [changed('"lr": 0.1', '"lr": -1'), '"lr" expected a finite number >= 0'],
      [changed('"step": 2', '"step": -2'), '"saved.state.w.step" expected a whole number >= 0'],
      [changed("{", "["), 'weight "gradstep" is no JSON'],
    ];
    for (const [given, message] of refused) await expect(optimizer.setWeights(given as never)).rejects.toThrow(message);
    const other = new GradstepOptimizer("adam", { groups: [{ params: ["w"] }] });
    await expect(other.setWeights(weights)).rejects.toThrow('"gradstep.groups" expected 2 groups');
    train(optimizer, [w], 2, 3);
    const after = bits([w]);

    await optimizer.setWeights(weights);
    w.dispose();
    const wide = variable("w", [2, 2]);
    expect(() => train(optimizer, [wide], 0, 1)).toThrow(
      '"w" expected shape [4], as in the loaded weights, got [2, 2]',
    );
    wide.dispose();
    const restored = tf.variable(tf.tensor(new Float32Array(before[0].buffer)), true, "w");
    train(optimizer, [restored], 2, 3);
    expect(bits([restored])).toEqual(after);
  });

  test("names that differ in their last number find their state, several by order", async () => {
    const options = { lr: 1, momentum: 0.9, groups: [{ params: ["k"], lr: 0.1 }] };
    const from = new GradstepOptimizer("sgd", options);
    train(from, [variable("k", [2]), variable("u_1", [2]), variable("u_2", [2])], 0, 2);
    const weights = await throughFile(await from.getWeights());
    const to = new GradstepOptimizer("sgd", options);
    await to.setWeights(weights);
    train(to, [variable("k_3", [2]), variable("u_7", [2]), variable("u_8", [2])], 2, 3);
    expect(to.paramGroups.map(({ params }) => params)).toEqual([["u_7", "u_8"], ["k_3"]]);
    const state = Object.fromEntries((await to.getWeights()).map(({ name, tensor }) => [name, tensor]));
    expect(Object.keys(state)).toEqual(expect.arrayContaining(["k_3/momentumBuffer", "u_7/momentumBuffer"]));
    const numbers = JSON.parse((state.gradstep.dataSync() as unknown as string[])[0]) as {
      tensors: { name: string; step: number }[];
    };
    const steps = Object.fromEntries(numbers.tensors.map(({ name, step }) => [name, step]));
    expect(steps).toEqual({ k_3: 3, u_7: 3, u_8: 3 });
  });
});
