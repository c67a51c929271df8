// Networks in files: PyTorch's, and checkpoints from which training continues with the same bits.
import { describe, expect, it, test } from "vitest";
import { load, read, save } from "../../src/checkpoint/index.js";
import { AdamW, ParameterDict } from "../../src/index.js";
import * as nn from "../../src/nn/index.js";
import { fixture } from "../support/fixture.js";
import { numbers } from "./field.js";

type Made = readonly [kind: string, args: readonly unknown[], options: object];
interface ModelCase {
  readonly name: string;
  readonly layers: readonly Made[];
  readonly input: readonly number[];
  readonly rows: number;
  readonly batches: readonly { readonly x: readonly number[] }[];
  readonly file: string;
  readonly fileOutput: readonly number[];
  readonly bound: { readonly output: number };
}
const { models } = JSON.parse(fixture("nn.json.gz").toString()) as { models: ModelCase[] };
const functions = nn as unknown as Record<string, (...args: unknown[]) => nn.Layer>;
const make = ([kind, args, options]: Made): nn.Layer =>
  kind === "residual" ? nn.residual((args[0] as readonly Made[]).map(make)) : functions[kind](...args, options);

test.each(models)("$file, of PyTorch, gives PyTorch's outputs, and is saved as it was", (model) => {
  const network = new nn.Network(model.input, model.layers.map(make), { batchSize: model.rows });
  const bytes = fixture(model.file);
  expect(load(bytes, network)).toMatchObject({ missing: [], unexpected: [] });
  const [{ x }] = model.batches;
  const outputs = network.predict(model.layers[0][0] === "embedding" ? Int32Array.from(x) : x);
  model.fileOutput.forEach((wanted, i) =>
    expect(Math.abs(outputs[i] - wanted)).toBeLessThanOrEqual(model.bound.output),
  );
  const [before, after] = [read(bytes).tensors, read(save(network)).tensors];
  for (const [name, tensor] of Object.entries(before))
    if (!name.endsWith("num_batches_tracked")) expect(after[name]).toEqual(tensor);
  expect(Object.keys(after).every((name) => name in before)).toBe(true);
});

const layers = (): nn.Layer[] => [
  nn.conv2d(4, { kernelSize: 3, name: "first" }),
  nn.batchNorm(),
  nn.relu(),
  nn.residual([nn.conv2d(4, { kernelSize: 1 }), nn.dropout(0.3)]),
  nn.flatten(),
  nn.linear(3),
];
const make6 = (seed: number): { network: nn.Network; optimizer: AdamW } => {
  const network = new nn.Network([2, 5, 5], layers(), { batchSize: 6, seed });
  return { network, optimizer: new AdamW(network.params, { lr: 0.01 }) };
};
const train = ({ network, optimizer }: ReturnType<typeof make6>, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => {
    const loss = network.trainBatch(numbers(300, i), [0, 1, 2, 0, 1, 2]);
    optimizer.step();
    return loss;
  });

describe("a checkpoint", () => {
  it("continues with the same bits: parameters, running statistics, dropout", () => {
    const a = make6(1);
    train(a, 3);
    const bytes = save(a.network, { optimizers: [a.optimizer] });
    const b = make6(1);
    load(bytes, b.network, { optimizers: [b.optimizer] });
    expect(train(b, 3)).toEqual(train(a, 3));
    expect(b.network.params.copy()).toEqual(a.network.params.copy());
    expect(b.network.buffers).toEqual(a.network.buffers);
    const c = make6(1); // without the count of training forwards, other elements are dropped
    load(save(a.network.params), c.network.params);
    expect(train(c, 1)).not.toEqual(train(a, 1));
  });

  it("has buffers under their names, and goes into a dictionary too", () => {
    const { network } = make6(1);
    expect(Object.keys(read(save(network)).tensors)).toEqual(
      [...network.params.names, "1.running_mean", "1.running_var"].sort(),
    );
    const shapes = { ...network.params.shapes, "1.running_mean": [4], "1.running_var": [4] };
    const dictionary = new ParameterDict(shapes);
    load(save(network), dictionary);
    expect([...dictionary.data["1.running_var"]]).toEqual([1, 1, 1, 1]);
    expect(() => load(save(network.params), network)).toThrow('load: the file has no tensor "1.running_mean"');
    expect(load(save(network.params), network, { strict: false }).missing).toEqual(["1.running_mean", "1.running_var"]);
    expect(() => load(save(network), network.params)).toThrow('got no "1.running_mean", "1.running_var"');
  });

  it("of PyTorch may count batches in any dtype", () => {
    const { network } = make6(1);
    for (const shape of [[], [1]]) {
      const shapes = {
        ...network.params.shapes,
        "1.running_mean": [4],
        "1.running_var": [4],
        "1.num_batches_tracked": shape,
      };
      const file = save(new ParameterDict(shapes));
      expect(load(file, network)).toMatchObject({ missing: [], unexpected: [] });
      expect(load(file, network, { strict: false })).toMatchObject({ missing: [], unexpected: [] });
    }
    const shapes = {
      ...network.params.shapes,
      "1.running_mean": [4],
      "1.running_var": [4],
      "0.num_batches_tracked": [],
    };
    expect(() => load(save(new ParameterDict(shapes)), network)).toThrow('got no "0.num_batches_tracked"');
  });

  it("that does not fit changes nothing", () => {
    const made = make6(1);
    const { network } = made;
    train(made, 1);
    const before = [network.params.copy(), network.buffers["1.running_mean"].slice()];
    const other = new nn.Network([2, 5, 5], [nn.conv2d(4, { kernelSize: 3, name: "first" }), nn.batchNorm()]);
    expect(() => load(save(other), network)).toThrow("has no tensor");
    expect([network.params.copy(), network.buffers["1.running_mean"].slice()]).toEqual(before);
  });

  it("of anything else is an error", () => {
    expect(() => save({ params: 3 } as never)).toThrow('save: "params" expected a ParameterDict');
    expect(() => save(new AdamW(new ParameterDict({ w: [1] })) as never)).toThrow(
      'save: "params" expected a ParameterDict',
    );
  });
});
