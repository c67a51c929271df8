import { createRequire } from "node:module";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

export const BACKENDS = ["cpu", "wasm"] as const;

const wasm = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
setWasmPaths(path.dirname(wasm) + path.sep);
tf.enableProdMode(); // or the cpu backend advertises another package

/** TensorFlow.js on one of its backends. */
export async function use(backend: string): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`no backend "${backend}"`);
  await tf.ready();
}
