import * as tf from "@tensorflow/tfjs";
import { GradstepOptimizer } from "gradstep/tfjs";
import { type Samples, mnistDirectory, readDataset } from "../mnist/idx.ts";

export interface MnistOptions {
  /** Images to train on, and to test on. */
  readonly images: number;
  readonly testImages: number;
  readonly epochs: number;
  readonly onEpoch?: (epoch: number, logs: tf.Logs) => void;
}

/** Trains a small network on MNIST with `model.fit`; returns its accuracy on test images. */
export async function trainMnist({ images, testImages, epochs, onEpoch }: MnistOptions): Promise<number> {
  const { train, test, pixels, classes } = readDataset(mnistDirectory());
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        units: 64,
        activation: "relu",
        inputShape: [pixels],
        kernelInitializer: tf.initializers.heNormal({ seed: 1 }),
      }),
      tf.layers.dense({
        units: classes,
        activation: "softmax",
        kernelInitializer: tf.initializers.heNormal({ seed: 2 }),
      }),
    ],
  });
  const optimizer = new GradstepOptimizer("adamw", {
    lr: 3e-3,
    weightDecay: 0.01,
    groups: [{ params: /bias/, weightDecay: 0 }],
  });
  model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });

  const [x, y] = tensors(train, images, pixels, classes);
  const [testX, testY] = tensors(test, testImages, pixels, classes);
  await model.fit(x, y, {
    epochs,
    batchSize: 64,
    callbacks: { onEpochEnd: (epoch, logs) => onEpoch?.(epoch + 1, logs ?? {}) },
  });
  const [loss, accuracy] = model.evaluate(testX, testY) as tf.Scalar[];
  const [result] = await accuracy.data();
  tf.dispose([x, y, testX, testY, loss, accuracy]);
  model.dispose();
  optimizer.dispose();
  return result;
}

/** The first images as rows of numbers from 0 to 1, and what they show as rows of 0 and 1. */
function tensors(samples: Samples, count: number, pixels: number, classes: number): [tf.Tensor2D, tf.Tensor2D] {
  const images = Float32Array.from(samples.images.subarray(0, count * pixels), (byte) => byte / 255);
  const labels = Int32Array.from(samples.labels.subarray(0, count));
  return [
    tf.tensor2d(images, [count, pixels]),
    tf.tidy(() => tf.oneHot(tf.tensor1d(labels, "int32"), classes).toFloat() as tf.Tensor2D),
  ];
}
