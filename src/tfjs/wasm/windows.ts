// Hands the windows of a convolution or a pooling, and the scratch that they need, to the kernels.
import type { backend_util } from "@tensorflow/tfjs-core";
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

/** Calls `use` with the address of the windows and with `extra` bytes of scratch. */
export function withWindows(
  wasm: WasmBackend,
  info: backend_util.Conv2DInfo,
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
