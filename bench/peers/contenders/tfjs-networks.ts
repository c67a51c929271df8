// The convolutional net and the GPT in TensorFlow.js.
import * as tf from "@tensorflow/tfjs";
import { type Contender, hyper } from "../contender.ts";
import { type Values, channelsLast, cnn, gpt, inputsFirst, permuted, startOf } from "../models.ts";

type Variables = Readonly<Record<string, tf.Variable>>;
type Loss = (x: tf.Tensor, y: tf.Tensor) => tf.Scalar;

const variables = (start: Readonly<Record<string, Values>>): Variables =>
  Object.fromEntries(
    Object.entries(start).map(([name, { data, shape }]) => [
      name,
      tf.tidy(() => tf.variable(tf.tensor(data, [...shape]), true, name)),
    ]),
  );

export const network: NonNullable<Contender["network"]> = (model) => {
  const { lr, beta1, beta2, eps } = hyper;
  const adam = tf.train.adam(lr, beta1, beta2, eps);
  const oneHot = model === "gpt" && tf.getBackend() === "wasm";
  const [loss, classes] = model === "cnn" ? [cnnLoss(), cnn.classes] : [gptLoss(oneHot), gpt.words];
  return {
    ...(oneHot ? { note: "its embedding is a product with one-hot rows, since it has no gradient of a look-up" } : {}),
    step: ({ x, y }) =>
      tf.tidy(() => {
        const inputs = model === "cnn" ? tf.tensor4d(x, [cnn.batch, cnn.side, cnn.side, 1]) : tf.tensor1d(x, "int32");
        const targets = tf.oneHot(tf.tensor1d(y, "int32"), classes);
        return adam.minimize(() => loss(inputs, targets), true)!.dataSync()[0];
      }),
  };
};

const dense = (v: Variables, name: string, x: tf.Tensor): tf.Tensor =>
  tf.add(tf.matMul(x, v[`${name}.weight`]), v[`${name}.bias`]);

function cnnLoss(): Loss {
  const start = channelsLast(startOf("cnn"));
  const v = variables({
    ...inputsFirst(start),
    "conv1.weight": permuted(start["conv1.weight"], [1, 2, 3, 0]),
    "conv2.weight": permuted(start["conv2.weight"], [1, 2, 3, 0]),
  });
  const convolve = (x: tf.Tensor4D, name: string): tf.Tensor4D => {
    const y = tf.conv2d(x, v[`${name}.weight`] as tf.Tensor as tf.Tensor4D, 1, "same");
    return tf.maxPool(tf.relu(tf.add(y, v[`${name}.bias`])), 2, 2, "valid") as tf.Tensor4D;
  };
  return (x, y) => {
    const features = convolve(convolve(x as tf.Tensor4D, "conv1"), "conv2");
    return tf.losses.softmaxCrossEntropy(y, dense(v, "fc", features.reshape([cnn.batch, -1])));
  };
}

function gptLoss(oneHot: boolean): Loss {
  const { batch, tokens, words, width, heads, blocks } = gpt;
  const v = variables(inputsFirst(startOf("gpt")));
  const mask = tf.tidy(() => tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([tokens, tokens]), -1, 0)), -1e9));
  const norm = (x: tf.Tensor, name: string): tf.Tensor => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5));
    return tf.add(tf.mul(tf.mul(centred, scale), v[`${name}.weight`]), v[`${name}.bias`]);
  };
  const byHead = (x: tf.Tensor): tf.Tensor =>
    tf.transpose(tf.reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
  const attention = (x: tf.Tensor, name: string): tf.Tensor => {
    const projected = tf.add(tf.matMul(x, v[`${name}.in_proj_weight`]), v[`${name}.in_proj_bias`]);
    const [query, key, value] = tf.split(projected, 3, 1).map(byHead);
    const scores = tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(width / heads));
    const mixed = tf.matMul(tf.softmax(tf.add(scores, mask)), value);
    return dense(v, `${name}.out_proj`, tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch * tokens, width]));
  };
  const gelu = (x: tf.Tensor): tf.Tensor => {
    const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))));
    return tf.mul(tf.mul(x, 0.5), tf.add(1, tf.tanh(inner)));
  };
  return (tokensIn, y) => {
    const table = v["wte.weight"];
    const embedded = oneHot
      ? tf.matMul(tf.oneHot(tokensIn as tf.Tensor1D, words), table)
      : tf.gather(table, tokensIn as tf.Tensor1D);
    let x = tf.reshape(tf.add(tf.reshape(embedded, [batch, tokens, width]), v["wpe.weight"]), [
      batch * tokens,
      width,
    ]) as tf.Tensor;
    for (let i = 0; i < blocks; i++) {
      x = tf.add(x, attention(norm(x, `h${i}.ln1`), `h${i}.attn`));
      x = tf.add(x, dense(v, `h${i}.out`, gelu(dense(v, `h${i}.fc`, norm(x, `h${i}.ln2`)))));
    }
    return tf.losses.softmaxCrossEntropy(y, tf.matMul(norm(x, "ln"), v["head.weight"]));
  };
}
