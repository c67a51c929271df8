import { dirname, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

export const backends = ["wasm", "cpu"] as const;
export type Backend = (typeof backends)[number];

/** Makes TensorFlow.js use a backend. In Node, the wasm one must be told where its binaries are. */
export async function useBackend(backend: Backend): Promise<void> {
  tf.enableProdMode();
  setWasmPaths(dirname(fileURLToPath(import.meta.resolve("@tensorflow/tfjs-backend-wasm"))) + sep);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js could not start its ${backend} backend`);
}
