import { type DataType, Tensor, keep, tensor, util } from "@tensorflow/tfjs-core";

let lastId = 0;

/**
 * A tensor that TensorFlow.js registers only when an operation uses it. `model.save` never disposes of an optimizer's
 * tensors, so registered copies would leak. Reading returns copies of the values; `dispose()` frees a registered tensor.
 */
export function lazyTensor(values: Float32Array | Int32Array | string[], shape: number[], dtype: DataType): Tensor {
  let registered: Tensor | undefined;
  // Gradients tell tensors apart by id; TensorFlow.js's own ids are positive.
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
    dataId: { get: () => (registered ??= keep(tensor(values.slice(), shape, dtype))).dataId },
    dataSync: { value: read },
    data: { value: () => Promise.resolve().then(read) },
    bytes: { value: () => Promise.resolve().then(bytes) },
    dispose: {
      value: () => {
        registered?.dispose();
        (self as unknown as { isDisposedInternal: boolean }).isDisposedInternal = true;
      },
    },
  });
}
