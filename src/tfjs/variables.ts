import { type KernelBackend, type Tensor, type Variable, engine, getBackend, tensor } from "@tensorflow/tfjs-core";
import type { Vector } from "../memory/tensor.js";

/** Whether a variable is still there: `tf.disposeVariables()` takes it from the list without marking it as disposed of. */
export const isAlive = (variable: Variable): boolean =>
  !variable.isDisposed && (engine().registeredVariables[variable.name] as Variable | undefined) === variable;

/** The variables that an optimizer could train, in the order that they were made. */
export const trainable = (): Variable[] =>
  Object.values(engine().registeredVariables)
    .filter(({ trainable, dtype }) => trainable && dtype === "float32")
    .sort((a, b) => a.id - b.id);

/**
 * A tensor's values, to be copied at once: where they stand in the wasm backend, whose `dataSync()` would copy them twice.
 * (Data of another backend would be moved there first, and the heap may grow under the view.)
 */
export function valuesOf(source: Tensor): ArrayLike<number> {
  const backend: KernelBackend & { typedArrayFromHeap?(tensor: Tensor): Float32Array } = engine().backend;
  return backend.typedArrayFromHeap !== undefined && backend.refCount(source.dataId) > 0
    ? backend.typedArrayFromHeap(source)
    : source.dataSync();
}

/** 64 bits that tell float32 values apart: equal ones come from equal values, to the bit. */
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

/** Gives a variable values: as new data, since other tensors may share those it has. */
export function assign(variable: Variable, values: Vector): void {
  const copies = getBackend() === "wasm"; // the others keep the array that they are given
  const value = tensor(copies ? values : values.slice(), variable.shape, "float32");
  variable.assign(value);
  value.dispose();
}
