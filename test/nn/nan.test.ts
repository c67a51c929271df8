// Tests that a NaN stays in the row of the batch in which it is, in outputs and in gradients, whatever the layer.
import { describe, expect, test } from "vitest";
import * as nn from "../../src/nn/index.js";
import { expectSameBits, numbers } from "./field.js";

const ROWS = 5;
const BAD = 2;

const layers: Record<string, readonly [shape: readonly number[], make: () => nn.Layer]> = {
  linear: [[7], () => nn.linear(5)],
  "linear on tokens": [[3, 7], () => nn.linear(5)],
  conv1d: [[3, 9], () => nn.conv1d(4, { kernelSize: 3, padding: 1 })],
  conv2d: [[3, 6, 5], () => nn.conv2d(4, { kernelSize: 3, padding: 1 })],
  "conv2d with stride": [[3, 6, 5], () => nn.conv2d(4, { kernelSize: 3, stride: 2 })],
  maxPool2d: [[3, 6, 5], () => nn.maxPool2d(2)],
  "maxPool2d of 2 × 2, whole vectors": [[4, 6, 5], () => nn.maxPool2d(2)],
  "maxPool2d with overlap": [[3, 6, 5], () => nn.maxPool2d(3, { stride: 1, padding: 1 })],
  avgPool2d: [[3, 6, 5], () => nn.avgPool2d(2)],
  globalAvgPool2d: [[3, 6, 5], () => nn.globalAvgPool2d()],
  relu: [[7], () => nn.relu()],
  leakyRelu: [[7], () => nn.leakyRelu()],
  tanh: [[7], () => nn.tanh()],
  sigmoid: [[7], () => nn.sigmoid()],
  gelu: [[7], () => nn.gelu()],
  silu: [[7], () => nn.silu()],
  dropout: [[7], () => nn.dropout(0.3)],
  "batchNorm in evaluation": [[3, 4, 5], () => nn.batchNorm()],
  layerNorm: [[3, 9], () => nn.layerNorm()],
  groupNorm: [[6, 2, 3], () => nn.groupNorm(2)],
  positionEmbedding: [[3, 5], () => nn.positionEmbedding()],
  selfAttention: [[5, 6], () => nn.selfAttention({ heads: 2 })],
  "selfAttention, causal": [[17, 6], () => nn.selfAttention({ heads: 3, causal: true })],
};

describe.each(Object.entries(layers))("%s", (name, [shape, make]) => {
  const size = shape.reduce((product, n) => product * n);
  const training = name !== "batchNorm in evaluation";

  function run(x: Float32Array, dy: (size: number) => Float32Array) {
    // A new one each time: dropout draws by the number of training forwards.
    const network = new nn.Network(shape, [make()], { batchSize: ROWS });
    const y = network.forward(x, { training }).slice();
    return { y, dx: network.backward(dy(y.length))!.slice() };
  }

  /** Compares all rows but the bad one, in which something must be NaN. */
  function compare(got: Float32Array, clean: Float32Array, what: string): void {
    const row = clean.length / ROWS;
    for (let i = 0; i < ROWS; i++) {
      const [a, b] = [got, clean].map((all) => all.slice(i * row, (i + 1) * row));
      if (i !== BAD) expectSameBits(a, b, `${what} of row ${i}`);
      else expect(a.some(Number.isNaN), what).toBe(true);
    }
  }

  const x = numbers(ROWS * size, 1);
  const gradient = (n: number): Float32Array => numbers(n, 2);

  test("of x", () => {
    const clean = run(x, gradient);
    const bad = x.slice();
    bad[BAD * size + 1] = NaN;
    compare(run(bad, gradient).y, clean.y, "y");
  });

  test("of dy", () => {
    const clean = run(x, gradient);
    const { dx } = run(x, (n) => {
      const dy = gradient(n);
      return dy.fill(NaN, (BAD * n) / ROWS, ((BAD + 1) * n) / ROWS);
    });
    compare(dx, clean.dx, "dx");
  });
});
