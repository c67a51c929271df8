import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Arena } from "../../src/memory/arena.js";
import { type Labels, MLP, type MLPOptions, Random } from "../../src/nn/index.js";
import { numbers } from "./field.js";
import * as reference from "./reference.js";

function descend(mlp: MLP, lr: number): void {
  for (const name of mlp.params.names) {
    const [theta, g] = [mlp.params.data[name], mlp.params.grad[name]];
    for (let i = 0; i < theta.length; i++) theta[i] -= lr * g[i];
  }
}

const hash = (mlp: MLP): string => {
  const sha = createHash("sha256");
  for (const values of Object.values(mlp.params.copy())) sha.update(values);
  return sha.digest("hex").slice(0, 16);
};

describe("the parameters", () => {
  it("have the names and shapes of torch.nn.Sequential", () => {
    const { params } = new MLP([784, 128, 64, 10]);
    expect(params.shapes).toEqual({
      "0.weight": [128, 784],
      "0.bias": [128],
      "2.weight": [64, 128],
      "2.bias": [64],
      "4.weight": [10, 64],
      "4.bias": [10],
    });
    expect(Object.values(params.grad).every((g) => g.every((x) => x === 0))).toBe(true);
  });

  it.each([
    ["torch", 1 / Math.sqrt(300), 1 / Math.sqrt(300)],
    ["glorot", Math.sqrt(6 / 400), 0],
    ["he", Math.sqrt(6 / 300), 0],
  ] as const)("start uniform by init %s", (init, bound, biasBound) => {
    const { data } = new MLP([300, 100], { init }).params;
    const [weight, bias] = [data["0.weight"], data["0.bias"]];
    const largest = Math.max(...weight.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    expect(largest).toBeGreaterThan(0.999 * bound);
    const variance = weight.reduce((sum, w) => sum + w * w, 0) / weight.length;
    expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    expect(Math.abs(weight.reduce((sum, w) => sum + w, 0) / weight.length)).toBeLessThan(0.02 * bound);
    expect(Math.max(...bias.map(Math.abs))).toBeLessThanOrEqual(Math.fround(biasBound));
    expect(bias.some((b) => b !== 0)).toBe(init === "torch");
  });

  it("are drawn layer by layer, weights before biases", () => {
    const { data } = new MLP([2, 3, 1], { seed: 9 }).params;
    const random = new Random(9);
    for (const [name, bound] of [
      ["0.weight", Math.sqrt(1 / 2)],
      ["0.bias", Math.sqrt(1 / 2)],
      ["2.weight", Math.sqrt(1 / 3)],
      ["2.bias", Math.sqrt(1 / 3)],
    ] as const)
      expect(data[name]).toEqual(data[name].map(() => bound * (2 * random.uniform() - 1)));
  });

  it("depend on the seed alone", () => {
    const seeded = (seed?: number): string => hash(new MLP([20, 10], { seed }));
    expect(seeded()).toBe(seeded(1));
    expect(seeded(2)).toBe(seeded(2));
    expect(seeded(2)).not.toBe(seeded(1));
  });
});

describe("outputs", () => {
  const [inputs, hidden, classes] = [300, 17, 5];

  it("have the bits of the plain loop", () => {
    const mlp = new MLP([inputs, hidden, classes], { activation: "gelu" });
    const { data } = mlp.params;
    const x = numbers(70 * inputs, 3);
    const sums = reference.addBias(
      70,
      hidden,
      data["0.bias"],
      reference.dense(70, inputs, hidden, x, data["0.weight"]),
    );
    const y = sums.map(reference.activations.gelu.value);
    const logits = reference.addBias(
      70,
      classes,
      data["2.bias"],
      reference.dense(70, hidden, classes, y, data["2.weight"]),
    );
    expect(mlp.predict(x)).toEqual(logits);
  });

  it("of a row do not depend on its batch, nor on the batch size", () => {
    const x = numbers(200 * inputs, 4);
    const whole = new MLP([inputs, hidden, classes]).predict(x);
    const other = new MLP([inputs, hidden, classes], { batchSize: 150 });
    expect(other.predict(x)).toEqual(whole);
    for (const i of [0, 1, 63, 64, 199])
      expect(other.predict(x.slice(i * inputs, (i + 1) * inputs))).toEqual(whole.slice(i * classes, (i + 1) * classes));
  });

  it("are owned", () => {
    const mlp = new MLP([2, 2]);
    const first = mlp.predict(Float32Array.of(1, 2));
    const kept = first.slice();
    expect(first.buffer.byteLength).toBe(8);
    mlp.predict(Float32Array.of(3, 4));
    expect(first).toEqual(kept);
    expect(mlp.predict(new Float32Array(0))).toEqual(new Float32Array(0));
  });
});

describe("evaluate", () => {
  const x = numbers(150 * 7, 5);
  const labels = Uint8Array.from({ length: 150 }, (_, i) => i % 4);

  it("is the mean over all rows, whatever the batch size", () => {
    const mlp = new MLP([7, 9, 4]);
    const logits = mlp.predict(x);
    const { losses } = reference.crossEntropy(150, 4, logits, Int32Array.from(labels));
    const correct = labels.filter((label, i) => {
      const row = [...logits.subarray(i * 4, i * 4 + 4)];
      return row.indexOf(Math.max(...row)) === label;
    }).length;
    const result = mlp.evaluate(x, labels);
    expect(result).toEqual({ loss: losses.reduce((a, b) => a + b, 0) / 150, accuracy: correct / 150 });
    expect(new MLP([7, 9, 4], { batchSize: 100 }).evaluate(x, labels)).toEqual(result);
  });

  it("counts a row with a NaN among its outputs as wrong, whatever its label", () => {
    const mlp = new MLP([2, 3]);
    mlp.params.assign({ "0.weight": new Float32Array(6), "0.bias": [2, 1, 2] });
    const x = new Float32Array(6);
    expect(mlp.evaluate(x, [0, 1, 2]).accuracy).toBe(1 / 3); // the first of equal ones
    for (let bad = 0; bad < 3; bad++) {
      mlp.params.assign({ "0.bias": [2, 1, 3].map((b, i) => (i === bad ? NaN : b)) });
      expect(mlp.evaluate(x, [0, 1, 2]).accuracy, `output ${bad}`).toBe(0);
    }
    mlp.params.data["0.bias"].fill(NaN);
    expect(mlp.evaluate(x, [0, 1, 2]).accuracy).toBe(0);
    mlp.params.assign({ "0.bias": [-Infinity, Infinity, 1] });
    expect(mlp.evaluate(x, [1, 1, 2]).accuracy).toBe(2 / 3);
  });

  it("has no accuracy for squared errors", () => {
    const mlp = new MLP([7, 3], { loss: "mse", batchSize: 150 });
    const targets = numbers(450, 6);
    const { loss, accuracy } = mlp.evaluate(x, targets);
    const wanted = mlp.predict(x).reduce((sum, z, i) => sum + Math.fround(z - targets[i]) ** 2, 0) / 450;
    expect(loss).toBeCloseTo(wanted, 12);
    expect(accuracy).toBeNaN();
    expect(mlp.trainBatch(x, targets)).toBe(loss);
  });

  it("does not change parameters and gradients", () => {
    const mlp = new MLP([7, 4]);
    mlp.trainBatch(x.slice(0, 7 * 64), labels.slice(0, 64));
    const before = [mlp.params.copy(), mlp.params.grad["0.weight"].slice()];
    mlp.evaluate(x, labels);
    mlp.predict(x);
    expect([mlp.params.copy(), mlp.params.grad["0.weight"].slice()]).toEqual(before);
  });
});

describe("trainBatch", () => {
  it("overwrites the gradients; a short batch after a long one does not use its data", () => {
    const x = numbers(64 * 6, 1);
    const labels = Array.from({ length: 64 }, (_, i) => i % 3);
    const fresh = new MLP([6, 5, 3]);
    const used = new MLP([6, 5, 3]);
    for (const g of Object.values(used.params.grad)) g.fill(NaN);
    used.trainBatch(x, labels);
    const losses = [fresh, used].map((mlp) => mlp.trainBatch(x.slice(0, 5 * 6), labels.slice(0, 5)));
    expect(losses[0]).toBe(losses[1]);
    for (const name of fresh.params.names) expect(used.params.grad[name]).toEqual(fresh.params.grad[name]);
  });

  it("accepts every kind of integer array as labels", () => {
    const mlp = new MLP([2, 3]);
    const x = Float32Array.of(1, 2, 3, 4);
    const loss = mlp.trainBatch(x, [2, 0]);
    const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
    const arrays: Labels[] = kinds.map((kind) => kind.of(2, 0));
    for (const labels of [...arrays, BigInt64Array.of(2n, 0n), BigUint64Array.of(2n, 0n)])
      expect(mlp.trainBatch(x, labels)).toBe(loss);
  });

  it("accepts numbers in every form, with the same bits", () => {
    const mlp = new MLP([2, 3], { loss: "mse" });
    const [x, y] = [numbers(4, 1), numbers(6, 2)];
    const loss = mlp.trainBatch(x, y);
    const rows = (from: Float32Array, size: number): Float32Array[] => [from.subarray(0, size), from.subarray(size)];
    for (const form of [
      (from: Float32Array) => [...from],
      (from: Float32Array) => Float64Array.from(from),
      (from: Float32Array, size: number) => rows(from, size),
      (from: Float32Array, size: number) => rows(from, size).map((row) => [...row]),
      (from: Float32Array, size: number) => rows(from, size).map((row) => [[...row]]),
    ]) {
      expect(mlp.trainBatch(form(x, 2), form(y, 3))).toBe(loss);
      expect(mlp.evaluate(form(x, 2), form(y, 3)).loss).toBe(loss);
      expect(mlp.predict(form(x, 2))).toEqual(mlp.predict(x));
    }
    const classifier = new MLP([2, 3]);
    expect(classifier.trainBatch([...x], [[1], [2]])).toBe(classifier.trainBatch(x, [1, 2]));
  });

  it("learns exclusive or", () => {
    const mlp = new MLP([2, 8, 2], { activation: "tanh", seed: 3 });
    const x = Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1);
    const labels = [0, 1, 1, 0];
    for (let step = 0; step < 2000; step++) {
      mlp.trainBatch(x, labels);
      descend(mlp, 0.5);
    }
    const { loss, accuracy } = mlp.evaluate(x, labels);
    expect(loss).toBeLessThan(0.01);
    expect(accuracy).toBe(1);
  });

  it("fits a curve", () => {
    const mlp = new MLP([1, 16, 16, 1], { activation: "gelu", loss: "mse", init: "glorot", batchSize: 32 });
    const x = Float32Array.from({ length: 32 }, (_, i) => i / 16 - 1);
    const y = x.map((v) => Math.sin(3 * v));
    const start = mlp.evaluate(x, y).loss;
    for (let step = 0; step < 3000; step++) {
      mlp.trainBatch(x, y);
      descend(mlp, 0.1);
    }
    expect(start).toBeGreaterThan(0.1);
    expect(mlp.evaluate(x, y).loss).toBeLessThan(0.002);
  });

  it.each([
    ["relu", "f4a29dfd3ac7eb8f"],
    ["tanh", "9e73790e099ac254"],
    ["sigmoid", "d20e99df10ee0ab9"],
    ["gelu", "85f6c82b05d06f70"],
  ] as const)("gives the same bits on every engine: %s", (activation, wanted) => {
    const mlp = new MLP([30, 20, 10], { activation, seed: 11 });
    const random = new Random(12);
    for (let step = 0; step < 50; step++) {
      const x = Float32Array.from({ length: 30 * 16 }, () => random.uniform());
      mlp.trainBatch(
        x,
        Array.from({ length: 16 }, () => random.below(10)),
      );
      descend(mlp, 0.1);
    }
    expect(hash(mlp)).toBe(wanted);
  });
});

