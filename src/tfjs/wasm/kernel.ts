// What a kernel is here: a function on tensors of the wasm backend, under the name that TensorFlow.js calls it by.
import type { NamedAttrMap, TensorInfo } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";

/** The arguments of a kernel, as TensorFlow.js passes them. */
export interface Arguments {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: NamedAttrMap;
}

/** A kernel of ours. */
export interface Kernel {
  /** Of TensorFlow.js. */
  readonly name: string;
  /** Whether the backend lacks it; otherwise there is one to be replaced. */
  readonly missing: boolean;
  /** Returns undefined, and has allocated nothing, for what the kernel that was there is to compute. */
  readonly run: (args: Arguments, wasm: WasmBackend) => TensorInfo | undefined;
}
