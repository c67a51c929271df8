// Conv3DBackpropFilterV2 and Conv3DBackpropInputV2, as convolutions of planes. The backend's kernels give wrong numbers: the
// first with strides, the second always, since it adds to memory that it has not cleared.
import { type TensorInfo, backend_util, util } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";
import { writeFilterGradient, writeInputGradient } from "./convolution.js";
import type { Arguments, Kernel } from "./kernel.js";

type Shape5D = [number, number, number, number, number];
interface Attributes {
  readonly strides: [number, number, number] | number;
  readonly pad: "valid" | "same";
  readonly inputShape: Shape5D;
  readonly filterShape: Shape5D;
}

/** The gradient of the weights if x is given, else of x. */
function gradient({ inputs, attrs }: Arguments, wasm: WasmBackend): TensorInfo | undefined {
  const { strides, pad, inputShape, filterShape } = attrs as unknown as Attributes;
  const { x, dy, filter } = inputs as Partial<typeof inputs> & { readonly dy: TensorInfo };
  const given = (x ?? filter)!;
  if (given.dtype !== "float32" || dy.dtype !== "float32") return undefined;
  const [xShape, wShape] = [x?.shape ?? inputShape, filter?.shape ?? filterShape] as [Shape5D, Shape5D];
  const sums = wasm.zeros(x ? wShape : xShape);
  if (util.sizeFromShape(dy.shape) === 0) return sums;

  const info = backend_util.computeConv3DInfo(xShape, wShape, strides, 1, pad);
  const { batchSize, inDepth, outDepth, filterDepth } = info;
  const plane = { ...info, batchSize: 1 };
  // The elements of a plane.
  const [xSize, dySize, wSize] = [xShape.slice(2), dy.shape.slice(2), wShape.slice(1)].map(util.sizeFromShape);
  const size = x ? wSize : xSize;
  return wasm.changed(sums, (to) => {
    const [at, dyAt] = [given, dy].map((tensor) => wasm.address(tensor));
    wasm.scratch(4 * size, (part) => {
      for (let y = 0; y < batchSize * outDepth; y++)
        for (let w = 0; w < filterDepth; w++) {
          const z = (y % outDepth) * info.strideDepth - info.padInfo.front + w;
          if (z < 0 || z >= inDepth) continue;
          const [xFrom, dyFrom] = [4 * xSize * (Math.floor(y / outDepth) * inDepth + z), dyAt + 4 * dySize * y];
          const wFrom = 4 * wSize * w;
          if (x) writeFilterGradient(wasm, plane, at + xFrom, dyFrom, part);
          else writeInputGradient(wasm, plane, dyFrom, at + wFrom, part);
          const total = wasm.floats(to + (x ? wFrom : xFrom), size);
          wasm.floats(part, size).forEach((term, i) => (total[i] += term));
        }
    });
  });
}

export const volumes: readonly Kernel[] = ["Conv3DBackpropFilterV2", "Conv3DBackpropInputV2"].map((name) => ({
  name,
  missing: false,
  run: gradient,
}));
