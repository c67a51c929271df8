// Models that the wasm backend alone cannot train, with the losses of the cpu backend.
import "../tfjs/setup.js";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registerKernels, restoreKernels } from "../../src/tfjs/wasm/index.js";
import { losses, models } from "./models.js";

beforeAll(registerKernels);
afterAll(restoreKernels);

test.each(Object.keys(models))("%s trains with fit", async (name) => {
  await tf.setBackend("wasm");
  const ours = await losses(name);
  await tf.setBackend("cpu");
  const theirs = await losses(name);
  ours.forEach((loss, epoch) => expect(loss / theirs[epoch], `epoch ${epoch}`).toBeCloseTo(1, 5));
  expect(ours[2]).toBeLessThan(ours[0]);
});

test.each(["conv2d", "depthwiseConv2d", "embedding and LSTM"])("without the import %s does not train", async (name) => {
  restoreKernels();
  await tf.setBackend("wasm");
  await expect(losses(name)).rejects.toThrow("not registered for backend 'wasm'");
  registerKernels();
});
