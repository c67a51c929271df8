import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Adam, Random, SGD } from "../../src/index.js";
import { type EpochResult, type FitOptions, type Inputs, MLP, type Targets } from "../../src/nn/index.js";
import { numbers } from "./field.js";

const rows = 50;
const x = numbers(rows * 4, 1);
const y = Uint8Array.from({ length: rows }, (_, i) => (x[4 * i] > 0 ? 1 : 0) + (x[4 * i + 1] > 0 ? 2 : 0));
const network = (): { mlp: MLP; optimizer: Adam } => {
  const mlp = new MLP([4, 8, 4], { batchSize: 16, seed: 3 });
  return { mlp, optimizer: new Adam(mlp.params, { lr: 0.02 }) };
};

describe("fit", () => {
  it("has the bits of the loop that one would write", async () => {
    const a = network();
    const history = await a.mlp.fit(x, y, {
      epochs: 3,
      optimizer: a.optimizer,
      shuffle: new Random(5),
      validation: [x, y],
    });
    const b = network();
    const random = new Random(5);
    const order = Array.from({ length: rows }, (_, i) => i);
    const expected: EpochResult[] = [];
    for (let epoch = 1; epoch <= 3; epoch++) {
      random.shuffle(order);
      let [loss, correct] = [0, 0];
      for (let first = 0; first < rows; first += 16) {
        const batch = order.slice(first, first + 16);
        const bx = batch.map((i) => x.subarray(4 * i, 4 * i + 4));
        const by = batch.map((i) => y[i]);
        const classes = b.mlp.classify(bx);
        correct += by.filter((label, i) => label === classes[i]).length;
        loss += b.mlp.trainBatch(bx, by) * batch.length;
        b.optimizer.step();
      }
      expected.push({ epoch, loss: loss / rows, accuracy: correct / rows, validation: b.mlp.evaluate(x, y) });
    }
    expect(a.mlp.params.copy()).toEqual(b.mlp.params.copy());
    history.forEach((result, i) => {
      expect(result).toEqual({ ...expected[i], loss: expect.closeTo(expected[i].loss, 12) as number });
    });
  });

  it("is given by the seed, and trains", async () => {
    const runs = await Promise.all(
      [0, 1].map(async () => {
        const { mlp, optimizer } = network();
        return { history: await mlp.fit(x, y, { epochs: 40, optimizer }), params: mlp.params.copy() };
      }),
    );
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0].history).toHaveLength(40);
    expect(runs[0].history[39].accuracy).toBeGreaterThan(0.9);
    expect(runs[0].history[39].loss).toBeLessThan(runs[0].history[0].loss / 2);
  });

  it("takes bytes, arrays of rows and targets", async () => {
    const bytes = Uint8Array.from(x, (v) => Math.round(127 + 127 * v));
    const losses = [];
    for (const form of [bytes, Float32Array.from(bytes, (v) => v * Math.fround(1 / 255))]) {
      const { mlp, optimizer } = network();
      losses.push((await mlp.fit(form, Array.from(y), { optimizer }))[0].loss);
    }
    expect(losses[0]).toBe(losses[1]);
    const mlp = new MLP([1, 8, 1], { loss: "mse", activation: "tanh" });
    const points = Array.from({ length: 64 }, (_, i) => [i / 32 - 1]);
    const history = await mlp.fit(
      points,
      points.map(([v]) => [v * v]),
      { epochs: 200, batchSize: 16, optimizer: new Adam(mlp.params, { lr: 0.02 }) },
    );
    expect(history[199].loss).toBeLessThan(1e-3);
    expect(history[199].accuracy).toBeNaN();
  });

  it("keeps the last rows for validation, and does not train on them", async () => {
    const runs = [];
    for (const change of [0, 100]) {
      const { mlp, optimizer } = network();
      const other = x.map((v, i) => (i >= 40 * 4 ? v + change : v));
      const [result] = await mlp.fit(other, y, { optimizer, validation: 0.2 });
      expect(result.validation).toEqual(mlp.evaluate(other.subarray(160), y.subarray(40)));
      runs.push(mlp.params.copy());
    }
    expect(runs[0]).toEqual(runs[1]);
  });

  it("waits for onEpoch, and ends when it returns false", async () => {
    const { mlp, optimizer } = network();
    const seen: number[] = [];
    const onEpoch = async ({ epoch }: EpochResult): Promise<boolean> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(epoch);
      return epoch < 3;
    };
    expect(await mlp.fit(x, y, { epochs: 10, optimizer, onEpoch })).toHaveLength(3);
    expect(seen).toEqual([1, 2, 3]);
  });

  it("ends with the reason of an aborted signal", async () => {
    const { mlp, optimizer } = network();
    const controller = new AbortController();
    const reason = new Error("enough");
    const onEpoch = ({ epoch }: EpochResult): void => {
      if (epoch === 2) controller.abort(reason);
    };
    const fitting = mlp.fit(x, y, { epochs: 10, optimizer, onEpoch, signal: controller.signal });
    await expect(fitting).rejects.toBe(reason);
    const before = mlp.params.copy();
    await expect(mlp.fit(x, y, { optimizer, signal: controller.signal })).rejects.toBe(reason);
    expect(mlp.params.copy()).toEqual(before);
  });

  it("gives other tasks their turn within an epoch, and ends when the network is disposed of there", async () => {
    const mlp = new MLP([4, 4]);
    const many = new Float32Array(4 * 200_000);
    const fitting = mlp.fit(many, new Uint8Array(200_000), {
      epochs: 1000,
      optimizer: new SGD(mlp.params, { lr: 0.1 }),
    });
    setTimeout(() => mlp.params.arena.dispose(), 0);
    await expect(fitting).rejects.toThrow("MLP: used after dispose()");
  });

  it.each<[string, (mlp: MLP) => [unknown, unknown, unknown], string]>([
    ["no optimizer", () => [x, y, {}], 'MLP: "optimizer" expected an optimizer of the network\'s params'],
    ["a name", () => [x, y, { optimizer: "adam" }], 'MLP: "optimizer" expected an optimizer of the network\'s params'],
    ["no options", () => [x, y, undefined], 'MLP: "options" expected an object, got undefined'],
    ["epochs", () => [x, y, { epochs: 0 }], 'MLP: "epochs" expected a whole number >= 1, got 0'],
    [
      "a large batch",
      () => [x, y, { batchSize: 17 }],
      'MLP: "batchSize" expected at most the network\'s "batchSize", 16, got 17',
    ],
    ["shuffle", () => [x, y, { shuffle: 1 }], 'MLP: "shuffle" expected true or false, got 1'],
    [
      "a fraction",
      () => [x, y, { validation: 1 }],
      'MLP: "validation" expected a fraction in (0, 1) that leaves rows for both, of 50, got 1',
    ],
    ["a tiny fraction", () => [x, y, { validation: 0.999 }], 'MLP: "validation" expected a fraction'],
    [
      "validation",
      () => [x, y, { validation: { x, y } }],
      'MLP: "validation" expected [x, y] or a fraction in (0, 1), got an object',
    ],
    ["validation data", () => [x, y, { validation: [x, [1]] }], 'MLP: validation: "y" expected 50 class indices'],
    ["onEpoch", () => [x, y, { onEpoch: 1 }], 'MLP: "onEpoch" expected a function, got 1'],
    ["signal", () => [x, y, { signal: {} }], 'MLP: "signal" expected an AbortSignal, got an object'],
    ["an unknown option", () => [x, y, { epoch: 1 }], 'MLP: unknown option "epoch"'],
    ["no rows", () => [[], [], {}], 'MLP: "x" expected at least one row'],
    ["labels", () => [x, [1], {}], 'MLP: "y" expected 50 class indices'],
  ])("throws for %s, and changes nothing", async (_, of, message) => {
    const { mlp, optimizer } = network();
    const before = mlp.params.copy();
    const [inputs, targets, options] = of(mlp);
    const given =
      typeof options === "object" && !("optimizer" in options!) && message.includes('"optimizer"')
        ? options
        : { optimizer, ...(options as object) };
    const whole = options === undefined ? undefined : given;
    await expect(mlp.fit(inputs as Inputs, targets as Targets, whole as FitOptions)).rejects.toThrow(message);
    expect(mlp.params.copy()).toEqual(before);
  });

  it("throws for an optimizer of other parameters", async () => {
    const [a, b] = [new MLP([4, 4]), network()];
    await expect(a.fit(x, y, { optimizer: b.optimizer })).rejects.toThrow('MLP: "optimizer" expected an optimizer of');
  });
});

