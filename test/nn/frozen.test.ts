// Tests which gradients are computed: accumulated, frozen, by the open way.
import { describe, expect, it } from "vitest";
import { SGD } from "../../src/index.js";
import { type Inputs, MLP, Network, gelu, linear, relu, residual, tanh } from "../../src/nn/index.js";
import { numbers } from "./field.js";

const x = numbers(6 * 4, 1);
const y = [0, 1, 2, 0, 1, 2];
const make = (): Network =>
  new Network([4], [linear(5), tanh(), residual([linear(7), gelu(), linear(5)]), linear(3)], { batchSize: 6 });
const gradients = (network: Network): Record<string, number[]> =>
  Object.fromEntries(network.params.names.map((name) => [name, [...network.params.grad[name]]]));

describe("forward and backward", () => {
  it("give what trainBatch and predict give", () => {
    const [open, closed] = [make(), make()];
    const loss = closed.trainBatch(x, y);
    const outputs = open.forward(x);
    expect(outputs).toEqual(closed.predict(x));
    expect(outputs.length).toBe(18);
    const probabilities = open.probabilities(x);
    expect(() => open.backward(probabilities)).toThrow("Network: backward() needs a forward() before it");
    open.forward(x);
    const gradient = probabilities.map((p, i) => (p - (y[Math.floor(i / 3)] === i % 3 ? 1 : 0)) / 6);
    const toInput = open.backward(gradient);
    for (const name of open.params.names)
      open.params.grad[name].forEach((g, i) => expect(g).toBeCloseTo(closed.params.grad[name][i], 6));
    expect(toInput?.length).toBe(24);
    for (let i = 0; i < 24; i++) {
      const moved = (by: number): number =>
        open.evaluate(
          x.map((v, k) => (k === i ? v + by : v)),
          y,
        ).loss;
      const slope = (moved(2 ** -7) - moved(-(2 ** -7))) * 64;
      open.forward(x);
      expect(open.backward(gradient)![i]).toBeCloseTo(slope, 3);
    }
    expect(loss).toBeCloseTo(open.evaluate(x, y).loss, 12);
  });

  it("give views that are the same object in calls with as many rows", () => {
    const network = make();
    const outputs = network.forward(x);
    const gradient = network.backward(outputs);
    expect(network.forward(x)).toBe(outputs);
    expect(network.backward(outputs)).toBe(gradient);
    expect(network.forward(x.subarray(0, 8)).length).toBe(6);
  });

  it("take their own views", () => {
    const network = new Network([3], [linear(3), tanh()], { batchSize: 4, loss: "mse" });
    const given = numbers(12, 4);
    const twice = network.predict(network.predict(given));
    expect(network.forward(network.forward(given))).toEqual(twice);
    const [a, b] = [network.predict(given), numbers(12, 5)];
    const wanted = network.trainBatch(b, a);
    expect(network.trainBatch(b, network.forward(given))).toBe(wanted);
    network.forward(given);
    const gradient = network.backward(b)!;
    const copy = gradient.slice();
    const loss = network.trainBatch(copy, a);
    network.forward(given);
    expect(network.trainBatch(network.backward(b)!, a)).toBe(loss); // the targets are loaded before x
    network.forward(given);
    expect(network.evaluate(network.backward(b)!, a)).toEqual(network.evaluate(copy, a));
  });

  it("repeat, and accumulate", () => {
    const network = make();
    const gradient = numbers(18, 7);
    network.forward(x);
    const first = [...network.backward(gradient)!];
    const once = gradients(network);
    expect([...network.backward(gradient)!]).toEqual(first);
    expect(gradients(network)).toEqual(once);
    network.backward(gradient, { accumulate: true });
    for (const [name, values] of Object.entries(once))
      expect([...network.params.grad[name]]).toEqual(values.map((g) => 2 * g));
    expect(network.backward(gradient, { inputGradient: false })).toBeUndefined();
  });

  it("throw for what does not fit, and change nothing", () => {
    const network = make();
    network.forward(x);
    network.backward(numbers(18, 7));
    const before = gradients(network);
    for (const [call, message] of [
      [() => network.backward(numbers(17, 1)), 'Network: "gradOutput" expected a Float32Array of 18'],
      [() => network.backward("1" as never), 'Network: "gradOutput" expected a Float32Array of 18'],
      [() => network.backward(numbers(18, 1), { accumulated: true } as never), 'Network: unknown option "accumulated"'],
      [
        () => network.backward(numbers(18, 1), { accumulate: 1 as never }),
        'Network: "accumulate" expected true or false',
      ],
      [() => network.forward(x, { training: 1 as never }), 'Network: "training" expected true or false, got 1'],
      [() => network.forward(numbers(28, 1)), 'Network: "x" expected 1 to 6 ("batchSize") rows of 4'],
      [() => network.trainBatch(x, y, { accumulate: 0 as never }), 'Network: "accumulate" expected true or false'],
    ] as const)
      expect(call).toThrow(message);
    expect(gradients(network)).toEqual(before);
    expect(() => network.backward(numbers(18, 7))).not.toThrow(); // forward still counts
    expect(() => make().backward(numbers(18, 7))).toThrow("Network: backward() needs a forward() before it");
    network.trainBatch(x, y);
    expect(() => network.backward(numbers(18, 7))).toThrow("Network: backward() needs a forward() before it");
  });
});

