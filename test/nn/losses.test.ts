// Compares losses with what PyTorch computes in float64, and tests what counts in them.
import { describe, expect, it, test } from "vitest";
import { MLP, type Loss, Network, type NetworkOptions, type Targets, linear } from "../../src/nn/index.js";
import { fixture } from "../support/fixture.js";
import { numbers } from "./field.js";

interface LossCase {
  readonly name: string;
  readonly loss: Loss;
  readonly options: NetworkOptions;
  readonly rows: number;
  readonly shape: readonly number[];
  readonly outputs: readonly number[];
  readonly targets: readonly number[];
  readonly expected: { readonly loss: number; readonly grad: readonly number[] };
  readonly bound: { readonly loss: number; readonly grad: number };
}
const { losses } = JSON.parse(fixture("nn.json.gz").toString()) as { losses: LossCase[] };

/** A network whose outputs are its inputs, and whose weights' gradient is gradᵀ·x. */
function identity(shape: readonly number[], options: NetworkOptions): Network {
  const classes = shape[shape.length - 1];
  const network = new Network(shape, [linear(classes, { bias: false })], options);
  network.params.data["0.weight"].forEach((_, i, weight) => (weight[i] = i % (classes + 1) === 0 ? 1 : 0));
  return network;
}

test.each(losses)("$name is that of PyTorch", ({ loss, options, rows, shape, outputs, targets, expected, bound }) => {
  const network = identity(shape, { ...options, loss, batchSize: rows });
  const y = Float32Array.from(targets);
  const given: Targets = loss === "cross-entropy" ? Int32Array.from(y) : y;
  expect(Math.abs(network.trainBatch(Float32Array.from(outputs), given) - expected.loss)).toBeLessThanOrEqual(
    bound.loss,
  );
  expect(Math.abs(network.evaluate(outputs, given).loss - expected.loss)).toBeLessThanOrEqual(bound.loss);
  // The gradient itself, by one row at a time: that of the mean over one row, times the weight of the row.
  const gradient = network.params.grad["0.weight"];
  const classes = shape[shape.length - 1];
  for (let i = 0; i < classes; i++)
    for (let j = 0; j < classes; j++) {
      let [wanted, size] = [0, 0];
      for (let at = 0; at < outputs.length; at += classes) {
        wanted += expected.grad[at + i] * outputs[at + j];
        size += Math.abs(outputs[at + j]) * (bound.grad + 2 ** -23 * Math.abs(expected.grad[at + i]));
      }
      expect(Math.abs(gradient[i * classes + j] - wanted), `${i}, ${j}`).toBeLessThanOrEqual(size);
    }
});

describe("ignored labels", () => {
  const x = numbers(6 * 4, 1);
  it.each([-100, 1, 255, 3])("%i counts neither in means nor in accuracy", (ignoreIndex) => {
    const network = new MLP([4, 3], { ignoreIndex });
    const plain = new MLP([4, 3]);
    const y = [0, ignoreIndex, 2, 0, ignoreIndex, 2];
    const [some, few] = [x.filter((_, i) => y[i >> 2] !== ignoreIndex), y.filter((label) => label !== ignoreIndex)];
    expect(network.trainBatch(x, y)).toBe(plain.trainBatch(some, few));
    for (const name of plain.params.names)
      plain.params.grad[name].forEach((g, i) => expect(network.params.grad[name][i]).toBeCloseTo(g, 6));
    expect(network.evaluate(x, y)).toEqual(plain.evaluate(some, few));
    expect(
      network.evaluate(
        x,
        y.map(() => ignoreIndex),
      ),
    ).toEqual({ loss: NaN, accuracy: NaN });
    expect(
      network.trainBatch(
        x,
        y.map(() => ignoreIndex),
      ),
    ).toBeNaN();
    expect(network.params.grad["0.weight"].every((g) => g === 0)).toBe(true);
  });

  it("are errors unless they are the option's", () => {
    expect(() => new MLP([4, 3]).trainBatch(x, [0, -1, 2, 0, 1, 2])).toThrow('MLP: "y[1]" expected a class index');
    expect(() => new MLP([4, 3], { ignoreIndex: -1 }).trainBatch(x, [0, -1, -2, 0, 1, 2])).toThrow('MLP: "y[2]"');
  });
});

describe("classes of binary cross-entropy", () => {
  it("are one for each output", () => {
    const network = identity([3], { loss: "binary-cross-entropy" });
    expect([...network.classify([[-1, 0, 2]])]).toEqual([0, 1, 1]);
    const [a, b, c] = network.probabilities([[-1000, 0, Math.log(3)]]);
    expect([a, b]).toEqual([0, 0.5]);
    expect(c).toBeCloseTo(0.75, 6);
    expect(network.evaluate([[1, 2, 3]], [[0, 1, 1]]).accuracy).toBeNaN();
  });
});

it("a NaN stays in its row", () => {
  for (const loss of ["cross-entropy", "mse", "huber", "binary-cross-entropy"] as const) {
    const network = new Network([2], [linear(2)], { loss });
    const y: Targets = loss === "cross-entropy" ? [0, 1] : [0, 1, 1, 0];
    const good = network.predict([1, 2]);
    expect(network.trainBatch([NaN, 1, 1, 2], y)).toBeNaN();
    expect([...network.predict([NaN, 1, 1, 2])]).toEqual([NaN, NaN, ...good]);
  }
});
