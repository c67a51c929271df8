// Conv2DBackpropFilter and Conv2DBackpropInput. The second is also the forward pass of transposed convolutions.
import { type TensorInfo, backend_util, util } from "@tensorflow/tfjs-core";
import { PRODUCT_BYTES } from "../../wasm/generated/layout/products.js";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";
import { type Sizes, gradientFrom, withWindows } from "./windows.js";

type Shape4D = [number, number, number, number];
interface Attributes {
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  readonly dataFormat: "NHWC" | "NCHW";
  readonly dimRoundingMode: "floor" | "round" | "ceil" | undefined;
}

/** Output pixels of which the patches are made at a time: as many as one block of a product takes. */
const PIXELS = 256;

const windowsOf = (x: Shape4D, filter: Shape4D, attrs: Attributes): backend_util.Conv2DInfo =>
  backend_util.computeConv2DInfo(
    x,
    filter,
    attrs.strides,
    1,
    attrs.pad,
    attrs.dimRoundingMode,
    false,
    backend_util.convertConv2DDataFormat(attrs.dataFormat),
  );

/** Whether the window of every output pixel is the same pixel of the image: then a convolution is a product with the image. */
function isPointwise({ filterHeight, filterWidth, strideHeight, strideWidth, padInfo }: Sizes): boolean {
  const { top, bottom, left, right } = padInfo;
  return (
    [filterHeight, filterWidth, strideHeight, strideWidth].every((size) => size === 1) &&
    !(top || bottom || left || right)
  );
}

/** Calls `use` with the address of the tensor's images, channels last. */
function channelsLast(
  wasm: WasmBackend,
  info: backend_util.Conv2DInfo,
  tensor: TensorInfo,
  use: (address: number) => void,
): void {
  const from = wasm.address(tensor);
  if (info.dataFormat === "channelsLast") {
    use(from);
    return;
  }
  const [images, channels, height, width] = tensor.shape;
  wasm.scratch(4 * util.sizeFromShape(tensor.shape), (address) => {
    wasm.kernels.transpose(images, channels, height * width, from, address);
    use(address);
  });
}

/** Calls `use` with the windows and with `extra` bytes of scratch. */
function withPatches(
  wasm: WasmBackend,
  info: Sizes,
  extra: number,
  use: (windows: number, extra: number) => void,
): void {
  const lines = Math.min(Math.ceil(PIXELS / info.outWidth), info.batchSize * info.outHeight);
  const rows = 4 * lines * info.outWidth * info.filterHeight * info.filterWidth * info.inChannels;
  withWindows(wasm, info, { frameChannels: info.inChannels, lines, packs: PRODUCT_BYTES, rows, extra }, use);
}

/** Writes the weights' gradient, given addresses of images with channels last. */
export function writeFilterGradient(wasm: WasmBackend, info: Sizes, xAt: number, dyAt: number, to: number): void {
  const { inChannels: channels, outChannels: outputs, batchSize, outHeight, outWidth } = info;
  const taps = info.filterHeight * info.filterWidth * channels;
  if (isPointwise(info)) {
    const pixels = batchSize * outHeight * outWidth;
    wasm.scratch(PRODUCT_BYTES, (scratch) => {
      wasm.kernels.batchProduct(1, channels, outputs, pixels, false, false, xAt, 0, dyAt, 0, to, scratch);
    });
    return;
  }
  // The columns of a product are computed by 16, its rows by 2, and columns are faster to pack.
  const turned = Math.ceil(taps / 16) * 16 * outputs <= Math.ceil(outputs / 16) * 16 * taps;
  const bytes = 4 * taps * outputs;
  withPatches(wasm, info, turned ? 2 * bytes : bytes, (windows, extra) => {
    const part = turned ? extra + bytes : extra;
    wasm.kernels.convolutionFilter(windows, outputs, xAt, dyAt, to, turned ? extra : 0, part);
  });
}

/** Writes the images' gradient, given addresses of images with channels last. */
export function writeInputGradient(wasm: WasmBackend, info: Sizes, dyAt: number, w: number, to: number): void {
  const { inChannels: channels, outChannels: outputs, batchSize, inHeight, inWidth } = info;
  if (isPointwise(info))
    wasm.scratch(PRODUCT_BYTES, (scratch) => {
      const pixels = batchSize * inHeight * inWidth;
      wasm.kernels.batchProduct(1, pixels, channels, outputs, true, true, dyAt, 0, w, 0, to, scratch);
    });
  else withPatches(wasm, info, 0, (windows) => wasm.kernels.convolutionInput(windows, outputs, dyAt, w, to));
}

function filterGradient({ inputs, attrs }: Arguments, wasm: WasmBackend): TensorInfo {
  const { filterShape, ...attributes } = attrs as unknown as Attributes & { readonly filterShape: Shape4D };
  const info = windowsOf(inputs.x.shape as Shape4D, filterShape, attributes);
  return gradientFrom(wasm, inputs.x, inputs.dy, filterShape, (x, dy, to) => {
    channelsLast(wasm, info, x, (xAt) => {
      channelsLast(wasm, info, dy, (dyAt) => writeFilterGradient(wasm, info, xAt, dyAt, to));
    });
  });
}

function inputGradient({ inputs, attrs }: Arguments, wasm: WasmBackend): TensorInfo {
  const { inputShape, ...attributes } = attrs as unknown as Attributes & { readonly inputShape: Shape4D };
  const info = windowsOf(inputShape, inputs.filter.shape as Shape4D, attributes);
  return gradientFrom(wasm, inputs.dy, inputs.filter, inputShape, (dy, filter, to) => {
    const { batchSize, inHeight, inWidth, inChannels } = info;
    const w = wasm.address(filter);
    channelsLast(wasm, info, dy, (dyAt) => {
      if (info.dataFormat === "channelsLast") writeInputGradient(wasm, info, dyAt, w, to);
      else
        wasm.scratch(4 * util.sizeFromShape(inputShape), (address) => {
          writeInputGradient(wasm, info, dyAt, w, address);
          wasm.kernels.transpose(batchSize, inHeight * inWidth, inChannels, address, to);
        });
    });
  });
}

export const convolutions: readonly Kernel[] = [
  { name: "Conv2DBackpropFilter", missing: true, run: filterGradient },
  { name: "Conv2DBackpropInput", missing: false, run: inputGradient },
];
