// Loaded state finds its variables under new names, and for each model of a shared optimizer.
import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { GradstepOptimizer, type RuleName } from "../../src/tfjs/index.js";
import { bits, onBackends, train, values, variable } from "./setup.js";
import { watchWarnings } from "./warnings.js";

const warnings = watchWarnings();

/** A layer of two weights with the given names. */
class Two extends tf.layers.Layer {
  static readonly className = "Two";
  readonly names: string[];
  #weights: tf.LayerVariable[] = [];

  constructor(config: { names?: string[]; inputShape?: tf.Shape; name?: string }) {
    super(config);
    this.names = config.names ?? ["w_1", "w_2"];
  }
  override build(): void {
    this.#weights = this.names.map((name, i) =>
      this.addWeight(name, [3, 3], "float32", tf.initializers.glorotNormal({ seed: i + 1 })),
    );
    this.built = true;
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => this.#weights.reduce((y, w) => tf.matMul(y, w.read()).tanh(), Array.isArray(x) ? x[0] : x));
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), names: this.names.map((name) => ({ name })) };
  }
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls({ ...config, names: (config.names as { name: string }[]).map(({ name }) => name) });
  }
}
tf.serialization.registerClass(Two);

const data = () => {
  const x = tf.tensor(values(24, 1), [8, 3]);
  return { x, y: x.sum(1, true).tanh() };
};
const fit = async (model: tf.LayersModel, epochs = 3) => {
  const { x, y } = data();
  await model.fit(x, y, { epochs, batchSize: 4, shuffle: false });
};
const compile = (model: tf.LayersModel, optimizer: tf.Optimizer): void =>
  model.compile({ optimizer, loss: "meanSquaredError" });
const save = async (model: tf.LayersModel): Promise<tf.io.ModelArtifacts> => {
  let saved: tf.io.ModelArtifacts = {};
  const handler = tf.io.withSaveHandler((artifacts) => {
    saved = JSON.parse(JSON.stringify({ ...artifacts, weightData: undefined })) as tf.io.ModelArtifacts;
    saved.weightData = tf.io.CompositeArrayBuffer.join(artifacts.weightData).slice(0);
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" as const } });
  });
  await model.save(handler, { includeOptimizer: true });
  return saved;
};
const load = (saved: tf.io.ModelArtifacts) => tf.loadLayersModel(tf.io.fromMemory(saved));
const weights = (model: tf.LayersModel) =>
  model.getWeights().map((w) => new Uint32Array(Float32Array.from(w.dataSync()).buffer));
const numbers = async (optimizer: tf.Optimizer) => {
  const [, { tensor }] = await optimizer.getWeights();
  const json = JSON.parse((tensor.dataSync() as unknown as string[])[0]) as {
    tensors: { name: string; step: number }[];
  };
  return Object.fromEntries(json.tensors.map(({ name, step }) => [name, step]));
};

const models: Record<string, () => tf.LayersModel> = {
  "weights with numbers in their names": () =>
    tf.sequential({ layers: [new Two({ inputShape: [3] }), tf.layers.dense({ units: 1 })] }),
  "layers without names": () =>
    tf.sequential({
      layers: [3, 3, 1].map((units) => tf.layers.dense({ units, inputShape: [3], activation: "tanh" })),
    }),
  "a model in a model, and norms": () => {
    const inner = tf.sequential({
      layers: [tf.layers.dense({ units: 3, inputShape: [3] }), tf.layers.batchNormalization(), new Two({})],
    });
    return tf.sequential({ layers: [inner, tf.layers.dense({ units: 1 })] });
  },
  "a recurrent layer": () =>
    tf.sequential({
      layers: [
        tf.layers.reshape({ targetShape: [3, 1], inputShape: [3] }),
        tf.layers.gru({ units: 3 }),
        tf.layers.dense({ units: 1 }),
      ],
    }),
};

