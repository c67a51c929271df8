import { describe, expect, it } from "vitest";
import { Arena } from "../../src/index.js";
import {
  type Layer,
  Network,
  embedding,
  flatten,
  layerNorm,
  selfAttention,
  gelu,
  linear,
  relu,
  residual,
  sigmoid,
  tanh,
} from "../../src/nn/index.js";
import { numbers } from "./field.js";

describe("gradients", () => {
  const block = (): Layer => residual([linear(7), gelu(), linear(5)]);
  it.each<[string, Layer[]]>([
    ["a residual", [linear(5), tanh(), block(), linear(3)]],
    ["residuals within a residual", [linear(5), residual([block(), residual([tanh(), linear(5)])]), linear(3)]],
    ["residuals of activations", [linear(5), residual([tanh()]), residual([residual([sigmoid()])]), linear(3)]],
    ["a residual of nothing but a shape", [linear(5), residual([flatten()]), linear(3)]],
    ["activations in a row", [linear(5), tanh(), sigmoid(), gelu(), tanh(), linear(3)]],
    ["a residual at either end", [residual([linear(4), tanh()]), linear(3), residual([linear(3)])]],
  ])("of %s are those of central differences", (_, layers) => {
    const network = new Network([4], layers, { batchSize: 5, seed: 2 });
    const x = numbers(20, 1);
    const y = [0, 2, 1, 1, 0];
    network.trainBatch(x, y);
    for (const name of network.params.names) {
      const [theta, gradient] = [network.params.data[name], network.params.grad[name]];
      for (let i = 0; i < theta.length; i++) {
        const before = theta[i];
        theta[i] = before + 2 ** -7;
        const above = network.evaluate(x, y).loss;
        theta[i] = before - 2 ** -7;
        const below = network.evaluate(x, y).loss;
        theta[i] = before;
        expect(Math.abs((above - below) / 2 ** -6 - gradient[i]), `${name}[${i}]`).toBeLessThan(2e-4);
      }
    }
  });
});

describe("names", () => {
  it("are those of torch.nn.Sequential, or as given", () => {
    const inner = residual([linear(4), residual([linear(4, { name: "deep" })])]);
    const layers = [linear(4, { bias: false }), relu(), inner, residual([linear(4)], { name: "block" })];
    expect(new Network([3], layers).params.names).toEqual([
      "0.weight",
      "2.0.weight",
      "2.0.bias",
      "deep.weight",
      "deep.bias",
      "block.0.weight",
      "block.0.bias",
    ]);
  });

  it("of a layer that stands twice are two", () => {
    const twice = linear(3);
    expect(new Network([3], [twice, twice]).params.numel).toBe(24);
  });
});

describe("wrong layers", () => {
  it.each<[unknown, unknown, string, string]>([
    [
      [4],
      [relu(), linear(0)],
      "RangeError",
      'Network: layer 1 (linear): "outputs" expected a whole number >= 1, got 0',
    ],
    [
      [4],
      [residual([relu(), linear(3)])],
      "RangeError",
      "Network: layer 0 (residual): expected layers that give the shape of their input, [4], got [3]",
    ],
    [
      [4],
      [relu(), residual([linear(4, { biass: true } as never)])],
      "RangeError",
      'Network: layer 1.0 (linear): unknown option "biass"; did you mean "bias"? The options are bias, name',
    ],
    [
      [4],
      [linear(4, { bias: 1 } as never)],
      "TypeError",
      'Network: layer 0 (linear): "bias" expected true or false, got 1',
    ],
    [[4], [relu, linear(3)], "TypeError", 'Network: "layers[0]" expected a layer, such as relu(), got a function'],
    [[4], [residual([relu] as never)], "TypeError", 'Network: layer 0 (residual): "layers[0]" expected a layer'],
    [[4], [], "RangeError", 'Network: "layers" expected an array of one or more layers, got []'],
    [[4], relu(), "TypeError", 'Network: "layers" expected an array of one or more layers, got a Layer'],
    [
      [4],
      [linear(3, { name: "a" }), linear(3, { name: "a" })],
      "RangeError",
      'Network: layer 1 (linear): there is a tensor "a.weight" already: give the layer another name',
    ],
    [[4], [relu({ name: 3 } as never)], "TypeError", 'Network: layer 0 (relu): "name" expected a name'],
    [[], [relu()], "RangeError", 'Network: "inputShape" expected an array of one or more whole numbers >= 1, got []'],
    [4, [relu()], "TypeError", 'Network: "inputShape" expected an array of one or more whole numbers >= 1, got 4'],
    [[0], [relu()], "RangeError", 'Network: "inputShape[0]" expected a whole number >= 1, got 0'],
  ])("%j, %o", (shape, layers, type, message) => {
    expect(() => new Network(shape as number[], layers as Layer[])).toThrow(
      expect.objectContaining({ name: type, message: expect.stringContaining(message) as string }) as Error,
    );
  });
});

