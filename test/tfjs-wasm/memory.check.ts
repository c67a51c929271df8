// TensorFlow.js's tensors and the wasm heap after 10,000 steps are those after 100.
import "../tfjs/setup.js";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registerKernels, restoreKernels } from "../../src/tfjs/wasm/index.js";

beforeAll(registerKernels);
afterAll(restoreKernels);

interface Heap {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    readonly _malloc: (bytes: number) => number;
    _free(address: number): void;
  };
}

test("10,000 steps of convolutions, an embedding, attention by einsum and dense layers leak nothing", async () => {
  await tf.setBackend("wasm");
  const { wasm } = tf.backend() as unknown as Heap;
  const variable = (shape: number[], seed: number): tf.Variable =>
    tf.tidy(() => tf.variable(tf.randomNormal(shape, 0, 0.3, "float32", seed)));
  const [conv, depthwise, table] = [variable([3, 3, 2, 3], 1), variable([2, 2, 3, 2], 2), variable([5, 4], 3)];
  const [dense, query] = [variable([10, 2], 4), variable([4, 2, 2], 5)];
  const x = tf.randomUniform<tf.Rank.R4>([2, 6, 6, 2], -1, 1, "float32", 6);
  const ids = tf.tensor2d([0, 1, 4, 1, 2, 3], [2, 3], "int32");
  const adam = tf.train.adam(1e-3);
  const step = (): void => {
    tf.tidy(() => {
      adam.minimize(() => {
        const convolved = tf.conv2d(x, conv as tf.Tensor as tf.Tensor4D, 1, "same");
        const image = tf.maxPool(convolved, 2, 2, "valid");
        const wide = tf.depthwiseConv2d(image, depthwise as tf.Tensor as tf.Tensor4D, 1, "valid");
        const words = tf.einsum("btc,chd->bhd", tf.gather(table, ids), query);
        const features = tf.concat([tf.mean(wide, [1, 2]), tf.reshape(words, [2, 4])], 1);
        return tf.mean<tf.Scalar>(tf.square(tf.tanh(tf.matMul(features, dense))));
      });
    });
  };
  /** The lowest address at which a large block fits: it rises if something small stays allocated. */
  const measure = () => {
    const address = wasm._malloc(1 << 20);
    wasm._free(address);
    return { tensors: tf.memory().numTensors, bytes: tf.memory().numBytes, heap: wasm.HEAPU8.length, address };
  };
  for (let i = 0; i < 100; i++) step();
  const before = measure();
  for (let i = 0; i < 10_000; i++) step();
  const after = measure();
  expect({ ...after, address: 0 }).toEqual({ ...before, address: 0 });
  // The backend's own tables move by less; a block of 8 bytes a step would take 160,000.
  expect(after.address - before.address).toBeLessThan(32_768);
});
