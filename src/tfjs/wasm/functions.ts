// Functions of one element.
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";

/** A function's number is its index, as assembly/tfjs/functions.ts knows it. */
export const functions: readonly Kernel[] = ["Tanh", "Erf", "Exp", "Sqrt"].map((name, index) => ({
  name,
  missing: false,
  run: ({ inputs: { x } }: Arguments, wasm: WasmBackend): TensorInfo | undefined => {
    if (x.dtype !== "float32") return undefined;
    return wasm.output(x.shape, "float32", (to) => {
      wasm.kernels.apply(util.sizeFromShape(x.shape), index, wasm.address(x), to);
    });
  },
}));
