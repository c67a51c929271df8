// UnsortedSegmentSum, the gradient of `tf.gather` and so of embeddings.
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";

function segmentSum({ inputs, attrs }: Arguments, wasm: WasmBackend): TensorInfo {
  const segments = attrs.numSegments as number;
  return wasm.cast(inputs.x, inputs.x.dtype === "int32" ? "int32" : "float32", (x) =>
    wasm.cast(inputs.segmentIds, "int32", (ids) => {
      const rest = x.shape.slice(ids.shape.length);
      const [rows, n] = [ids.shape, rest].map((shape) => util.sizeFromShape(shape));
      return wasm.output([segments, ...rest], x.dtype, (to) => {
        wasm.kernels.segmentSum(rows, n, segments, x.dtype === "int32", wasm.address(ids), wasm.address(x), to);
      });
    }),
  );
}

export const segmentSums: readonly Kernel[] = [{ name: "UnsortedSegmentSum", missing: true, run: segmentSum }];
