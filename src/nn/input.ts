// The input of a network: checks x, and copies rows of it into the arena.
import type { Arena } from "../memory/arena.js";
import type { Vector } from "../memory/tensor.js";
import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";
import { BYTES_TOGETHER } from "../wasm/generated/layout/products.js";
import { type Floats, type Indices, asInputs, isFloats, part, readRows } from "./data.js";
import type { Span } from "./memory.js";

/** What a program says of its input. */
interface Form {
  /** Elements of a row. */
  readonly inputs: number;
  readonly input: Span;
  /** The first one's owner begins messages about tokens. */
  readonly nodes: readonly { readonly owner: string }[];
}

/** The memory of the input: floats. */
export class InputBuffer {
  readonly #kernels: NetworkKernels;
  /** Elements of a row. */
  readonly size: number;
  /** The factor of bytes; undefined for the default, which does not suit bytes of 0 and 1. */
  readonly #scale: number | undefined;
  /** Two views of the same memory. */
  readonly #floats: Vector;
  readonly #bytes: Uint8Array;
  /** Whether x consists of tokens. */
  readonly hasTokens: boolean = false;

  constructor(
    arena: Arena,
    kernels: NetworkKernels,
    program: Form,
    settings: { readonly rows: number; readonly inputScale: number | undefined },
  ) {
    const { at } = program.input;
    const count = settings.rows * program.inputs;
    this.#kernels = kernels;
    this.size = program.inputs;
    this.#scale = settings.inputScale;
    this.#floats = new Float32Array(arena.buffer, at, count);
    this.#bytes = new Uint8Array(arena.buffer, at, 4 * rounded(count));
  }

  /** Checks x and makes one list of it: whole rows. */
  read(owner: string, x: unknown): Floats | Indices {
    return readRows(owner, "x", x, isFloats, asInputs, this.size);
  }

  /** Whether the network has given away views of its memory. */
  hasViews = false;

  /**
   * What was read, or a copy of it if it lies in this memory, where targets that are loaded before it may overwrite it. Throws
   * for bytes that look like one-hot rows or masks, since some are 1 and none is larger: the default scale does not suit them.
   */
  safe(owner: string, read: Floats | Indices): Floats | Indices {
    const bytes = read as Floats; // of an array, the properties below are undefined
    // Of an image, this reads only a few.
    if (this.#scale === undefined && bytes.BYTES_PER_ELEMENT === 1 && !bytes.some(isLarge) && bytes.includes(1))
      throw new RangeError(
        `${owner}: "x" has bytes of 0 and 1 alone, which would count as 0 and 1/255: give inputScale: 1`,
      );
    return this.hasViews && bytes.buffer === this.#floats.buffer ? bytes.slice() : read;
  }

  /** Copies rows of x into the arena; bytes become float32, multiplied by the scale. */
  load(x: Floats | Indices, first: number, rows: number): void {
    const count = rows * this.size;
    const given = part(x as Floats, first * this.size, count);
    if (given.BYTES_PER_ELEMENT !== 1) {
      this.#floats.set(given);
      return;
    }
    const { byteOffset } = this.#bytes;
    const last = 3 * rounded(count); // bytes go to the last quarter, and are converted in place
    this.#bytes.set(given, last);
    this.#kernels.convertBytes(count, byteOffset + last, this.#scale ?? 1 / 255, byteOffset);
  }
}

const isLarge = (byte: number): boolean => byte > 1;

/** Elements, rounded up to what `convertBytes` converts at a time. */
const rounded = (elements: number): number => Math.ceil(elements / BYTES_TOGETHER) * BYTES_TOGETHER;
