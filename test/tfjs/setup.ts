import { createRequire } from "node:module";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { afterEach, beforeAll, describe } from "vitest";

const wasm = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
setWasmPaths(path.dirname(wasm) + path.sep);
tf.enableProdMode(); // or the cpu backend advertises another package
await tf.setBackend("cpu");

/** Runs tests on each backend, and disposes of all variables after each test. */
export function onBackends(tests: (backend: "cpu" | "wasm") => void): void {
  describe.each(["cpu", "wasm"] as const)("on the %s backend", (backend) => {
    beforeAll(async () => {
      if (!(await tf.setBackend(backend))) throw new Error(`no backend "${backend}"`);
    });
    afterEach(() => tf.disposeVariables());
    tests(backend);
  });
}

/** Numbers between −1 and 1 that look random, the same for a seed. */
export const values = (size: number, seed = 1): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(seed * 12.9898 + (i + 1) * 78.233));

/** A variable of such numbers. */
export const variable = (name: string, shape: number[], seed?: number): tf.Variable =>
  tf.variable(tf.tensor(values(tf.util.sizeFromShape(shape), seed), shape, "float32"), true, name);

/** A gradient for each variable. */
export const gradients = (variables: readonly tf.Variable[], seed: number): { name: string; tensor: tf.Tensor }[] =>
  variables.map(({ name, shape, size }, i) => ({ name, tensor: tf.tensor(values(size, seed + i / 7), shape) }));

/** Takes steps with gradients that depend on the step's number. */
export function train(optimizer: tf.Optimizer, variables: readonly tf.Variable[], from: number, to: number): void {
  for (let t = from; t < to; t++) {
    tf.tidy(() => {
      optimizer.applyGradients(gradients(variables, t));
    });
  }
}

export const bits = (variables: readonly tf.Variable[]): Uint32Array[] =>
  variables.map((v) => new Uint32Array(Float32Array.from(v.dataSync()).buffer));
