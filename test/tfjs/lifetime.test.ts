// Overlapping saves, variables that are removed and recreated, and leaks in TensorFlow.js's memory.
import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { GradstepOptimizer, type RuleName } from "../../src/tfjs/index.js";
import { bits, onBackends, train, values, variable } from "./setup.js";

const sink = () =>
  tf.io.withSaveHandler(() =>
    Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" as const } }),
  );

onBackends(() => {
  test("saves may overlap with each other and with training", async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [3] })] });
    const optimizer = new GradstepOptimizer("adam");
    model.compile({ optimizer, loss: "meanSquaredError" });
    const [x, y] = [tf.ones([8, 3]), tf.ones([8, 1])];
    await model.fit(x, y, {});
    const { numTensors, numBytes } = tf.memory();
    const saves: Promise<unknown>[] = [];
    const save = () => saves.push(model.save(sink(), { includeOptimizer: true }));
    const onBatchEnd = () => void save();
    save();
    save();
    await model.fit(x, y, { epochs: 3, batchSize: 4, callbacks: { onBatchEnd } });
    save();
    await expect(Promise.all(saves)).resolves.toHaveLength(9);
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
  });

  test("tensors of getWeights() survive later calls, can be read like any tensor, and can be used in operations", async () => {
    const w = variable("w", [2, 3]);
    const optimizer = new GradstepOptimizer("adam");
    train(optimizer, [w], 0, 1);
    const { numTensors } = tf.memory();
    const weights = await optimizer.getWeights();
    const [iter, numbers, average] = weights.map(({ tensor }) => tensor);
    const before = average.dataSync().slice();
    train(optimizer, [w], 1, 3);
    await optimizer.getWeights();
    expect(tf.memory().numTensors).toBe(numTensors);
    expect([iter.shape, iter.dtype, await iter.data()]).toEqual([[], "int32", Int32Array.of(1)]);
    expect([numbers.shape, numbers.dtype]).toEqual([[], "string"]);
    expect(JSON.parse((await numbers.data<"string">())[0])).toMatchObject({ format: "gradstep/tfjs" });
    expect([average.shape, average.dtype]).toEqual([[2, 3], "float32"]);
    expect(await average.data()).toEqual(before);
    expect(await average.array()).toEqual([Array.from(before.slice(0, 3)), Array.from(before.slice(3))]);
    expect(average).toBeInstanceOf(tf.Tensor);
    average.dataSync().fill(7);
    const twice = tf.tidy(() => average.mul(2).add(average.clone()));
    expect(Array.from(twice.dataSync())).toEqual(Array.from(before, (v) => Math.fround(Math.fround(2 * v) + v)));
    const slope = tf.grad((t) => t.mul(average))(tf.onesLike(average));
    expect(slope.dataSync()).toEqual(before);
    tf.dispose([twice, slope, ...weights.map(({ tensor }) => tensor)]);
    expect(average.isDisposed).toBe(true);
    expect(() => average.dataSync()).toThrow("Tensor is disposed.");
    await expect(numbers.bytes()).rejects.toThrow("Tensor is disposed.");
  });

  test.each<[string, (w: tf.Variable) => void]>([
    ["tf.disposeVariables()", () => tf.disposeVariables()],
    ["variable.dispose()", (w) => w.dispose()],
  ])("%s is noticed, whatever comes next", async (_, end) => {
    const step = (optimizer: GradstepOptimizer) => {
      const w = tf.variable(tf.ones([1000]));
      optimizer.minimize(() => w.square().sum(), false, [w]);
      return w;
    };
    const adam = new GradstepOptimizer("adam");
    for (let i = 0; i < 4; i++) {
      const w = step(adam);
      expect(adam.paramGroups[0].params).toEqual([w.name]);
      end(w);
    }
    const last = step(adam);
    const slots = ["expAvg", "expAvgSq"].map((slot) => `${last.name}/${slot}`);
    expect((await adam.getWeights()).map(({ name }) => name)).toEqual(["iter", "gradstep", ...slots]);
    for (const [rule, then] of [
      ["schedulefreeadamw", (o) => o.eval()],
      ["schedulefreesgd", (o) => o.eval()],
      ["lbfgs", () => undefined],
      ["prodigy", () => undefined],
    ] satisfies [RuleName, (o: GradstepOptimizer) => void][]) {
      const optimizer = new GradstepOptimizer<RuleName>(rule);
      end(step(optimizer));
      then(optimizer);
      optimizer.train();
      step(optimizer);
      then(optimizer);
      expect(optimizer.paramGroups[0].params).toHaveLength(1);
    }
  });

  test.each<RuleName>(["adam", "adan", "nadam", "prodigy", "schedulefreeadamw"])(
    "%s: variables met one by one move as those met at once, in a few arenas",
    (rule) => {
      const optimizers = [0, 1].map(
        () => new GradstepOptimizer<RuleName>(rule, { groups: [{ params: /[02468]$/, weightDecay: 0.1 }] }),
      );
      const [late, early] = ["late", "early"].map((name) =>
        Array.from({ length: 60 }, (_, i) => variable(`${name}${i}`, [i % 7, 5], i)),
      );
      const apply = (optimizer: GradstepOptimizer, list: tf.Variable[], seed: number) =>
        optimizer.applyGradients(
          list.map(({ name, shape, size }) => ({ name, tensor: tf.tensor(values(size, seed), shape) })),
        );
      const { Memory } = WebAssembly;
      let made = 0;
      WebAssembly.Memory = class extends Memory {
        constructor(descriptor: WebAssembly.MemoryDescriptor) {
          super(descriptor);
          made++;
        }
      };
      try {
        // Without a gradient nothing moves and nothing is counted: all are met, and none has stepped.
        const zero = (list: tf.Variable[]) => list.map(({ name, shape }) => ({ name, tensor: tf.zeros(shape) }));
        optimizers[1].applyGradients(zero(early));
        const one = made;
        late.forEach((w) => optimizers[0].applyGradients(zero([w])));
        expect(made - one).toBeLessThan(4);
      } finally {
        WebAssembly.Memory = Memory;
      }
      if (rule === "adam" || rule === "adan" || rule === "nadam") {
        for (let t = 0; t < 3; t++) {
          apply(optimizers[0], late, t);
          apply(optimizers[1], early, t);
        }
        expect(bits(late)).toEqual(bits(early));
      }
      expect(optimizers[0].paramGroups.map(({ params }) => params.length)).toEqual([30, 30]);
      optimizers[0].dispose();
      expect(() => optimizers[0].paramGroups[0].lr).toThrow("used after dispose()");
    },
  );
});
