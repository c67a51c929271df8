// The bits of networks with every kind of layer, loss and start, which must be the same everywhere.
import { AdamW } from "../../../src/index.js";
import * as nn from "../../../src/nn/index.js";
import { Hash } from "./hash.js";

const {
  conv1d,
  conv2d,
  relu,
  leakyRelu,
  tanh,
  sigmoid,
  silu,
  gelu,
  maxPool2d,
  avgPool2d,
  globalAvgPool2d,
  batchNorm,
  groupNorm,
  layerNorm,
  flatten,
  dropout,
  linear,
  embedding,
  positionEmbedding,
  residual,
  selfAttention,
} = nn;

interface Made {
  readonly input: readonly number[];
  readonly layers: () => nn.Layer[];
  readonly options: nn.NetworkOptions;
  /** Numbers of y for a row, and of classes, 0 for numbers; tokens, 0 for numbers. */
  readonly targets: number;
  readonly classes: number;
  readonly tokens?: number;
}

const made: readonly Made[] = [
  {
    input: [3, 11, 10],
    layers: () => [
      conv2d(8, { kernelSize: 3, padding: "same", bias: false }),
      batchNorm(),
      relu(),
      maxPool2d(2),
      residual([conv2d(8, { kernelSize: 3, padding: 1, groups: 2 }), groupNorm(4), silu(), dropout(0.2)]),
      avgPool2d(3, { stride: 1, padding: 1 }),
      conv2d(18, { kernelSize: [1, 3], stride: [1, 2], dilation: [1, 2] }),
      leakyRelu({ negativeSlope: 0.1 }),
      globalAvgPool2d(),
      linear(5),
    ],
    options: { init: "he", labelSmoothing: 0.1 },
    targets: 1,
    classes: 5,
  },
  {
    input: [1, 12, 12],
    layers: () => [
      conv2d(16, { kernelSize: 3, padding: 1 }),
      relu(),
      maxPool2d(2),
      conv2d(17, { kernelSize: 3, padding: 1 }),
      relu(),
      maxPool2d(3, { stride: 2, padding: 1 }),
      flatten(),
      dropout(0.5),
      linear(10),
    ],
    options: { init: "torch" },
    targets: 1,
    classes: 10,
  },
  {
    input: [4, 30],
    layers: () => [
      conv1d(9, { kernelSize: 5, stride: 2, padding: 2 }),
      tanh(),
      conv1d(6, { kernelSize: 3, dilation: 2 }),
      sigmoid(),
      flatten(),
      linear(3),
    ],
    options: { init: "glorot", loss: "huber", delta: 0.4 },
    targets: 3,
    classes: 0,
  },
  {
    input: [9],
    layers: () => [linear(21), gelu(), layerNorm(), linear(4)],
    options: { loss: "binary-cross-entropy" },
    targets: 4,
    classes: 0,
  },
  {
    input: [19],
    layers: () => [
      embedding(11, 24),
      positionEmbedding(),
      residual([layerNorm(), selfAttention({ heads: 3, causal: true }), dropout(0.1)]),
      residual([layerNorm(), linear(50), gelu(), linear(24)]),
      residual([selfAttention({ heads: 2, bias: false })]),
      layerNorm(),
      linear(11, { bias: false }),
    ],
    options: { init: "gpt", ignoreIndex: 0 },
    targets: 19,
    classes: 11,
    tokens: 11,
  },
];

const ROWS = 12;

export function networkBits(noise: Float32Array): string {
  const hash = new Hash();
  for (const one of made) {
    const [a, b] = [true, false].map((skipZeros) => train(one, noise, skipZeros));
    if (a !== b) throw new Error(`networks of ${one.input.join(", ")}: skipping zeros changes the bits`);
    hash.text(a);
  }
  return hash.hex();
}

function train(
  { input, layers, options, targets, classes, tokens = 0 }: Made,
  noise: Float32Array,
  skipZeros: boolean,
) {
  const hash = new Hash();
  const network = new nn.Network(input, layers(), { ...options, skipZeros, batchSize: ROWS });
  const optimizer = new AdamW(network.params, { lr: 0.01 });
  const count = ROWS * input.reduce((size, n) => size * n, 1);
  const at = (i: number): number => noise[i % noise.length];
  const whole = (i: number, below: number): number => Math.floor(Math.abs(at(i)) * 1e4) % below;
  const x = tokens
    ? Uint16Array.from({ length: count }, (_, i) => whole(i, tokens))
    : Float32Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 0 : at(i)));
  const y = classes
    ? Int32Array.from({ length: ROWS * targets }, (_, i) => whole(i + 7, classes))
    : Float32Array.from({ length: ROWS * targets }, (_, i) => Math.abs(at(i + 7)));
  for (let t = 0; t < 6; t++) {
    hash.number(network.trainBatch(x, y));
    optimizer.step();
  }
  for (const name of network.params.names) hash.numbers(network.params.data[name]).numbers(network.params.grad[name]);
  for (const values of Object.values(network.buffers)) hash.numbers(values);
  hash.numbers(network.predict(x)).number(network.evaluate(x, y).loss);
  const outputs = network.forward(x);
  const gradient = network.backward(outputs);
  if (gradient) hash.numbers(gradient);
  optimizer.dispose();
  network.dispose();
  return hash.hex();
}
