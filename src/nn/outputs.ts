// What outputs mean: classes and probabilities.
import type { Vector } from "../memory/tensor.js";
import { exp } from "../util/exact.js";
import type { Built } from "./build.js";
import { largest } from "./losses.js";
import type { Inputs } from "./data.js";

/** A network that predicts. */
interface Predictor {
  readonly built: Built;
  predict(x: Inputs): Vector;
}

/** The most likely classes. */
export function classesOf(network: Predictor, x: Inputs): ReturnType<typeof Int32Array.of> {
  const z = scoresOf(network, "classify", x);
  const { classes, hasClasses } = network.built.criterion;
  if (!hasClasses) return Int32Array.from(z, (score) => (score >= 0 ? 1 : 0));
  const result = new Int32Array(z.length / classes);
  return result.map((_, i) => largest(z, i * classes, classes));
}

/** Softmax over the classes, or the logistic function of each output; in float64, rounded to float32. */
export function probabilitiesOf(network: Predictor, x: Inputs): Vector {
  const z = scoresOf(network, "probabilities", x);
  const { classes, hasClasses } = network.built.criterion;
  if (!hasClasses) return z.map((score) => (score >= 0 ? 1 : exp(score)) / (1 + exp(-Math.abs(score))));
  for (let at = 0; at < z.length; at += classes) {
    const row = z.subarray(at, at + classes);
    const most = row[largest(row, 0, classes)];
    const terms = Float64Array.from(row, (score) => exp(score - most));
    const sum = terms.reduce((total, term) => total + term);
    row.set(terms.map((term) => term / sum));
  }
  return z;
}

/** The outputs, which must be scores of classes: with cross-entropy of some that exclude each other. */
function scoresOf(network: Predictor, method: string, x: Inputs): Vector {
  const { owner, loss } = network.built;
  if (!loss.endsWith("cross-entropy"))
    throw new Error(`${owner}: ${method}() needs a loss with classes, this network's is "${loss}"`);
  return network.predict(x);
}