describe("classes and probabilities", () => {
  it("are those of the outputs", () => {
    const mlp = new MLP([4, 3], { seed: 4 });
    const z = mlp.predict(x);
    const probabilities = mlp.probabilities(x);
    const classes = mlp.classify(x);
    for (let i = 0; i < rows; i++) {
      const row = [...z.subarray(3 * i, 3 * i + 3)];
      const sum = row.reduce((total, v) => total + Math.exp(v), 0);
      row.forEach((v, j) => expect(probabilities[3 * i + j]).toBeCloseTo(Math.exp(v) / sum, 6));
      expect(classes[i]).toBe(row.indexOf(Math.max(...row)));
    }
    mlp.params.assign({ "0.weight": new Float32Array(12), "0.bias": [1e4, -1e4, 1e4] });
    expect([...mlp.probabilities([1, 2, 3, 4])]).toEqual([0.5, 0, 0.5]);
    expect([...mlp.classify([1, 2, 3, 4])]).toEqual([0]);
    mlp.params.assign({ "0.bias": [1, NaN, 2] });
    expect([...mlp.classify([1, 2, 3, 4])]).toEqual([1]);
    expect(mlp.evaluate([1, 2, 3, 4], [1]).accuracy).toBe(0);
  });

  it("are an error for squared errors", () => {
    const mlp = new MLP([4, 3], { loss: "mse" });
    const message = 'needs a loss with classes, this network\'s is "mse"';
    expect(() => mlp.classify(x)).toThrow(new Error(`MLP: classify() ${message}`));
    expect(() => mlp.probabilities(x)).toThrow(new Error(`MLP: probabilities() ${message}`));
  });
});

describe("the text", () => {
  it("is a table of the layers, in the console too", () => {
    const mlp = new MLP([784, 128, 10]);
    expect(mlp.summary()).toMatchInlineSnapshot(`
      "MLP [784] → [10], cross-entropy, batches of up to 64
      layer  kind    output  parameters
      0      linear  [128]      100,480
      1      relu    [128]
      2      linear  [10]         1,290
      101,770 parameters take 398 KiB, their gradients as much
      a batch of 64 rows takes 1,087 KiB (1,095 KiB without sharing)"
    `);
    expect(String(mlp)).toBe(mlp.summary());
    expect(inspect(mlp)).toBe(mlp.summary());
    expect(JSON.parse(JSON.stringify(mlp))).toEqual({
      network: "MLP",
      inputShape: [784],
      loss: "cross-entropy",
      layers: [
        { path: "0", kind: "linear", output: [128], parameters: 100480 },
        { path: "1", kind: "relu", output: [128], parameters: 0 },
        { path: "2", kind: "linear", output: [10], parameters: 1290 },
      ],
    });
    mlp.dispose();
    expect(inspect(mlp)).toBe("[MLP: used after dispose()]");
    expect(JSON.stringify(mlp)).toContain("linear");
  });
});
