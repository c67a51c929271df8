// Every kernel of gradstep/tfjs/wasm against the cpu backend of TensorFlow.js, on random shapes and attributes. npm run
// test:tfjs-wasm takes 2,000 of each.
import "../tfjs/setup.js";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registerKernels, restoreKernels } from "../../src/tfjs/wasm/index.js";
import { cases, difference } from "./cases.js";
import { guarded } from "./guarded.js";

const RUNS = Number(process.env.GRADSTEP_TFJS_RUNS ?? "20");
let guard: ReturnType<typeof guarded>;
beforeAll(async () => {
  registerKernels();
  await tf.setBackend("wasm");
  guard = guarded();
});
afterAll(() => {
  guard.restore();
  restoreKernels();
});

test("every kernel that is put into the registry has cases", async () => {
  await tf.setBackend("wasm");
  const own = tf.getKernelsForBackend("wasm").filter((config) => Symbol.for("gradstep/tfjs/wasm") in config);
  expect(own.map(({ kernelName }) => kernelName).sort()).toEqual(Object.keys(cases).sort());
});

test.each(Object.keys(cases))(`%s, ${RUNS} times`, async (kernel) => {
  const wrong: string[] = [];
  for (let seed = 1; seed <= RUNS; seed++) {
    const message = await difference(kernel, seed);
    if (message !== undefined) wrong.push(message);
  }
  expect(wrong).toEqual([]);
  expect(guard.overruns).toEqual([]);
});
