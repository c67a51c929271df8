// Networks in operations of TensorFlow.js: each makes its variables on the current backend, and returns a step of Adam on made-up
// data. bench/tfjs-wasm.ts and a page of the playground compare them with and without gradstep/tfjs/wasm.
import * as tf from "@tensorflow/tfjs";

/** A step; its result is the loss. */
export type Step = () => number;

const variable = (shape: number[], scale = 0.05, seed = 1): tf.Variable =>
  tf.tidy(() => tf.variable(tf.randomNormal(shape, 0, scale, "float32", seed)));

const train = (loss: () => tf.Scalar): Step => {
  const adam = tf.train.adam(1e-3);
  return () => tf.tidy(() => adam.minimize(loss, true)!.dataSync()[0]);
};

const labels = (count: number, classes: number): tf.Tensor =>
  tf.oneHot(tf.randomUniform([count], 0, classes, "int32", 5), classes);

/** 784 inputs, 128 hidden, 10 outputs, batch 64. */
export function mlp(): Step {
  const [x, y] = [tf.randomUniform([64, 784], 0, 1, "float32", 2), labels(64, 10)];
  const [w1, b1, w2, b2] = [variable([784, 128]), variable([128], 0), variable([128, 10]), variable([10], 0)];
  return train(() => {
    const hidden = tf.relu(tf.add(tf.matMul(x, w1), b1));
    return tf.losses.softmaxCrossEntropy(y, tf.add(tf.matMul(hidden, w2), b2));
  });
}

/** Images of 28 × 28: two convolutions of 3 × 3 with 16 and 32 outputs, each with relu and pooling, then a dense layer; batch 64. */
export function cnn(): Step {
  const [x, y] = [tf.randomUniform<tf.Rank.R4>([64, 28, 28, 1], 0, 1, "float32", 2), labels(64, 10)];
  const [w1, b1, w2, b2] = [
    variable([3, 3, 1, 16], 0.2),
    variable([16], 0),
    variable([3, 3, 16, 32]),
    variable([32], 0),
  ];
  const [w3, b3] = [variable([7 * 7 * 32, 10]), variable([10], 0)];
  const convolve = (image: tf.Tensor4D, w: tf.Variable, b: tf.Variable) =>
    tf.maxPool<tf.Tensor4D>(
      tf.relu(tf.add(tf.conv2d(image, w as tf.Tensor as tf.Tensor4D, 1, "same"), b)),
      2,
      2,
      "valid",
    );
  return train(() => {
    const features = tf.reshape(convolve(convolve(x, w1, b1), w2, b2), [64, -1]);
    return tf.losses.softmaxCrossEntropy(y, tf.add(tf.matMul(features, w3), b3));
  });
}

/** 4 blocks of width 128 with 4 heads, 16 rows of 64 tokens, 96 words. `oneHot`: the embedding is a product. */
export function gpt(oneHot = true): Step {
  const [batch, tokens, words, width, heads, blocks] = [16, 64, 96, 128, 4, 4];
  const ids = tf.randomUniform<tf.Rank.R1>([batch * tokens], 0, words, "int32", 3);
  const [first, y] = [tf.oneHot(ids, words), labels(batch * tokens, words)];
  const mask = tf.tidy(() => tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([tokens, tokens]), -1, 0)), -1e9));
  const dense = (inputs: number, outputs: number): ((x: tf.Tensor) => tf.Tensor) => {
    const [w, b] = [variable([inputs, outputs]), variable([outputs], 0)];
    return (x) => tf.add(tf.matMul(x, w), b);
  };
  const norm = (): ((x: tf.Tensor) => tf.Tensor) => {
    const [gain, bias] = [tf.variable(tf.ones([width])), variable([width], 0)];
    return (x) => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5));
      return tf.add(tf.mul(tf.mul(centred, scale), gain), bias);
    };
  };
  const byHead = (x: tf.Tensor): tf.Tensor =>
    tf.transpose(tf.reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
  const gelu = (x: tf.Tensor): tf.Tensor => {
    const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))));
    return tf.mul(tf.mul(x, 0.5), tf.add(1, tf.tanh(inner)));
  };
  const block = (): ((x: tf.Tensor) => tf.Tensor) => {
    const [norm1, norm2, project, out] = [norm(), norm(), dense(width, 3 * width), dense(width, width)];
    const [wide, narrow] = [dense(width, 4 * width), dense(4 * width, width)];
    return (x) => {
      const [query, key, value] = tf.split(project(norm1(x)), 3, 1).map(byHead);
      const scores = tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(width / heads));
      const mixed = tf.transpose(tf.matMul(tf.softmax(tf.add(scores, mask)), value), [0, 2, 1, 3]);
      const attended = tf.add(x, out(tf.reshape(mixed, [batch * tokens, width])));
      return tf.add(attended, narrow(gelu(wide(norm2(attended)))));
    };
  };
  const [table, positions, last, head] = [
    variable([words, width]),
    variable([tokens, width]),
    norm(),
    variable([width, words]),
  ];
  const all = Array.from({ length: blocks }, block);
  return train(() => {
    const embedded = oneHot ? tf.matMul(first, table) : tf.gather(table, ids);
    const placed = tf.add(tf.reshape(embedded, [batch, tokens, width]), positions);
    const x = all.reduce<tf.Tensor>((from, apply) => apply(from), tf.reshape(placed, [batch * tokens, width]));
    return tf.losses.softmaxCrossEntropy(y, tf.matMul(last(x), head));
  });
}

/** An LSTM of 128 units over 32 inputs of 32, batch 32, from tf.layers. */
export function lstm(): Step {
  const model = tf.sequential({
    layers: [
      tf.layers.lstm({ inputShape: [32, 32], units: 128, recurrentInitializer: "glorotUniform" }),
      tf.layers.dense({ units: 10 }),
    ],
  });
  const [x, y] = [tf.randomUniform([32, 32, 32], -1, 1, "float32", 2), labels(32, 10)];
  return train(() => tf.losses.softmaxCrossEntropy(y, model.apply(x) as tf.Tensor));
}

/** An autoencoder of images of 28 × 28, of tf.layers: strided convolutions, batch normalization, transposed convolutions; batch 32. */
export function autoencoder(): Step {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 16, kernelSize: 3, strides: 2, padding: "same" }),
      tf.layers.leakyReLU({ alpha: 0.2 }),
      tf.layers.conv2d({ filters: 32, kernelSize: 3, strides: 2, padding: "same" }),
      tf.layers.batchNormalization(),
      tf.layers.leakyReLU({ alpha: 0.2 }),
      tf.layers.conv2dTranspose({ filters: 16, kernelSize: 3, strides: 2, padding: "same" }),
      tf.layers.batchNormalization(),
      tf.layers.activation({ activation: "relu" }),
      tf.layers.upSampling2d({ size: [2, 2] }),
      tf.layers.conv2d({ filters: 1, kernelSize: 3, padding: "same", activation: "sigmoid" }),
    ],
  });
  const x = tf.randomUniform([32, 28, 28, 1], 0, 1, "float32", 2);
  return train(() => tf.losses.meanSquaredError(x, model.apply(x, { training: true }) as tf.Tensor));
}
