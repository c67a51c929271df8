// DepthwiseConv2dNativeBackpropFilter and DepthwiseConv2dNativeBackpropInput, which take images with channels last alone.
import { type TensorInfo, backend_util } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";
import { gradientFrom, withWindows } from "./windows.js";

type Shape4D = [number, number, number, number];
interface Attributes {
  readonly strides: [number, number] | number;
  readonly dilations: [number, number] | number;
  readonly pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  readonly dimRoundingMode: "floor" | "round" | "ceil" | undefined;
}

const windowsOf = (x: Shape4D, filter: Shape4D, attrs: Attributes): backend_util.Conv2DInfo =>
  backend_util.computeConv2DInfo(x, filter, attrs.strides, attrs.dilations, attrs.pad, attrs.dimRoundingMode, true);

/** Calls `use` with the windows, the multiplier of the channels, and scratch for an image of dy. */
function withDepthwise(
  wasm: WasmBackend,
  info: backend_util.Conv2DInfo,
  use: (windows: number, multiplier: number, extra: number) => void,
): void {
  const frameChannels = (info.outChannels + 3) & -4;
  const rows = 4 * info.filterHeight * info.filterWidth * frameChannels;
  const extra = frameChannels === info.outChannels ? 0 : 4 * info.outHeight * info.outWidth * frameChannels;
  withWindows(wasm, info, { frameChannels, lines: 1, packs: 0, rows, extra }, (windows, at) => {
    use(windows, info.outChannels / info.inChannels, at);
  });
}

function filterGradient({ inputs, attrs }: Arguments, wasm: WasmBackend): TensorInfo {
  const { filterShape, ...attributes } = attrs as unknown as Attributes & { readonly filterShape: Shape4D };
  const info = windowsOf(inputs.x.shape as Shape4D, filterShape, attributes);
  return gradientFrom(wasm, inputs.x, inputs.dy, filterShape, (x, dy, to) => {
    withDepthwise(wasm, info, (windows, multiplier, wide) => {
      wasm.kernels.depthwiseFilter(windows, multiplier, wasm.address(x), wasm.address(dy), to, wide);
    });
  });
}

function inputGradient({ inputs, attrs }: Arguments, wasm: WasmBackend): TensorInfo {
  const { inputShape, ...attributes } = attrs as unknown as Attributes & { readonly inputShape: Shape4D };
  const info = windowsOf(inputShape, inputs.filter.shape as Shape4D, attributes);
  return gradientFrom(wasm, inputs.dy, inputs.filter, inputShape, (dy, filter, to) => {
    withDepthwise(wasm, info, (windows, multiplier, wide) => {
      wasm.kernels.depthwiseInput(windows, multiplier, wasm.address(dy), wasm.address(filter), to, wide);
    });
  });
}

export const depthwiseConvolutions: readonly Kernel[] = [
  { name: "DepthwiseConv2dNativeBackpropFilter", missing: true, run: filterGradient },
  { name: "DepthwiseConv2dNativeBackpropInput", missing: true, run: inputGradient },
];
