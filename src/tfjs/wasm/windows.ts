// Hands the windows of a convolution or a pooling, and the scratch that they need, to the kernels.
import { type TensorInfo, type backend_util, util } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";

/** Bytes that a vector may reach beyond a buffer. */
const BEYOND = 16;
const HEADER = 128;
const rounded = (bytes: number): number => (bytes + BEYOND + 15) & -16;

/** What a kernel needs beside the windows' sizes. */
export interface Needs {
  /** Floats of a pixel in the frame. */
  readonly frameChannels: number;
  /** Rows of output pixels at a time. */
  readonly lines: number;
  /** Bytes of scratch for products, for rows, and for what the kernel is given an address of. */
  readonly packs: number;
  readonly rows: number;
  readonly extra: number;
}

/** What is used of the sizes of a convolution or a pooling. */
export type Sizes = Pick<
  backend_util.Conv2DInfo,
  | "batchSize"
  | "inHeight"
  | "inWidth"
  | "inChannels"
  | "outHeight"
  | "outWidth"
  | "outChannels"
  | "filterHeight"
  | "filterWidth"
  | "strideHeight"
  | "strideWidth"
  | "dilationHeight"
  | "dilationWidth"
> & { readonly padInfo: Omit<backend_util.PadInfo, "type"> };

/** Calls `use` with the address of the windows and with `extra` bytes of scratch. */
export function withWindows(
  wasm: WasmBackend,
  info: Sizes,
  { frameChannels, lines, packs, rows, extra }: Needs,
  use: (windows: number, extra: number) => void,
): void {
  const { padInfo } = info;
  const frameHeight = (info.outHeight - 1) * info.strideHeight + (info.filterHeight - 1) * info.dilationHeight + 1;
  const frameWidth = (info.outWidth - 1) * info.strideWidth + (info.filterWidth - 1) * info.dilationWidth + 1;
  const sizes = [packs, 4 * frameHeight * frameWidth * frameChannels, rows, extra].map(rounded);
  wasm.scratch(
    sizes.reduce((sum, bytes) => sum + bytes, HEADER),
    (at) => {
      let end = at + HEADER;
      const [packsAt, frameAt, rowsAt, extraAt] = sizes.map((bytes) => (end += bytes) - bytes);
      // The order of the fields in assembly/tfjs/window.ts.
      const fields = [
        info.batchSize,
        info.inHeight,
        info.inWidth,
        info.inChannels,
        info.filterHeight,
        info.filterWidth,
        info.strideHeight,
        info.strideWidth,
        info.dilationHeight,
        info.dilationWidth,
        padInfo.top,
        padInfo.left,
        info.outHeight,
        info.outWidth,
        lines,
        frameChannels,
        packsAt,
        frameAt,
        rowsAt,
      ];
      wasm.ints(at, fields.length).set(fields);
      use(at, extraAt);
    },
  );
}

/** A gradient of this shape, which `write` writes, given two tensors as float32. It is zero if one of them is empty. */
export function gradientFrom(
  wasm: WasmBackend,
  first: TensorInfo,
  second: TensorInfo,
  shape: readonly number[],
  write: (first: TensorInfo, second: TensorInfo, to: number) => void,
): TensorInfo {
  if ([first, second].some((tensor) => util.sizeFromShape(tensor.shape) === 0)) return wasm.zeros(shape);
  return wasm.cast(first, "float32", (a) =>
    wasm.cast(second, "float32", (b) => wasm.output(shape, "float32", (to) => write(a, b, to))),
  );
}
