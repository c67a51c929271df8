// What outputs mean: classes and probabilities.
import type { Vector } from "../memory/tensor.js";
import { exp } from "../util/exact.js";
import type { Built } from "./build.js";
import type { Loss } from "./losses.js";

/** The most likely classes. `call` is what the user called. */
export function classesOf(built: Built, call: string, outputs: () => Vector): ReturnType<typeof Int32Array.of> {
  if (!hasClasses(built, call)) return Int32Array.from(outputs(), (z) => (z >= 0 ? 1 : 0));
  const z = outputs();
  const { classes } = built;
  const result = new Int32Array(z.length / classes);
  for (let i = 0; i < result.length; i++) {
    let best = i * classes;
    for (let at = best + 1; at < (i + 1) * classes; at++) if (z[at] > z[best]) best = at;
    result[i] = best - i * classes;
  }
  return result;
}

/** Softmax over the classes, or the logistic function of each output; in float64, rounded to float32. */
export function probabilitiesOf(built: Built, call: string, outputs: () => Vector): Vector {
  const size = built.classes;
  const isExclusive = hasClasses(built, call);
  const z = outputs();
  if (!isExclusive) return z.map((x) => (x >= 0 ? 1 : exp(x)) / (1 + exp(-Math.abs(x))));
  for (let at = 0; at < z.length; at += size) {
    const row = z.subarray(at, at + size);
    const largest = row.reduce((most, x) => Math.max(most, x));
    const terms = Float64Array.from(row, (x) => exp(x - largest));
    const sum = terms.reduce((total, x) => total + x, 0);
    for (let j = 0; j < size; j++) row[j] = terms[j] / sum;
  }
  return z;
}

/** Whether outputs are scores of classes that exclude each other. Throws where there are no classes. */
function hasClasses({ owner, loss }: Built, call: string): boolean {
  const one = exclusive[loss];
  if (one === undefined) throw new Error(`${owner}: ${call} needs a loss with classes, this network's is "${loss}"`);
  return one;
}

/** Losses whose outputs are scores: whether the classes exclude each other. */
const exclusive: Partial<Record<Loss, boolean>> = {
  "cross-entropy": true,
  "binary-cross-entropy": false,
};