onBackends((backend) => {
  test.each(Object.keys(models))("%s: a loaded model goes on beside the first, with the same bits", async (name) => {
    const first = models[name]();
    compile(first, new GradstepOptimizer("adam", { lr: 0.05 }));
    await fit(first);
    const saved = await save(first);
    const loaded = await load(saved);
    const twice = await load(await save(loaded));
    for (const model of [first, loaded, twice]) await fit(model);
    expect(weights(loaded)).toEqual(weights(first));
    expect(weights(twice)).toEqual(weights(first));
    expect(warnings.texts).toEqual([]);
  });

  test.each([0, 1, 2])("model %i of three that share an optimizer goes on with its own state", async (which) => {
    const optimizer = new GradstepOptimizer("adam", { lr: 0.05 });
    const three = [0, 1, 2].map(() => {
      const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [3], name: "lp" })] });
      compile(model, optimizer);
      return model;
    });
    for (const [i, model] of three.entries()) await fit(model, 1 + i);
    const saved = await save(three[which]);
    // As in a process of its own, where the variables have the first one's names.
    const names = three[0].trainableWeights.map(({ name }) => name);
    const start = tf.io.decodeWeights(saved.weightData as ArrayBuffer, saved.weightSpecs!);
    tf.disposeVariables();
    const fresh = ["lp/kernel", "lp/bias"].map((name, i) => tf.variable(start[name], true, names[i]));
    const resumed = GradstepOptimizer.fromConfig<GradstepOptimizer>(GradstepOptimizer as never, optimizer.getConfig());
    const specs = saved.weightSpecs as (tf.io.WeightsManifestEntry & { group?: string })[];
    await resumed.setWeights(
      specs.filter(({ group }) => group === "optimizer").map(({ name }) => ({ name, tensor: start[name] })),
    );
    const { x, y } = data();
    const loss = (at: number): tf.Scalar => {
      const guess = tf.matMul(x.slice(at, 4), fresh[0]).add(fresh[1]);
      return tf.losses.meanSquaredError(y.slice(at, 4), guess).asScalar();
    };
    for (const at of [0, 4]) resumed.minimize(() => loss(at), false, fresh);
    expect((await numbers(resumed))[names[0]]).toBe(2 * (1 + which) + 2);
    expect(warnings.texts).toEqual([]);
  });

  test("state finds variables by values, full names, names without numbers and order, and warns once about the rest", async () => {
    const steps = async (before: string[], after: string[], keepValues = false) => {
      const from = new GradstepOptimizer("sgd", { lr: 1, momentum: 0.9 });
      before.forEach((name, i) =>
        train(
          from,
          before.slice(0, i + 1).map((n) => tf.engine().registeredVariables[n] ?? variable(n, [2], n.length)),
          0,
          1,
        ),
      );
      const kept = before.map((name) => tf.engine().registeredVariables[name].dataSync().slice());
      const saved = await from.getWeights();
      tf.disposeVariables();
      const to = new GradstepOptimizer("sgd", { lr: 1, momentum: 0.9 });
      await to.setWeights(saved);
      const fresh = after.map((name, i) =>
        keepValues ? tf.variable(tf.tensor(kept[i]), true, name) : variable(name, [2], 99 + i),
      );
      train(to, fresh, 0, 1);
      train(to, fresh, 0, 1);
      const found = await numbers(to);
      tf.disposeVariables();
      return after.map((name) => found[name] - 2);
    };
    expect(await steps(["a", "b"], ["b", "a"])).toEqual([1, 2]);
    expect(await steps(["w_1", "w_2"], ["w_1_1", "w_2_1"])).toEqual([2, 1]);
    expect(await steps(["w_1_1", "w_2_1"], ["w_1", "w_2"])).toEqual([2, 1]);
    expect(await steps(["w", "w_1"], ["w_2", "w_3"])).toEqual([2, 1]);
    expect(await steps(["w", "w_1"], ["w_1", "w_2"], true)).toEqual([2, 1]);
    expect(
      await steps(["dense_Dense1/kernel", "dense_Dense2/kernel"], ["dense_Dense3/kernel", "dense_Dense4/kernel"]),
    ).toEqual([2, 1]);
    expect(await steps(["0", "1"], ["7", "8"])).toEqual([2, 1]);
    expect(warnings.texts).toEqual([]);
    expect(await steps(["a", "b", "c"], ["x", "b"])).toEqual([0, 2]);
    expect(warnings.texts).toEqual([
      'GradstepOptimizer: no saved state was found for "x", which start from none; no variable has taken the saved state of "a", "c" yet',
    ]);
  });

  test("files of 0.1, which have no values and models, load by names", async () => {
    const w = variable("w", [4]);
    const optimizer = new GradstepOptimizer("schedulefreeadamw", { lr: 0.1 });
    train(optimizer, [w], 0, 3);
    optimizer.eval();
    const [iter, rest, ...slots] = await optimizer.getWeights();
    const { lr, ...config } = { lr: 0.1, ...optimizer.getConfig(), learningRate: 0.1 };
    const old = (rest.tensor.dataSync() as unknown as string[])[0].replace(/"(values|model)"/g, '"no$1"');
    const resumed = GradstepOptimizer.fromConfig<GradstepOptimizer>(GradstepOptimizer as never, { ...config, lr });
    await resumed.setWeights([iter, { name: "gradstep", tensor: tf.scalar(old, "string") }, ...slots]);
    const average = w.dataSync().slice();
    resumed.train();
    const training = bits([w]);
    w.assign(tf.tensor(average));
    optimizer.train();
    expect(bits([w])).toEqual(training);
    expect(warnings.texts).toEqual([]);
  });

  test.each<RuleName>(["schedulefreeadamw", "schedulefreesgd"])(
    "%s: eval(), save, load, train() goes on as if never saved",
    async (rule) => {
      const model = models["weights with numbers in their names"]();
      const optimizer = new GradstepOptimizer(rule, { lr: 0.05 });
      compile(model, optimizer);
      await fit(model);
      optimizer.eval();
      const saved = await save(model);
      const beside = await load(saved);
      const [average, original] = [weights(beside), weights(model)];
      expect(average).toEqual(original);
      const loadedOptimizer = beside.optimizer as unknown as GradstepOptimizer;
      loadedOptimizer.train();
      expect(weights(model), "the first model's variables are its own").toEqual(original);
      optimizer.train();
      expect(weights(beside)).toEqual(weights(model));
      await fit(beside);
      await fit(model);
      expect(weights(beside)).toEqual(weights(model));
      loadedOptimizer.eval();
      optimizer.eval();
      expect(weights(beside)).toEqual(weights(model));
      expect(warnings.texts).toEqual([]);
    },
  );

  test("train() of a loaded schedule-free optimizer reaches variables that are made later", async () => {
    const w = variable("w", [4]);
    const optimizer = new GradstepOptimizer("schedulefreeadamw", { lr: 0.1 });
    train(optimizer, [w], 0, 3);
    optimizer.eval();
    const [average, saved] = [w.dataSync().slice(), await optimizer.getWeights()];
    optimizer.train();
    train(optimizer, [w], 3, 5);
    const expected = bits([w]);
    tf.disposeVariables();
    const resumed = new GradstepOptimizer("schedulefreeadamw");
    await resumed.setWeights(saved);
    resumed.train();
    const later = tf.variable(tf.tensor(average), true, "w");
    train(resumed, [later], 3, 5);
    expect(bits([later])).toEqual(expected);
  });

  test("a model loads in debug mode, and the mode stays on", async () => {
    const model = models["layers without names"]();
    compile(model, new GradstepOptimizer("adam", { lr: 0.05 }));
    await fit(model);
    const saved = await save(model);
    const flag = "TENSORLIKE_CHECK_SHAPE_CONSISTENCY";
    tf.env().set(flag, true);
    try {
      const loaded = await load(saved);
      expect(tf.env().getBool(flag)).toBe(true);
      expect(loaded.optimizer.iterations).toBe(6);
    } finally {
      tf.env().set(flag, false);
    }
    expect(backend).toBe(tf.getBackend());
  });
});
