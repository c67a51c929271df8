// Compares layers and models with what PyTorch computes in float64, within bounds that follow from PyTorch's own float32 error.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { AdamW, type AdamWOptions } from "../../src/index.js";
import * as nn from "../../src/nn/index.js";

type Numbers = readonly number[];
type Made = readonly [kind: string, args: readonly unknown[], options: object];
interface LayerCase {
  readonly name: string;
  readonly layer: string;
  readonly args: readonly unknown[];
  readonly options: object;
  readonly input: Numbers;
  readonly rows: number;
  readonly x: Numbers;
  readonly gradOutput: Numbers;
  readonly training: boolean;
  readonly state: Readonly<Record<string, { readonly data: Numbers }>>;
  readonly expected: Expected<Numbers>;
  readonly bound: Expected<number>;
}
interface Expected<T> {
  readonly output: T;
  readonly gradInput?: T;
  readonly grads?: Readonly<Record<string, T>>;
  readonly buffers?: Readonly<Record<string, T>>;
}
interface ModelCase {
  readonly name: string;
  readonly layers: readonly Made[];
  readonly input: Numbers;
  readonly rows: number;
  readonly state: Readonly<Record<string, { readonly data: Numbers }>>;
  readonly batches: readonly { readonly x: Numbers; readonly y: Numbers }[];
  readonly optimizer: { readonly options: AdamWOptions };
  readonly expected: { readonly losses: Numbers; readonly output: Numbers };
  readonly bound: { readonly losses: Numbers; readonly output: number };
}
const fixture = new URL("../fixtures/nn.json.gz", import.meta.url);
const { layers, models } = JSON.parse(gunzipSync(readFileSync(fixture)).toString()) as {
  layers: LayerCase[];
  models: ModelCase[];
};

const functions = nn as unknown as Record<string, (...args: unknown[]) => nn.Layer>;
function make([kind, args, options]: Made): nn.Layer {
  if (kind !== "residual") return functions[kind](...args, options);
  return nn.residual((args[0] as readonly Made[]).map(make));
}

function expectClose(got: ArrayLike<number> | undefined, wanted: Numbers, bound: number, what: string): void {
  expect(got?.length, what).toBe(wanted.length);
  const worst = wanted.reduce((most, x, i) => {
    const error = Math.abs(got![i] - x);
    return error <= most ? most : error;
  }, 0);
  expect(worst, what).toBeLessThanOrEqual(bound);
}

function setState(network: nn.Network, state: LayerCase["state"], prefix: string): void {
  for (const [name, { data }] of Object.entries(state)) {
    const values = network.params.data[`${prefix}${name}`] ?? network.buffers[`${prefix}${name}`];
    if (!name.endsWith("num_batches_tracked")) values.set(data);
  }
}

const inputs = (kind: string, x: Numbers) => (kind === "embedding" ? Int32Array.from(x) : Float32Array.from(x));

describe("layers", () => {
  test.each(layers)(
    "$name",
    ({ layer, args, options, input, rows, x, gradOutput, training, state, expected, bound }) => {
      const network = new nn.Network(input, [make([layer, args, options])], { batchSize: rows });
      setState(network, state, "0.");
      const out = network.forward(inputs(layer, x), { training });
      expectClose(out, expected.output, bound.output, "output");
      const gradient = network.backward(Float32Array.from(gradOutput));
      if (expected.gradInput !== undefined) expectClose(gradient, expected.gradInput, bound.gradInput!, "gradInput");
      else expect(gradient).toBe(undefined);
      for (const [name, wanted] of Object.entries(expected.grads ?? {}))
        expectClose(network.params.grad[`0.${name}`], wanted, bound.grads![name], name);
      for (const [name, wanted] of Object.entries(expected.buffers ?? {}))
        if (name in (bound.buffers ?? {}))
          expectClose(network.buffers[`0.${name}`], wanted, bound.buffers![name], name);
    },
  );
});

describe("models, after 12 steps of AdamW", () => {
  test.each(models)("$name", ({ layers, input, rows, state, batches, optimizer: { options }, expected, bound }) => {
    const network = new nn.Network(input, layers.map(make), { batchSize: rows });
    setState(network, state, "");
    const optimizer = new AdamW(network.params, options);
    const kind = layers[0][0];
    batches.forEach(({ x, y }, i) => {
      const loss = network.trainBatch(inputs(kind, x), y.flat(2));
      optimizer.step();
      expectClose([loss], [expected.losses[i]], bound.losses[i], `loss ${i}`);
    });
    expectClose(network.predict(inputs(kind, batches[0].x)), expected.output, bound.output, "output");
  });
});
