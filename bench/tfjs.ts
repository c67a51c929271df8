// tsx bench/tfjs.ts: applyGradients of gradstep's Adam against that of TensorFlow.js's own, in turns, copies included:
// each moves its own variables by the same gradients. Milliseconds a step (median), ratio (median by pairs).
import { createRequire } from "node:module";
import { cpus } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import Table from "cli-table3";
import { GradstepOptimizer } from "gradstep/tfjs";
import { inTurns, median, ratio } from "./turns.js";

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const TENSORS = [1, 10];
const ROUNDS = 15;
/** A sample is about as many parameters, to be long against the clock. */
const SAMPLE = 100_000;

setWasmPaths(path.dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + path.sep);
tf.enableProdMode();

/** A step of an optimizer on variables of its own. */
function contender(optimizer: tf.Optimizer, tensors: number, size: number): () => void {
  const gradients = Array.from({ length: tensors }, (_, i) => {
    const variable = tf.variable(tf.randomNormal([size], 0, 1, "float32", i));
    return { name: variable.name, tensor: tf.randomNormal([size], 0, 1, "float32", 100 + i) };
  });
  return () => optimizer.applyGradients(gradients);
}

const table = new Table({
  head: ["backend", "parameters", "tensors", "tf.train.adam", "gradstep", "times faster"],
  style: { head: [], border: [] },
  colAligns: ["left", "right", "right", "right", "right", "right"],
});
for (const backend of ["cpu", "wasm"]) {
  await tf.setBackend(backend);
  for (const parameters of SIZES)
    for (const tensors of TENSORS) {
      const calls = Math.max(1, SAMPLE / parameters);
      const [theirs, ours] = inTurns(
        [tf.train.adam(1e-3), new GradstepOptimizer("adam", { lr: 1e-3 })].map((optimizer) => ({
          run: contender(optimizer, tensors, parameters / tensors),
          calls,
        })),
        ROUNDS,
        3,
      );
      const milliseconds = (rounds: number[]) => `${(median(rounds) * 1000).toPrecision(3)} ms`;
      const row = [backend, parameters.toLocaleString("en"), tensors, milliseconds(theirs), milliseconds(ours)];
      table.push([...row, `${ratio(theirs, ours).toFixed(1)}×`]);
      tf.disposeVariables();
    }
}
console.log(table.toString());
console.log(`${cpus()[0].model}, Node ${process.versions.node}; medians of ${ROUNDS} rounds in turns, ratios by pairs`);
