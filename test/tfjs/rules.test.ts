import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import * as gradstep from "../../src/index.js";
import { GradstepOptimizer, type RuleName } from "../../src/tfjs/index.js";
import { rules } from "../../src/tfjs/rules.js";
import { bits, onBackends, train, values, variable } from "./setup.js";

const names = Object.keys(rules) as RuleName[];
const stepping = names.filter((name) => name !== "lbfgs");
const floats = (u: Uint32Array): Float32Array => new Float32Array(u.buffer);

test("every rule that gradstep exports has its name", () => {
  const exported = Object.values(gradstep).filter(
    (value): value is typeof gradstep.Adam =>
      typeof value === "function" &&
      value.prototype instanceof gradstep.Optimizer &&
      (value as unknown) !== gradstep.StepOptimizer,
  );
  expect(names).toEqual(exported.map(({ name }) => name.toLowerCase()).sort());
  expect(Object.values(rules)).toEqual(expect.arrayContaining(exported));
});

onBackends(() => {
  test.each(stepping)("%s moves variables as its class moves tensors, to the bit", (rule) => {
    const shapes: Record<string, number[]> = rule === "muon" ? { w: [5, 7] } : { w: [5, 7], b: [7], scale: [] };
    const variables = Object.entries(shapes).map(([name, shape], i) => variable(name, shape, i + 1));
    const optimizer = new GradstepOptimizer(rule, { lr: 0.03, weightDecay: 0.1 });

    const params = new gradstep.ParameterDict(shapes);
    variables.forEach((v, i) => params.data[v.name].set(values(v.size, i + 1)));
    const plain = new rules[rule](params, { lr: 0.03, weightDecay: 0.1 }) as gradstep.StepOptimizer;

    train(optimizer, variables, 0, 12);
    for (let t = 0; t < 12; t++) {
      variables.forEach((v, i) => params.grad[v.name].set(values(v.size, t + i / 7)));
      plain.step();
    }
    expect(bits(variables).map(floats)).toEqual(variables.map(({ name }) => params.data[name].slice()));
    expect(optimizer.iterations).toBe(12);
    optimizer.dispose();
  });

  test("lbfgs, in minimize, as its class", () => {
    const loss = (w: tf.Tensor) =>
      w
        .sub(tf.tensor(values(6, 3)))
        .pow(4)
        .sum()
        .asScalar();
    const w = variable("w", [6]);
    const optimizer = new GradstepOptimizer("lbfgs", { lineSearch: "strong-wolfe", maxIter: 4 });
    const params = new gradstep.ParameterDict({ w: [6] }, { slots: 205 });
    params.data.w.set(values(6));
    const plain = new gradstep.LBFGS(params, { lineSearch: "strong-wolfe", maxIter: 4 });
    const slope = tf.valueAndGrad(loss);
    const before = tf.memory().numTensors;
    for (let t = 0; t < 3; t++) {
      const cost = optimizer.minimize(() => loss(w), true);
      const same = plain.step(() =>
        tf.tidy(() => {
          const { value, grad } = slope(tf.tensor(params.data.w.slice()));
          params.grad.w.set(grad.dataSync());
          return value.dataSync()[0];
        }),
      );
      expect(cost?.dataSync()[0]).toBe(same);
      cost?.dispose();
      expect(Array.from(w.dataSync())).toEqual(Array.from(params.data.w));
    }
    expect(tf.memory().numTensors).toBe(before);
    expect(optimizer.iterations).toBe(3);
    expect(optimizer.minimize(() => loss(w))).toBeNull();
    expect(() => optimizer.applyGradients({ w: tf.zeros([6]) })).toThrow('"lbfgs" evaluates the loss several times');
  });

  test("lbfgs in model.fit", async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [3] })] });
    const optimizer = new GradstepOptimizer("lbfgs", { maxIter: 5 });
    model.compile({ optimizer, loss: "meanSquaredError" });
    const x = tf.tensor(values(60), [20, 3]);
    const y = x.sum(1, true).add(1);
    await model.fit(x, y, { epochs: 1, batchSize: 20 });
    const before = tf.memory().numTensors;
    const { history } = await model.fit(x, y, { epochs: 3, batchSize: 20 });
    expect(history.loss.at(-1)).toBeLessThan(1e-8);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("lbfgs leaves the variables of its last whole iteration when the loss throws", () => {
    const w = variable("w", [6]);
    const optimizer = new GradstepOptimizer("lbfgs");
    const before = bits([w]);
    let calls = 0;
    const failing = () => {
      if (calls++ === 1) throw new Error("no loss");
      return w.square().sum().asScalar();
    };
    expect(() => optimizer.minimize(failing)).toThrow("no loss");
    expect(bits([w])).toEqual(before);
    const u = variable("u", [2]);
    expect(() => optimizer.minimize(() => u.sum().asScalar(), false, [u])).toThrow(
      'GradstepOptimizer: "w" expected a gradient',
    );
  });

  test("a schedule-free rule evaluates at its average", () => {
    const w = variable("w", [9]);
    const params = gradstep.ParameterDict.from({ w: { shape: [9], data: values(9) } });
    const optimizer = new GradstepOptimizer("schedulefreesgd", { lr: 0.1 });
    const plain = new gradstep.ScheduleFreeSGD(params, { lr: 0.1 });
    train(optimizer, [w], 0, 3);
    for (let t = 0; t < 3; t++) {
      params.grad.w.set(values(9, t));
      plain.step();
    }
    const training = w.dataSync().slice();
    optimizer.eval();
    plain.eval();
    expect(w.dataSync()).not.toEqual(training);
    expect(Array.from(w.dataSync())).toEqual(Array.from(params.data.w));
    expect(() => train(optimizer, [w], 3, 4)).toThrow("call train() first");
    optimizer.train();
    plain.train();
    expect(Array.from(w.dataSync())).toEqual(Array.from(params.data.w));
  });
});
