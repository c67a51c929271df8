// The two networks that contenders train beside the MLP, their start and their data: the same numbers in every process.
import {
  type Layer,
  Network,
  type NetworkOptions,
  Random,
  conv2d,
  embedding,
  flatten,
  gelu,
  layerNorm,
  linear,
  maxPool2d,
  positionEmbedding,
  relu,
  residual,
  selfAttention,
} from "../../dist/nn/index.js";

export const models = ["cnn", "gpt"] as const;
export type Model = (typeof models)[number];

/** Two 3 × 3 convolutions, each with ReLU and 2 × 2 max pooling, and a dense layer. */
export const cnn = { batch: 64, side: 28, channels: [16, 32], classes: 10 } as const;
/** A transformer that predicts the next of 65 characters; `batch` rows of `tokens` a step. */
export const gpt = { batch: 16, tokens: 64, words: 65, width: 128, heads: 4, blocks: 4 } as const;

/** Images or characters in a step. */
export const units = { cnn: cnn.batch, gpt: gpt.batch * gpt.tokens } as const;

const threeByThree = { kernelSize: 3, padding: 1 } as const;

const block = (i: number): Layer[] => [
  residual([layerNorm({ name: `h${i}.ln1` }), selfAttention({ heads: gpt.heads, causal: true, name: `h${i}.attn` })]),
  residual([
    layerNorm({ name: `h${i}.ln2` }),
    linear(4 * gpt.width, { name: `h${i}.fc` }),
    gelu(),
    linear(gpt.width, { name: `h${i}.out` }),
  ]),
];

/** The networks in gradstep, where all others get their start from. Adam with a rate of 0.001 trains both. */
export const makeNetwork: Readonly<Record<Model, (options: NetworkOptions) => Network>> = {
  cnn: (options) =>
    new Network(
      [1, cnn.side, cnn.side],
      [
        ...[conv2d(cnn.channels[0], { ...threeByThree, name: "conv1" }), relu(), maxPool2d(2)],
        ...[conv2d(cnn.channels[1], { ...threeByThree, name: "conv2" }), relu(), maxPool2d(2)],
        ...[flatten(), linear(cnn.classes, { name: "fc" })],
      ],
      { batchSize: cnn.batch, ...options },
    ),
  gpt: (options) =>
    new Network(
      [gpt.tokens],
      [
        ...[embedding(gpt.words, gpt.width, { name: "wte" }), positionEmbedding({ name: "wpe" })],
        ...Array.from({ length: gpt.blocks }, (_, i) => block(i)).flat(),
        ...[layerNorm({ name: "ln" }), linear(gpt.words, { bias: false, name: "head" })],
      ],
      { batchSize: gpt.batch, init: "gpt", ...options },
    ),
};

/** A tensor, row-major. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** The parameters that a network starts from, by name, in PyTorch's layout. */
export function startOf(model: Model): Record<string, Values> {
  const network = makeNetwork[model]({});
  const { shapes } = network.params;
  const values = Object.entries(network.params.copy()).map(([name, data]): [string, Values] => [
    name,
    { shape: shapes[name], data: Float32Array.from(data) },
  ]);
  network.dispose();
  return Object.fromEntries(values);
}

/** The tensor with its axes in another order. */
export function permuted({ shape, data }: Values, axes: readonly number[]): Values {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const to = axes.map((axis) => shape[axis]);
  const values = Float32Array.from(data, (_, index) => {
    let [from, rest] = [0, index];
    for (let i = to.length - 1; i >= 0; i--) {
      from += (rest % to[i]) * strides[axes[i]];
      rest = Math.floor(rest / to[i]);
    }
    return data[from];
  });
  return { shape: to, data: values };
}

/** The convolutional net's parameters where images have their channels last; the dense layer takes rows, columns, channels. */
export function channelsLast(start: Readonly<Record<string, Values>>): Record<string, Values> {
  const side = cnn.side / 4;
  const dense = { shape: [cnn.classes, cnn.channels[1], side, side], data: start["fc.weight"].data };
  const last = (values: Values): Values => permuted(values, [0, 2, 3, 1]);
  return {
    ...start,
    "conv1.weight": last(start["conv1.weight"]),
    "conv2.weight": last(start["conv2.weight"]),
    "fc.weight": { shape: start["fc.weight"].shape, data: last(dense).data },
  };
}

/** Weights of dense layers as [in, out], which suits libraries that multiply x · w. */
export const inputsFirst = (start: Readonly<Record<string, Values>>): Record<string, Values> =>
  Object.fromEntries(
    Object.entries(start).map(([name, values]) => [
      name,
      /(proj_|proj\.|fc\.|out\.|head\.)weight$/.test(name) ? permuted(values, [1, 0]) : values,
    ]),
  );

/** Pixels from 0 to 1, or tokens; and classes, one an image or a token. */
export interface Batch {
  readonly x: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  readonly y: Int32Array<ArrayBuffer>;
}

const BATCHES = 8;
const made: Partial<Record<Model, readonly Batch[]>> = {};

/** A batch of random numbers; after eight, the first comes again. None of the pixels is zero, which gradstep would skip. */
export function batchOf(model: Model, index: number): Batch {
  const batches = (made[model] ??= Array.from({ length: BATCHES }, (_, i) => makeBatch[model](new Random(i + 1))));
  return batches[index % BATCHES];
}

const below = (random: Random, length: number, most: number): Int32Array<ArrayBuffer> =>
  Int32Array.from({ length }, () => random.below(most));

const makeBatch: Readonly<Record<Model, (random: Random) => Batch>> = {
  cnn: (random) => ({
    x: Float32Array.from({ length: cnn.batch * cnn.side ** 2 }, () => 1 - random.uniform()),
    y: below(random, cnn.batch, cnn.classes),
  }),
  gpt: (random) => ({ x: below(random, units.gpt, gpt.words), y: below(random, units.gpt, gpt.words) }),
};
