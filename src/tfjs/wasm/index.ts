/**
 * TensorFlow.js trains on its wasm backend: importing this module registers the gradient kernels that the backend lacks, and
 * replaces slow ones. `@tensorflow/tfjs-core` 4.22 or later 4.x is a peer dependency; `@tensorflow/tfjs-backend-wasm` may be
 * imported before or after it, and set before or after it.
 *
 * @example
 * import * as tf from "@tensorflow/tfjs";
 * import "@tensorflow/tfjs-backend-wasm";
 * import "gradstep/tfjs/wasm";
 *
 * await tf.setBackend("wasm");
 *
 * @module gradstep/tfjs/wasm
 */
import { registerKernels, restoreKernels } from "./registry.js";

registerKernels();

export { registerKernels, restoreKernels };
