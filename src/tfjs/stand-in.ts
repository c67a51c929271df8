import { type DataType, Tensor, keep, tensor, util } from "@tensorflow/tfjs-core";

let lastId = 0;

/**
 * A tensor whose values TensorFlow.js does not hold: nobody disposes of what `model.save` asks an optimizer for, and a copy
 * of all state would stay in `tf.memory()`. Reading takes the values as they are; an operation makes a tensor of them
 * first, which `dispose()` frees.
 */
export function standIn(values: Float32Array | Int32Array | string[], shape: number[], dtype: DataType): Tensor {
  let real: Tensor | undefined;
  // Negative, so that no tensor of TensorFlow.js has it: gradients tell tensors apart by it.
  const self = new Tensor(shape, dtype, {}, --lastId);
  const read = () => {
    if (self.isDisposed) throw new Error("Tensor is disposed.");
    return values.slice();
  };
  const bytes = (): Uint8Array | Uint8Array[] => {
    const copy = read();
    return Array.isArray(copy) ? copy.map((text) => util.encodeString(text)) : new Uint8Array(copy.buffer);
  };
  return Object.defineProperties(self, {
    dataId: { get: () => (real ??= keep(tensor(values.slice(), shape, dtype))).dataId },
    dataSync: { value: read },
    data: { value: () => Promise.resolve().then(read) },
    bytes: { value: () => Promise.resolve().then(bytes) },
    dispose: {
      value: () => {
        real?.dispose();
        real = undefined;
        (self as unknown as { isDisposedInternal: boolean }).isDisposedInternal = true;
      },
    },
  });
}
