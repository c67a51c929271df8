// Views of the first rows of a buffer.
import type { Vector } from "../memory/tensor.js";

/** Keeps the last view, so that calls with as many rows allocate nothing. */
export class RowViews {
  readonly #buffer: ArrayBuffer;
  readonly #at: number;
  readonly #size: number;
  #last: Vector;

  /** Rows of `size` float32 at address `at`. */
  constructor(buffer: ArrayBuffer, at: number, size: number) {
    this.#buffer = buffer;
    this.#at = at;
    this.#size = size;
    this.#last = new Float32Array(buffer, at, 0);
  }

  of(rows: number): Vector {
    const count = rows * this.#size;
    if (this.#last.length !== count) this.#last = new Float32Array(this.#buffer, this.#at, count);
    return this.#last;
  }
}