describe("memory", () => {
  it("fits the default capacity, with the requested number of slots", () => {
    const params = [100, 50, 10];
    const mlp = new MLP(params, { slots: 2 });
    expect(mlp.params.arena.free).toBeGreaterThan(2 * 4 * mlp.params.numel);
  });

  it("is returned to a shared arena", () => {
    const arena = new Arena({ capacity: 2 ** 21 });
    const free = arena.free;
    const mlp = new MLP([20, 10], { arena });
    expect(arena.free).toBeLessThan(free);
    mlp.dispose();
    mlp.dispose();
    expect(arena.free).toBe(free);
    expect(arena.alive).toBe(true);
  });

  it("that is too small: throws, and allocates nothing", () => {
    const arena = new Arena({ capacity: 2 ** 17 });
    const free = arena.free;
    expect(() => new MLP([20, 10], { arena })).toThrow(
      /^MLP: needs \d+ bytes for .*, \d+ are free: raise "capacity" of the Arena$/,
    );
    expect(arena.free).toBe(free);
    expect(() => new MLP([20, 10], { capacity: 2 ** 17 })).toThrow(/raise "capacity" of the MLP/);
  });

  it("is released only once: a second dispose() does not release what is allocated there later", () => {
    const arena = new Arena({ capacity: 2 ** 21 });
    const mlp = new MLP([3, 4, 2], { arena });
    mlp.dispose();
    const later = new MLP([3, 4, 2], { arena });
    const { used } = arena;
    mlp.dispose();
    expect(arena.used).toBe(used);
    later.dispose();
    expect(arena.used).toBe(65536);
  });

  it("is released by dispose(), after which every use throws", () => {
    const mlp = new MLP([2, 2]);
    const { params } = mlp;
    mlp[Symbol.dispose]();
    const x = Float32Array.of(1, 2);
    for (const use of [() => mlp.trainBatch(x, [0]), () => mlp.predict(x), () => mlp.evaluate(x, [0])])
      expect(use).toThrow(new Error("MLP: used after dispose()"));
    expect(() => params.data).toThrow("used after dispose()");
  });
});

