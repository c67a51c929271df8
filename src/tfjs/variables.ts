import { type KernelBackend, type Tensor, type Variable, engine, getBackend, tensor } from "@tensorflow/tfjs-core";
import type { Vector } from "../memory/tensor.js";

/** Whether a variable is registered: `tf.disposeVariables()` removes variables without marking them as disposed. */
export const isAlive = (variable: Variable): boolean =>
  !variable.isDisposed && (engine().registeredVariables[variable.name] as Variable | undefined) === variable;

/** The variables that an optimizer could train, oldest first. */
export const trainable = (): Variable[] =>
  Object.values(engine().registeredVariables)
    .filter(({ trainable, dtype }) => trainable && dtype === "float32")
    .sort((a, b) => a.id - b.id);

/**
 * A tensor's values, possibly a view of the wasm backend's heap, which saves a copy: use it before the next operation.
 * Data that the wasm backend does not hold are read by `dataSync()`, since moving them may grow the heap under the view.
 */
export function valuesOf(source: Tensor): ArrayLike<number> {
  const backend: KernelBackend & { typedArrayFromHeap?(tensor: Tensor): Float32Array } = engine().backend;
  return backend.typedArrayFromHeap !== undefined && backend.refCount(source.dataId) > 0
    ? backend.typedArrayFromHeap(source)
    : source.dataSync();
}

/** A 64-bit hash of the bits of float32 values, in hexadecimal. */
export function fingerprint(values: ArrayLike<number>): string {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (let i = 0; i < words.length; i++) {
    a = Math.imul(a ^ words[i], 0x01000193);
    b = Math.imul(b ^ (a >>> 15) ^ words[i], 0x85ebca6b);
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Assigns values to a variable as new data, since other tensors may share its current data. */
export function assign(variable: Variable, values: Vector): void {
  const copies = getBackend() === "wasm"; // other backends keep a reference to the array
  const value = tensor(copies ? values : values.slice(), variable.shape, "float32");
  variable.assign(value);
  value.dispose();
}
