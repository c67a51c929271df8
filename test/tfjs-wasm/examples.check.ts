// The examples that need gradstep/tfjs/wasm learn something, and leak no tensors.
import "../tfjs/setup.js";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { trainConvolutions } from "../../examples/tfjs/convolutions.js";
import { trainWords } from "../../examples/tfjs/words.js";

beforeAll(() => tf.setBackend("wasm"));

test.each([
  ["a convolutional net", () => trainConvolutions({ images: 2000, testImages: 500, epochs: 2 }), 0.8],
  ["an embedding and an LSTM", () => trainWords({ sentences: 2000, epochs: 8 }), 0.95],
])("%s", async (_, train, least) => {
  const before = tf.memory().numTensors;
  expect(await train()).toBeGreaterThan(least);
  expect(tf.memory().numTensors).toBe(before);
});
