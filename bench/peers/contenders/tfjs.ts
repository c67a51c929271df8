import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { type Contender, type Net, type Rule, type Start, hyper, sizes } from "../contender.ts";
import { filled, streams } from "../fill.ts";
import { network } from "./tfjs-networks.ts";

const { lr, sgdLr, momentum, beta1, beta2, eps } = hyper;

function optimizer(rule: Rule): tf.Optimizer | string {
  if (rule === "adam") return tf.train.adam(lr, beta1, beta2, eps);
  if (rule === "sgd") return tf.train.sgd(sgdLr);
  if (rule === "momentum") return tf.train.momentum(sgdLr, momentum);
  return "TensorFlow.js has no AdamW";
}

/** TensorFlow.js on one of its backends. */
export async function tfjs(backend: "cpu" | "wasm"): Promise<Contender> {
  tf.env().set("PROD", true);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js cannot start its backend "${backend}"`);
  await tf.ready();
  return { steps, net, network };
}

const steps: Contender["steps"] = (rule, { count, length }) => {
  const rules = optimizer(rule);
  if (typeof rules === "string") return rules;
  const variables: tf.Variable[] = [];
  const gradients: Record<string, tf.Tensor> = {};
  for (let i = 0; i < count; i++) {
    const start = tf.tensor1d(filled(length, streams(i).p));
    variables.push(tf.variable(start, true, `t${i}`));
    start.dispose();
    gradients[`t${i}`] = tf.tensor1d(filled(length, streams(i).g));
  }
  return {
    step: () => rules.applyGradients(gradients),
    values: () => tf.tidy(() => variables[0].slice([0], [16]).dataSync()),
    dispose() {
      rules.dispose();
      tf.dispose([variables, gradients]);
      tf.disposeVariables();
    },
  };
};

const [inputs, hidden, outputs] = sizes;

function net(start: Start): Net {
  const variable = (data: Float32Array, out: number): tf.Variable<tf.Rank.R2> =>
    tf.tidy(() => tf.variable(tf.tensor2d(data, [out, data.length / out]).transpose<tf.Tensor2D>()));
  const [w1, w2] = [variable(start.w1, hidden), variable(start.w2, outputs)];
  const [b1, b2] = [tf.variable(tf.tensor1d(start.b1)), tf.variable(tf.tensor1d(start.b2))];
  const adam = tf.train.adam(lr, beta1, beta2, eps);
  const logits = (x: tf.Tensor2D): tf.Tensor2D => {
    const h = tf.fused.matMul({ a: x, b: w1, bias: b1, activation: "relu" });
    return tf.fused.matMul({ a: h, b: w2, bias: b2 }) as tf.Tensor2D;
  };
  return {
    train(data, labels) {
      tf.tidy(() => {
        const x = tf.tensor2d(data, [labels.length, inputs]);
        const y = tf.oneHot(tf.tensor1d(Int32Array.from(labels), "int32"), outputs);
        adam.minimize(() => tf.losses.softmaxCrossEntropy(y, logits(x)));
      });
    },
    predict: (data, rows) =>
      tf.tidy(() =>
        logits(tf.tensor2d(data, [rows, inputs]))
          .argMax(1)
          .dataSync(),
      ),
  };
}
