// Views of the first rows of a buffer.
import type { Vector } from "../memory/tensor.js";

/** Gives a view of so many rows. */
export type RowViews = (rows: number) => Vector;

/** Rows of `size` float32 at address `at`. The last view is kept, so that calls with as many rows allocate nothing. */
export function rowViews(buffer: ArrayBuffer, at: number, size: number): RowViews {
  let last: Vector | undefined;
  return (rows) => {
    const count = rows * size;
    if (last?.length !== count) last = new Float32Array(buffer, at, count);
    return last;
  };
}
