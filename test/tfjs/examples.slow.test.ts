import * as tf from "@tensorflow/tfjs";
import { expect, test, vi } from "vitest";
import { trainMnist } from "../../examples/tfjs/mnist.js";
import { trainVerse } from "../../examples/tfjs/verse.js";
import { random } from "../support/harness.js";
import { onBackends } from "./setup.js";

onBackends((backend) => {
  test("MNIST with model.fit leaks no tensors", async () => {
    const before = tf.memory().numTensors;
    const losses: number[] = [];
    const shuffle = vi.spyOn(Math, "random").mockImplementation(random(1)); // the same order of images each time
    const accuracy = await trainMnist({
      images: 2000,
      testImages: 1000,
      epochs: 2,
      onEpoch: (_, { loss }) => losses.push(loss),
    });
    shuffle.mockRestore();
    expect(losses[1]).toBeLessThan(losses[0]);
    expect(accuracy).toBeGreaterThan(0.83);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("a transformer with groups, clipping and a schedule learns a verse and leaks no tensors", () => {
    const before = tf.memory().numTensors;
    // The cpu backend is slow, so only a few steps are taken there.
    const { steps, batch, bound } = {
      cpu: { steps: 30, batch: 4, bound: 2.8 },
      wasm: { steps: 160, batch: 8, bound: 0.8 },
    }[backend];
    const { first, last } = trainVerse({ steps, batch, layers: 2, width: 32 });
    expect(first).toBeGreaterThan(3);
    expect(last).toBeLessThan(bound);
    expect(tf.memory().numTensors).toBe(before);
  });
});
