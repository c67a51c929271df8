// MaxPoolGrad, the gradient of maximum pooling.
import { type TensorInfo, backend_util, util } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";
import { withWindows } from "./windows.js";

interface Attributes {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  readonly dimRoundingMode: "floor" | "round" | "ceil" | undefined;
}

function gradient({ inputs: { dy, input }, attrs }: Arguments, wasm: WasmBackend): TensorInfo | undefined {
  if (dy.dtype !== "float32" || input.dtype !== "float32") return undefined;
  const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as Attributes;
  const shape = input.shape as [number, number, number, number];
  const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  if (util.sizeFromShape(dy.shape) === 0) return wasm.zeros(shape);
  return wasm.output(shape, "float32", (to) => {
    const [x, d] = [input, dy].map((tensor) => wasm.address(tensor));
    withWindows(wasm, info, { frameChannels: 0, lines: 0, packs: 0, rows: 0, extra: 0 }, (windows) => {
      wasm.kernels.maxPoolGradient(windows, x, d, to);
    });
  });
}

export const maxPooling: readonly Kernel[] = [{ name: "MaxPoolGrad", missing: false, run: gradient }];