describe("accumulate", () => {
  it("adds the gradients of the batches' means, and leaves the padding alone", () => {
    const network = make();
    const whole = make();
    const [a, b] = [x.subarray(0, 8), x.subarray(8, 16)];
    const parts = [a, b].map((part, i) => {
      whole.trainBatch(part, y.slice(2 * i, 2 * i + 2));
      return gradients(whole);
    });
    network.trainBatch(a, y.slice(0, 2));
    network.trainBatch(b, y.slice(2, 4), { accumulate: true });
    for (const name of network.params.names)
      expect([...network.params.grad[name]]).toEqual(parts[0][name].map((g, i) => Math.fround(g + parts[1][name][i])));
    const optimizer = new SGD(network.params, { lr: 0.1 });
    optimizer.step({ gradScale: 0.5, clipNorm: 1e9 });
    const norm = Math.hypot(...Object.values(gradients(network)).flat()) / 2;
    expect(optimizer.gradNorm).toBeCloseTo(norm, 5);
  });
});

it("accumulating leaves the padding of gradients at 0", () => {
  const network = new Network([3], [linear(3), linear(7)]); // the second one's gradient is larger, and leaves its numbers
  for (let i = 0; i < 2; i++) network.trainBatch(numbers(6, i), [0, 1], { accumulate: true });
  for (const name of network.params.names) {
    const { buffer, byteOffset, length } = network.params.grad[name];
    const padding = new Float32Array(buffer, byteOffset + 4 * length, -length & 15);
    expect(
      padding.every((g) => g === 0),
      name,
    ).toBe(true); // optimizers read it
  }
});

describe("freeze", () => {
  it("computes the gradients of the others alone, with the same bits", () => {
    for (const pattern of [
      "0",
      "2.0.weight",
      /bias/,
      /^2\./,
      ["0.weight", "3"],
      (name: string) => name === "2.2.bias",
    ]) {
      const [frozen, free] = [make(), make()];
      free.trainBatch(x, y);
      frozen.trainBatch(x, y);
      frozen.freeze(pattern);
      expect(frozen.frozen.length).toBeGreaterThan(0);
      for (let k = 0; k < 2; k++) {
        if (k === 1) for (const name of frozen.params.names) frozen.params.grad[name].fill(k);
        frozen.trainBatch(x, y);
        for (const name of frozen.params.names)
          if (frozen.frozen.includes(name))
            expect(
              frozen.params.grad[name].every((g) => g === k),
              name,
            ).toBe(true);
          else expect(frozen.params.grad[name]).toEqual(free.params.grad[name]);
      }
      frozen.unfreeze(pattern);
      expect(frozen.frozen).toEqual([]);
      frozen.trainBatch(x, y);
      expect(gradients(frozen)).toEqual(gradients(free));
    }
  });

  it("stops below the last layer that trains, unless the input's gradient is asked for", () => {
    const network = make();
    const gradient = numbers(18, 3);
    network.forward(x);
    const wanted = [...network.backward(gradient)!];
    network.freeze();
    network.forward(x);
    expect([...network.backward(gradient)!]).toEqual(wanted);
    expect(network.backward(gradient, { inputGradient: false })).toBeUndefined();
    expect(
      Object.values(gradients(network))
        .flat()
        .every((g) => g === 0),
    ).toBe(true);
    network.unfreeze("3");
    network.forward(x);
    network.backward(gradient, { inputGradient: false });
    const head = gradients(network);
    network.params.data["3.weight"].fill(NaN); // the head's own gradients do not depend on it, those below it do
    network.backward(gradient, { inputGradient: false });
    expect(gradients(network)).toEqual(head);
  });

  it("throws for what matches nothing", () => {
    const network = make();
    for (const pattern of ["1", "weight", /nothing/, () => false, ["0", "4"]])
      expect(() => network.freeze(pattern)).toThrow(RangeError);
    expect(() => network.freeze(3 as never)).toThrow(TypeError);
    expect(network.frozen).toEqual([]);
  });
});

describe("a network without parameters", () => {
  it("is one too", () => {
    const network = new Network([3], [relu()], { loss: "mse" });
    expect([...network.forward([[-1, 2, 3]])]).toEqual([0, 2, 3]);
    expect([...network.backward([[5, 6, 7]])!]).toEqual([0, 6, 7]);
    expect(network.trainBatch([[-1, 2, 3]], [[0, 2, 0]])).toBe(3);
    expect(network.params.names).toEqual([]);
    network.dispose();
    expect(() => network.forward([[1, 2, 3]])).toThrow("Network: used after dispose()");
  });
});

it("an MLP is a Network", () => {
  const x: Inputs = Float32Array.of(1, 2);
  expect(new MLP([2, 3, 1])).toBeInstanceOf(Network);
  expect(new MLP([2, 3, 1]).forward(x)).toEqual(new Network([2], [linear(3), relu(), linear(1)]).forward(x));
  expect(new MLP([2, 3, 1]).flops).toBe(9);
});
