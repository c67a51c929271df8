// GatherV2, by rows. The backend's kernel takes elements one by one, and reads beyond its memory if `batchDims` is not 0.
import { type TensorInfo, backend_util, util } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";

function gather({ inputs: { x, indices }, attrs }: Arguments, wasm: WasmBackend): TensorInfo | undefined {
  if (!["float32", "int32"].includes(x.dtype) || indices.dtype !== "int32") return undefined;
  const [axis] = util.parseAxisParam(attrs.axis as number, x.shape);
  const info = backend_util.segment_util.collectGatherOpShapeInfo(
    x,
    indices,
    axis,
    (attrs.batchDims as number | undefined) ?? 0,
  );
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
  const length = util.sizeFromShape(indices.shape);
  // What is refused is refused by the kernel that was there.
  if (wasm.ints(wasm.address(indices), length).some((index) => index < 0 || index >= dimSize)) return undefined;
  return wasm.output(outputShape, x.dtype, (to) => {
    const [ids, from] = [indices, x].map((tensor) => wasm.address(tensor));
    if (length > 0)
      wasm.kernels.gather(batchSize, outerSize, dimSize, length / batchSize, 4 * sliceSize, ids, from, to);
  });
}

export const gathers: readonly Kernel[] = [{ name: "GatherV2", missing: false, run: gather }];
