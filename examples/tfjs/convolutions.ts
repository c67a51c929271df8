import * as tf from "@tensorflow/tfjs";
import "gradstep/tfjs/wasm"; // without it the wasm backend has no gradient of a convolution
import { type Samples, mnistDirectory, readDataset } from "../mnist/idx.ts";

export interface ConvolutionsOptions {
  /** Images to train on, and to test on. */
  readonly images: number;
  readonly testImages: number;
  readonly epochs: number;
  readonly onEpoch?: (epoch: number, logs: tf.Logs) => void;
}

/** Trains a convolutional net on MNIST with `model.fit` and TensorFlow.js's own Adam; returns its accuracy on test images. */
export async function trainConvolutions(options: ConvolutionsOptions): Promise<number> {
  const { train, test } = readDataset(mnistDirectory());
  const initializer = (seed: number) => tf.initializers.heNormal({ seed });
  const convolution = (filters: number, seed: number) =>
    tf.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: "same",
      activation: "relu",
      kernelInitializer: initializer(seed),
    });
  const model = tf.sequential({
    layers: [
      tf.layers.inputLayer({ inputShape: [28, 28, 1] }),
      convolution(8, 1),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      convolution(16, 2),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 10, activation: "softmax", kernelInitializer: initializer(3) }),
    ],
  });
  const optimizer = tf.train.adam(2e-3);
  model.compile({ optimizer, loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });

  const [x, y] = tensors(train, options.images);
  const [testX, testY] = tensors(test, options.testImages);
  await model.fit(x, y, {
    epochs: options.epochs,
    batchSize: 64,
    callbacks: { onEpochEnd: (epoch, logs) => options.onEpoch?.(epoch + 1, logs ?? {}) },
  });
  const [loss, accuracy] = model.evaluate(testX, testY) as tf.Scalar[];
  const [result] = await accuracy.data();
  tf.dispose([x, y, testX, testY, loss, accuracy]);
  model.dispose();
  optimizer.dispose();
  return result;
}

/** The first images, of numbers from 0 to 1, and what they show. */
function tensors(samples: Samples, count: number): [tf.Tensor4D, tf.Tensor1D] {
  const images = Float32Array.from(samples.images.subarray(0, count * 784), (byte) => byte / 255);
  return [tf.tensor4d(images, [count, 28, 28, 1]), tf.tensor1d(Array.from(samples.labels.subarray(0, count)))];
}
