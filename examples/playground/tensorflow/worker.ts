// Times training steps on TensorFlow.js's wasm backend off the page's thread, without gradstep's kernels and with them.
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threaded from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import { registerKernels, restoreKernels } from "gradstep/tfjs/wasm";
import * as steps from "../../tfjs/networks.ts";
import { type Measured, type NetworkName, type Reply, networks } from "./messages.ts";

const SECONDS = 1;
const reply = (message: Reply): void => postMessage(message);

/** The median of the steps of a second, after two. */
function measure(name: NetworkName): Measured {
  try {
    const step = steps[name]();
    step();
    step();
    const times: number[] = [];
    const end = performance.now() + SECONDS * 1000;
    while (performance.now() < end || times.length === 0) {
      const start = performance.now();
      step();
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[times.length >> 1];
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    tf.disposeVariables();
  }
}

addEventListener("message", () => {
  void (async () => {
    tf.enableProdMode();
    setWasmPaths({
      "tfjs-backend-wasm.wasm": plain,
      "tfjs-backend-wasm-simd.wasm": simd,
      "tfjs-backend-wasm-threaded-simd.wasm": threaded,
    });
    // One thread for both: the backend makes its workers from text, which the page's policy forbids.
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    await tf.setBackend("wasm");
    for (const name of Object.keys(networks) as NetworkName[]) {
      restoreKernels();
      const alone = measure(name);
      registerKernels();
      reply({ kind: "measured", name, alone, ours: measure(name) });
    }
    reply({ kind: "done" });
  })();
});