describe("memory", () => {
  it("that a batch does not find is an error that says how much and what to change", () => {
    const layers = [linear(1000), relu(), linear(1000)];
    const message =
      /^Network: needs \d+ bytes for a batch of 64 rows \("batchSize"\), \d+ are free: raise "capacity" of the Network$/;
    expect(() => new Network([10], layers, { capacity: 9 * 2 ** 20 })).toThrow(message);
    expect(() => new Network([3, 512, 512], [flatten(), residual([relu()])], { batchSize: 2000 })).toThrow(
      /^Network: a batch of 2000 rows needs \d+ bytes, an arena has at most \d+ for it: lower "batchSize"$/,
    );
  });

  it("is shared by what is not in use at the same time", () => {
    const bytes = (count: number, make: () => Layer): number => {
      const arena = new Arena({ capacity: 2 ** 24 });
      const before = arena.free;
      new Network([4096], Array.from({ length: count }, make), { arena, batchSize: 8 });
      return before - arena.free;
    };
    const activation = 4 * 8 * 4096;
    expect(bytes(9, gelu) - bytes(8, gelu)).toBe(activation); // its input is kept, the gradients overwrite each other
    expect(bytes(9, relu) - bytes(8, relu)).toBe(activation); // its output is kept, for the next one cannot overwrite it
    expect(bytes(9, flatten)).toBe(bytes(1, flatten));
  });
});

describe("initial values", () => {
  const layers = (): Layer[] => [embedding(100, 64), layerNorm(), selfAttention({ heads: 2 }), linear(80)];
  const statistics = (init: "torch" | "glorot" | "he" | "gpt") => {
    const { data, names } = new Network([4], layers(), { init }).params;
    return Object.fromEntries(
      names.map((name) => {
        const values = [...data[name]];
        const mean = values.reduce((a, b) => a + b, 0) / values.length;
        const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
        return [name, { largest: Math.max(...values.map(Math.abs)), mean, deviation }];
      }),
    );
  };

  it.each([
    ["torch", 1, Math.sqrt(6 / 256), 1 / 8, 1 / 8, 1 / 8],
    ["glorot", 1, Math.sqrt(6 / 256), Math.sqrt(6 / 128), Math.sqrt(6 / 144), 0],
    ["he", 1, Math.sqrt(6 / 64), Math.sqrt(6 / 64), Math.sqrt(6 / 64), 0],
    ["gpt", 0.02, 0, 0, 0, 0],
  ] as const)("%s", (init, table, inProjection, outProjection, weight, bias) => {
    const found = statistics(init);
    expect(found["0.weight"].deviation / table).toBeCloseTo(1, 1);
    expect(found["0.weight"].mean / table).toBeCloseTo(0, 1);
    expect(found["1.weight"]).toEqual({ largest: 1, mean: 1, deviation: 0 });
    expect(found["1.bias"].largest).toBe(0);
    for (const [name, bound] of [
      ["2.in_proj_weight", inProjection],
      ["2.out_proj.weight", outProjection],
      ["3.weight", weight],
    ] as const) {
      if (init === "gpt") expect(found[name].deviation / 0.02).toBeCloseTo(1, 1);
      else expect(found[name].largest / bound).toBeCloseTo(1, 2);
    }
    for (const name of ["2.in_proj_bias", "2.out_proj.bias"]) expect(found[name].largest).toBe(0);
    expect(found["3.bias"].largest).toBeLessThanOrEqual(bias);
    expect(found["3.bias"].largest > 0).toBe(bias > 0);
  });
});
