// tsx bench/tfjs-wasm.ts [networks]: steps of networks on TensorFlow.js's wasm backend with and without gradstep/tfjs/wasm, in
// turns. What that backend cannot train alone is compared with the cpu backend, where a step takes seconds: it is taken once
// a round. CPU time in milliseconds a step (median); ratio (median by pairs).
import { createRequire } from "node:module";
import { cpus } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import Table from "cli-table3";
import { registerKernels, restoreKernels } from "gradstep/tfjs/wasm";
import { type Step, autoencoder, cnn, gpt, lstm, mlp } from "../examples/tfjs/networks.js";
import { median, ratio } from "./turns.js";

interface Contest {
  readonly title: string;
  readonly make: () => Step;
  readonly against: "wasm" | "cpu";
  /** Steps in a round. */
  readonly steps: number;
}
const contests: Readonly<Record<string, Contest>> = {
  gpt: { title: "GPT: 4 blocks of width 128, 16 × 64 tokens", make: gpt, against: "wasm", steps: 2 },
  mlp: { title: "MLP 784-128-10, batch 64", make: mlp, against: "wasm", steps: 40 },
  lstm: { title: "LSTM of 128 units, 32 steps, batch 32", make: lstm, against: "wasm", steps: 4 },
  cnn: { title: "CNN: conv 16, pool, conv 32, pool, dense; batch 64", make: cnn, against: "cpu", steps: 8 },
  autoencoder: { title: "autoencoder of 28 × 28, batch 32", make: autoencoder, against: "cpu", steps: 8 },
};
const ROUNDS = 3;

setWasmPaths(path.dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + path.sep);
tf.enableProdMode();

/** CPU seconds of a step. */
function time(step: Step, steps: number): number {
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < steps; i++) step();
  const end = process.cpuUsage();
  return (end.user + end.system - user - system) / 1e6 / steps;
}

const table = new Table({
  head: ["network", "TensorFlow.js", "its backend", "with the import", "times faster"],
  style: { head: [], border: [] },
  colAligns: ["left", "right", "left", "right", "right"],
});
const names = process.argv.slice(2);
for (const [name, { title, make, against, steps }] of Object.entries(contests)) {
  if (names.length > 0 && !names.includes(name)) continue;
  registerKernels();
  await tf.setBackend("wasm");
  const ours = make();
  time(ours, 6); // V8 needs about five calls to reach its speed
  let theirs = ours;
  if (against === "cpu") {
    await tf.setBackend("cpu");
    theirs = make();
  }
  const rounds: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    if (against === "wasm") restoreKernels();
    else await tf.setBackend("cpu");
    rounds[0].push(time(theirs, against === "cpu" ? 1 : Math.ceil(steps / 4)));
    registerKernels();
    await tf.setBackend("wasm");
    rounds[1].push(time(ours, steps));
  }
  const [before, after] = rounds.map((list) => `${(median(list) * 1000).toPrecision(3)} ms`);
  table.push([title, before, against, after, `${ratio(...rounds).toFixed(1)}×`]);
  tf.disposeVariables();
}
console.log(table.toString());
console.log(`${cpus()[0].model}, Node ${process.versions.node}; CPU time, medians of ${ROUNDS} rounds in turns`);
