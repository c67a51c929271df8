import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { GradstepOptimizer } from "../../src/tfjs/index.js";
import { bits, gradients, onBackends, train, values, variable } from "./setup.js";

onBackends((backend) => {
  test("is a tf.Optimizer that minimises, with and without a list of variables", () => {
    const optimizer = new GradstepOptimizer("adam", { lr: 0.1 });
    expect(optimizer).toBeInstanceOf(tf.Optimizer);
    expect(optimizer).toBeInstanceOf(GradstepOptimizer);
    expect(tf.train.adam()).not.toBeInstanceOf(GradstepOptimizer);
    expect(optimizer.getClassName()).toBe("GradstepOptimizer");
    const [w, b] = [variable("w", [3, 2]), variable("b", [2])];
    const fixed = tf.variable(tf.ones([2]), false, "fixed");
    const x = tf.tensor(values(12, 5), [4, 3]);
    const loss = () => x.matMul(w).add(b).mul(fixed).square().mean().asScalar();
    const start = loss().dataSync()[0];
    const cost = optimizer.minimize(loss, true);
    expect(cost?.dataSync()[0]).toBe(start);
    const before = bits([w, b, fixed]);
    optimizer.minimize(loss, false, [w, fixed]);
    const after = bits([w, b, fixed]);
    expect(after[0]).not.toEqual(before[0]);
    expect(after.slice(1)).toEqual(before.slice(1));
    for (let t = 0; t < 60; t++) expect(optimizer.minimize(loss)).toBeNull();
    expect(loss().dataSync()[0]).toBeLessThan(0.01 * start);
    expect(optimizer.iterations).toBe(62);
  });

  test("takes gradients as a list or by name, in any order: state belongs to a name", () => {
    const run = (arrange: (list: ReturnType<typeof gradients>, t: number) => tf.NamedTensorMap | typeof list) => {
      const variables = ["a", "b", "c"].map((name, i) => variable(name, [4], i));
      const optimizer = new GradstepOptimizer("adam", { lr: 0.1 });
      for (let t = 0; t < 5; t++) optimizer.applyGradients(arrange(gradients(variables, t), t));
      const result = bits(variables);
      tf.disposeVariables();
      optimizer.dispose();
      return result;
    };
    const plain = run((list) => list);
    expect(run((list) => Object.fromEntries(list.map(({ name, tensor }) => [name, tensor])))).toEqual(plain);
    expect(run((list, t) => (t % 2 ? list.reverse() : list))).toEqual(plain);
  });

  test("skips a variable without a gradient: no update, no decay, no step counted", () => {
    const [a, b] = [variable("a", [4]), variable("b", [4])];
    const optimizer = new GradstepOptimizer("adamw", { lr: 0.1, weightDecay: 0.5 });
    train(optimizer, [a, b], 0, 2);
    const before = bits([b]);
    optimizer.applyGradients({ a: tf.ones([4]), b: null as unknown as tf.Tensor });
    optimizer.applyGradients([{ name: "a", tensor: tf.ones([4]) }]);
    expect(bits([b])).toEqual(before);
    train(optimizer, [b], 2, 3);

    const alone = variable("alone", [4]);
    alone.assign(tf.tensor(values(4)));
    const other = new GradstepOptimizer("adamw", { lr: 0.1, weightDecay: 0.5 });
    for (let t = 0; t < 3; t++) other.applyGradients({ alone: tf.tensor(values(4, t < 2 ? t + 1 / 7 : 2)) });
    expect(bits([b])).toEqual(bits([alone]));
  });

  test("adds variables that are created later, with the same bits", () => {
    const late = [variable("a", [5]), variable("b", [300])];
    const early = [variable("a2", [5]), variable("b2", [300])];
    early.forEach((v, i) => v.assign(late[i]));
    const growing = new GradstepOptimizer("nadam", { lr: 0.05 });
    train(growing, [late[0]], 0, 4);
    const group = growing.paramGroups[0];
    group.lr = 0.01;
    train(growing, late, 4, 8);
    expect(growing.paramGroups[0]).toBe(group);
    expect(group.params).toEqual(["a", "b"]);
    expect(group.lr).toBe(0.01);

    const whole = new GradstepOptimizer("nadam", { lr: 0.05 });
    train(whole, [early[0]], 0, 4);
    const second = new GradstepOptimizer("nadam", { lr: 0.01 });
    whole.learningRate = 0.01;
    for (let t = 4; t < 8; t++) {
      const [first, other] = gradients(early, t);
      whole.applyGradients([first]);
      second.applyGradients([other]);
    }
    expect(bits(late)).toEqual(bits(early));
  });

  test("a new variable with the name of a removed one starts without state", async () => {
    const optimizer = new GradstepOptimizer("adam", { lr: 0.1 });
    const [first, kept] = [variable("w", [4]), variable("kept", [2])];
    train(optimizer, [first, kept], 0, 3);
    first.dispose();
    const again = variable("w", [2, 3]);
    train(optimizer, [again, kept], 0, 2);
    const fresh = variable("fresh", [2, 3]);
    train(new GradstepOptimizer("adam", { lr: 0.1 }), [fresh], 0, 2);
    expect(bits([again])).toEqual(bits([fresh]));
    again.dispose();
    train(optimizer, [variable("next", [2])], 0, 1);
    const names = (await optimizer.getWeights()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["kept/expAvg", "next/expAvg"]));
    expect(names).not.toContain("w/expAvg");
  });

  test("updates variables and gradients whose data are in another backend", async () => {
    const [w, twin] = [variable("w", [8]), variable("twin", [8])];
    const [first, second] = [gradients([w], 1), gradients([w], 2)];
    const [optimizer, other] = [new GradstepOptimizer("adam"), new GradstepOptimizer("adam")];
    optimizer.applyGradients(first);
    await tf.setBackend(backend === "cpu" ? "wasm" : "cpu");
    optimizer.applyGradients(second);
    await tf.setBackend(backend);
    train(optimizer, [w], 3, 4);
    train(other, [twin], 1, 4);
    expect(bits([w])).toEqual(bits([twin]));
  });

  test("uses values that others assigned, and never writes to another tensor's data", () => {
    const w = variable("w", [8]);
    const optimizer = new GradstepOptimizer("sgd", { lr: 1 });
    const source = tf.tensor(values(8, 2));
    train(optimizer, [w], 0, 1);
    w.assign(source);
    const clone = w.clone();
    const seen = w.dataSync();
    const before = Float32Array.from(seen);
    optimizer.applyGradients({ w: tf.ones([8]) });
    expect(Array.from(w.dataSync())).toEqual(Array.from(before, (x) => Math.fround(x - 1)));
    const held = w.dataSync();
    const after = Float32Array.from(held);
    optimizer.applyGradients({ w: tf.ones([8]) });
    for (const untouched of [seen, clone.dataSync(), source.dataSync()]) expect(untouched).toEqual(before);
    expect(held).toEqual(after);
  });

  test("clips by the global norm of what has a gradient, after gradScale", () => {
    const [a, b] = [variable("a", [2]), variable("b", [1])];
    const steps = (options: object, scale = 1) => {
      const optimizer = new GradstepOptimizer("sgd", { lr: 1, ...options });
      a.assign(tf.zeros([2]));
      b.assign(tf.zeros([1]));
      optimizer.applyGradients({ a: tf.tensor([3 * scale, 0]), b: tf.tensor([4 * scale]) });
      return [...a.dataSync(), ...b.dataSync()].map((x) => -x);
    };
    const near = (list: number[]) => list.map((x) => expect.closeTo(x, 5) as number);
    expect(steps({})).toEqual(near([3, 0, 4]));
    expect(steps({ clipNorm: 1 })).toEqual(near([0.6, 0, 0.8]));
    expect(steps({ clipNorm: 10 })).toEqual(near([3, 0, 4]));
    expect(steps({ gradScale: 1 / 1024, clipNorm: 10 }, 1024)).toEqual(near([3, 0, 4]));
    expect(steps({ gradScale: -1 / 1024, clipNorm: 1 }, 1024)).toEqual(near([-0.6, 0, -0.8]));
    const optimizer = new GradstepOptimizer("sgd", { lr: 1, clipNorm: 1 });
    train(optimizer, [a, b], 0, 1);
    a.assign(tf.zeros([2]));
    optimizer.applyGradients({ a: tf.tensor([30, 40]) });
    expect(Array.from(a.dataSync())).toEqual(near([-0.6, -0.8]));
    optimizer.applyGradients({ a: tf.tensor([Infinity, 1]) });
    expect(Array.from(a.dataSync())).toEqual([NaN, expect.closeTo(-0.8, 5)]);
  });

  test("skips or refuses gradients that are not finite, as asked", () => {
    const w = variable("w", [2]);
    const before = bits([w]);
    const gradient = { w: tf.tensor([NaN, 1]) };
    new GradstepOptimizer("adam", { nonFinite: "skip", clipNorm: 1 }).applyGradients(gradient);
    expect(bits([w])).toEqual(before);
    const strict = new GradstepOptimizer("adam", { nonFinite: "throw" });
    expect(() => strict.applyGradients(gradient)).toThrow('the gradient of "w" is NaN at element 0');
    expect(bits([w])).toEqual(before);
  });

  test("leaks no tensors over 100 steps and after dispose()", async () => {
    const [w, b] = [variable("w", [30, 4]), variable("b", [4])];
    const x = tf.tensor(values(60, 3), [2, 30]);
    const before = tf.memory();
    const optimizer = new GradstepOptimizer("adamw", { clipNorm: 1 });
    const loss = () => x.matMul(w).add(b).square().mean().asScalar();
    for (let t = 0; t < 100; t++) optimizer.minimize(loss);
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
    await optimizer.getWeights();
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
    optimizer.dispose();
    optimizer.dispose();
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
    expect(() => optimizer.minimize(loss)).toThrow("GradstepOptimizer: used after dispose()");
    expect(() => optimizer.paramGroups[0].lr).toThrow("GradstepOptimizer: used after dispose()");
    await expect(optimizer.getWeights()).rejects.toThrow("GradstepOptimizer: used after dispose()");
    expect(w.isDisposed).toBe(false);
  });

  test.each<[string, (w: tf.Variable) => unknown, string]>([
    [
      "an unknown name",
      () => ({ nowhere: tf.ones([2]) }),
      '"variableGradients" expected names of variables, got "nowhere"',
    ],
    [
      "a name twice",
      () => [
        { name: "w", tensor: tf.ones([4]) },
        { name: "w", tensor: tf.ones([4]) },
      ],
      "each variable once",
    ],
    ["another shape", () => ({ w: tf.ones([2, 2]) }), '"w" expected a gradient of shape [4], got [2, 2]'],
    ["another type", () => ({ w: tf.ones([4], "int32") }), '"w" expected a float32 gradient, got "int32"'],
    ["an int32 variable", () => ({ whole: tf.ones([1]) }), '"whole" expected a float32 variable, got "int32"'],
    ["nothing", () => null, '"variableGradients" expected gradients by name'],
  ])("refuses %s, and changes nothing", (what, make, message) => {
    const w = variable("w", [4]);
    tf.variable(tf.ones([1], "int32"), true, "whole");
    const optimizer = new GradstepOptimizer("adam");
    train(optimizer, [w], 0, 1);
    const before = bits([w]);
    const good = { name: "w", tensor: tf.ones([4]) };
    const given = make(w) as tf.NamedTensorMap;
    expect(() => optimizer.applyGradients(given)).toThrow(message);
    if (what !== "nothing" && !Array.isArray(given) && !("w" in given))
      expect(() => optimizer.applyGradients({ w: good.tensor, ...given })).toThrow(message);
    expect(bits([w])).toEqual(before);
    expect(optimizer.iterations).toBe(1);
  });
});