describe("wrong use", () => {
  const sizes: [unknown, string][] = [
    [undefined, "TypeError"],
    ["784,10", "TypeError"],
    [[4], "RangeError"],
    [[4, 0], "RangeError"],
    [[4, 2.5], "RangeError"],
    [[4, "2"], "TypeError"],
    [[4, NaN], "RangeError"],
    [[1e9, 1e9], "RangeError"],
  ];
  it.each(sizes)("sizes %j: %s", (value, type) => {
    expect(() => new MLP(value as number[])).toThrow(expect.objectContaining({ name: type }) as Error);
  });

  const shared = { arena: new Arena({ capacity: 2 ** 20 }) };
  it.each<[object, string, string]>([
    [
      { activation: "swish" },
      "RangeError",
      'MLP: "activation" expected one of "relu", "tanh", "sigmoid", "gelu", got "swish"',
    ],
    [{ activation: 1 }, "TypeError", "activation"],
    [
      { loss: "mae" },
      "RangeError",
      'MLP: "loss" expected one of "cross-entropy", "mse", "binary-cross-entropy", "huber", got "mae"',
    ],
    [{ delta: 0.5 }, "RangeError", 'MLP: "delta" is an option of the loss "huber", this one is "cross-entropy"'],
    [
      { loss: "mse", ignoreIndex: 0 },
      "RangeError",
      'MLP: "ignoreIndex" is an option of the loss "cross-entropy", this one is "mse"',
    ],
    [{ loss: "huber", delta: 0 }, "RangeError", 'MLP: "delta" expected a finite number > 0, got 0'],
    [{ labelSmoothing: 1.5 }, "RangeError", 'MLP: "labelSmoothing" expected a number in [0, 1], got 1.5'],
    [{ ignoreIndex: 0.5 }, "RangeError", 'MLP: "ignoreIndex" expected a whole number, got 0.5'],
    [{ ignoreIndex: "0" }, "TypeError", 'MLP: "ignoreIndex" expected a whole number, got "0"'],
    [{ init: "zeros" }, "RangeError", 'MLP: "init" expected one of "torch", "glorot", "he", "gpt", got "zeros"'],
    [{ batchSize: 0 }, "RangeError", 'MLP: "batchSize" expected a whole number >= 1, got 0'],
    [{ batchSize: "64" }, "TypeError", 'MLP: "batchSize" expected a whole number >= 1, got "64"'],
    [{ seed: -1 }, "RangeError", 'MLP: "seed" expected a whole number >= 0, got -1'],
    [{ seed: null }, "TypeError", "seed"],
    [
      { skipzeros: true },
      "RangeError",
      'MLP: unknown option "skipzeros"; did you mean "skipZeros"? The options are loss, labelSmoothing, ignoreIndex, delta, init, batchSize, seed, inputScale, skipZeros, nnModule, activation, slots',
    ],
    [{ skipZeros: 1 }, "TypeError", 'MLP: "skipZeros" expected true or false, got 1'],
    [{ inputScale: 0 }, "RangeError", 'MLP: "inputScale" expected a finite number > 0, got 0'],
    [{ inputScale: Infinity }, "RangeError", "inputScale"],
    [{ inputScale: "1/255" }, "TypeError", 'MLP: "inputScale" expected a finite number > 0, got "1/255"'],
    [{ threads: 2 }, "TypeError", 'MLP: "threads" expected Threads of gradstep/threads, got 2'],
    [{ ...shared, slots: 1 }, "RangeError", 'MLP: "slots" excludes "arena"'],
    [{ ...shared, capacity: 1e6 }, "RangeError", 'MLP: "capacity" excludes "arena"'],
    [{ slots: 1, capacity: 1e6 }, "RangeError", 'MLP: "slots" excludes "capacity"'],
    [{ arena: {} }, "TypeError", 'MLP: "arena" expected an Arena'],
    [{ module: {} }, "TypeError", 'MLP: "module" expected a WebAssembly.Module'],
    [{ capacity: 0 }, "RangeError", "capacity"],
  ])("options %j: %s", (options, type, message) => {
    expect(() => new MLP([2, 2], options as MLPOptions)).toThrow(
      expect.objectContaining({ name: type, message: expect.stringContaining(message) as string }) as Error,
    );
  });

  it("options that are not an object", () => {
    expect(() => new MLP([2, 2], 64 as never)).toThrow(TypeError);
    expect(() => new MLP([2, 2], null as never)).toThrow(TypeError);
    expect(() => new MLP([2, 2], { seed: undefined, loss: undefined })).not.toThrow();
  });

  const classifier = new MLP([2, 3], { batchSize: 2 });
  const regression = new MLP([2, 3], { batchSize: 2, loss: "mse" });
  const x = Float32Array.of(1, 2, 3, 4);
  const cases: [string, MLP, unknown, unknown, string, string][] = [
    [
      "x of another type",
      classifier,
      "1, 2",
      [0, 1],
      "TypeError",
      'MLP: "x" expected a Float32Array, Uint8Array or array of rows of 2',
    ],
    ["x of other numbers", classifier, [1, "2"], [0], "TypeError", 'MLP: "x[1]" expected a number, got "2"'],
    [
      "rows of other numbers",
      classifier,
      [
        [1, 2],
        [3, null],
      ],
      [0, 1],
      "TypeError",
      'MLP: "x[1][1]" expected a number, got null',
    ],
    [
      "rows of other lengths",
      classifier,
      [[1], [2, 3, 4]],
      [0, 1],
      "RangeError",
      'MLP: "x[0]" expected 2 numbers, got [1]',
    ],
    [
      "one row that is two",
      classifier,
      [[1, 2, 3, 4]],
      [0, 1],
      "RangeError",
      'MLP: "x[0]" expected 2 numbers, got [1, 2, 3, 4]',
    ],
    [
      "one-hot labels",
      classifier,
      x,
      [
        [0, 1, 0],
        [1, 0, 0],
      ],
      "RangeError",
      'MLP: "y[0]" expected 1 number, got [0, 1, 0]',
    ],
    ["x of signed bytes", classifier, Int8Array.of(1, 2), [0], "TypeError", "got an Int8Array of 2"],
    ["bytes of half a row", classifier, Uint8Array.of(1, 2, 3), [0, 1], "RangeError", "got a Uint8Array of 3"],
    ["x of half a row", classifier, x.slice(0, 3), [0, 1], "RangeError", "got a Float32Array of 3"],
    ["no rows", classifier, x.slice(0, 0), [], "RangeError", 'MLP: "x" expected 1 to 2 ("batchSize") rows of 2'],
    ["more rows than batchSize", classifier, numbers(6, 1), [0, 1, 2], "RangeError", "got a Float32Array of 6"],
    ["no labels", classifier, x, undefined, "TypeError", 'MLP: "y" expected 2 class indices'],
    ["labels in floats", classifier, x, Float32Array.of(0, 1), "TypeError", "got a Float32Array of 2"],
    ["a label too few", classifier, x, [0], "RangeError", "got [0]"],
    [
      "a label out of range",
      classifier,
      x,
      [0, 3],
      "RangeError",
      'MLP: "y[1]" expected a class index, a whole number in [0, 3), got 3',
    ],
    ["a negative label", classifier, x, Int8Array.of(-1, 0), "RangeError", '"y[0]"'],
    ["half a label", classifier, x, [0, 0.5], "RangeError", "got 0.5"],
    ["a label that is no number", classifier, x, [0, "1"], "TypeError", 'got "1"'],
    ["a bigint label out of range", classifier, x, BigInt64Array.of(0n, 5n), "RangeError", "got 5n"],
    [
      "labels for squared errors",
      regression,
      x,
      Int32Array.of(0, 1),
      "TypeError",
      'MLP: "y" expected a Float32Array of 6: 3 for each row of x',
    ],
    [
      "too few targets",
      regression,
      x,
      [0, 1],
      "RangeError",
      'MLP: "y" expected a Float32Array of 6: 3 for each row of x',
    ],
    ["targets of a wrong length", regression, x, numbers(5, 1), "RangeError", "got a Float32Array of 5"],
  ];
  it.each(cases)("%s", (_, mlp, input, y, type, message) => {
    mlp.trainBatch(x, mlp === classifier ? [0, 1] : numbers(6, 2));
    const before = Object.values(mlp.params.grad).map((g) => g.slice());
    const error = expect.objectContaining({ name: type, message: expect.stringContaining(message) as string }) as Error;
    expect(() => mlp.trainBatch(input as Float32Array, y as number[])).toThrow(error);
    if (!message.startsWith("got a Float32Array of 6"))
      expect(() => mlp.evaluate(input as Float32Array, y as number[])).toThrow(
        type === "TypeError" ? TypeError : RangeError,
      );
    expect(Object.values(mlp.params.grad)).toEqual(before);
  });

  it("predict of a wrong x", () => {
    expect(() => classifier.predict("12" as never)).toThrow(TypeError);
    expect(() => classifier.predict(new Float32Array(3))).toThrow(RangeError);
  });
});
