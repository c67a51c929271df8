// Run by garbage.slow.test.ts with --expose-gc: prints by how much the heap grows over some numbers of training steps of a
// network, as medians of nine runs, once V8 has compiled them.
import { Adam } from "gradstep";
import * as nn from "gradstep/nn";

const { conv2d, relu, maxPool2d, batchNorm, residual, dropout, flatten, linear, embedding, positionEmbedding } = nn;
const { layerNorm, selfAttention, gelu } = nn;
const networks = {
  mlp: () => ({ network: new nn.MLP([4, 8, 3]), x: new Float32Array(16).fill(0.3), y: [1, 0, 2, 1] }),
  regression: () => ({
    network: new nn.MLP([4, 8, 3], { loss: "huber" }),
    x: new Float32Array(16).fill(0.3),
    y: new Float32Array(12),
  }),
  convolutions: () => ({
    network: new nn.Network(
      [1, 6, 6],
      [
        conv2d(4, { kernelSize: 3, padding: 1 }),
        relu(),
        maxPool2d(2),
        batchNorm(),
        residual([conv2d(4, { kernelSize: 3, padding: 1 }), dropout(0.1)]),
        flatten(),
        linear(3),
      ],
    ),
    x: new Uint8Array(144).fill(9),
    y: Uint8Array.of(1, 0, 2, 1),
  }),
  transformer: () => ({
    network: new nn.Network(
      [6],
      [
        embedding(5, 8),
        positionEmbedding(),
        residual([layerNorm(), selfAttention({ heads: 2, causal: true })]),
        residual([layerNorm(), linear(16), gelu(), linear(8)]),
        linear(5, { bias: false }),
      ],
      { batchSize: 2, ignoreIndex: -1 },
    ),
    x: Int32Array.from({ length: 12 }, (_, i) => i % 5),
    y: Int32Array.from({ length: 12 }, (_, i) => (i % 6) - 1),
  }),
};

const [name, open] = process.argv.slice(2);
const { network, x, y } = networks[name]();
const optimizer = new Adam(network.params);
const trainBatch = () => {
  network.trainBatch(x, y);
  optimizer.step();
};
const forwardBackward = () => {
  network.backward(network.forward(x));
  optimizer.step();
};
const step = open ? forwardBackward : trainBatch;

function steps(count) {
  for (let i = 0; i < count; i++) step();
}

function growth(count) {
  const runs = [];
  for (let run = 0; run < 9; run++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    steps(count);
    runs.push(process.memoryUsage().heapUsed - before);
  }
  return runs.sort((a, b) => a - b)[4];
}

steps(10_000);
// On a busy machine V8 is still compiling then, which leaves garbage of its own.
for (let turn = 0; turn < 20 && growth(200) > growth(0); turn++) steps(4_000);
console.log(JSON.stringify([0, 500, 2_000].map(growth)));
