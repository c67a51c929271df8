// The memory in which bodies of models and updates are made and read, and the messages that carry them.
import type { DeltaKernels } from "../wasm/generated/delta-kernels.js";
import { deltaKernels } from "./kernels.js";
import { CHUNK, HEADER, type Header, readHeader, writeHeader } from "./message.js";

const BLOCK = 256;
/** The first page's start is left to the binary. */
const START = 4096;
const up = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/** A message whose checksum is right. */
export interface Received {
  readonly header: Header;
  readonly body: Uint8Array;
}

/**
 * Memory for a model of so many parameters and numbers in buffers. Bodies: a model is bfloat16 parameters, an update float32
 * scales, one for 256 parameters, and int8 codes; both then, from a multiple of 4 bytes on, float32 buffers.
 */
export class Workspace {
  /** The parameters before the training. */
  readonly before: Float32Array;
  /** The parameters after the training; of a coordinator, the sum of updates with the opposite sign. */
  readonly after: Float32Array;
  readonly modelBytes: number;
  readonly updateBytes: number;
  readonly #kernels: DeltaKernels;
  readonly #padded: number;
  readonly #codesAt: number;
  readonly #bodyAt: number;
  readonly #messageAt: number;
  readonly #memory: Uint8Array;
  readonly #view: DataView;

  constructor(
    readonly numel: number,
    readonly buffers: number,
  ) {
    this.#padded = up(numel, BLOCK);
    const scales = (this.#padded / BLOCK) * 4;
    this.modelBytes = up(2 * numel, 4) + 4 * buffers;
    this.updateBytes = scales + up(numel, 4) + 4 * buffers;
    this.#bodyAt = START + 8 * this.#padded;
    this.#codesAt = this.#bodyAt + scales;
    // Kernels read and write whole blocks; the checksum reads up to 64 bytes more.
    const body = Math.max(this.modelBytes, this.updateBytes, scales + this.#padded, 2 * this.#padded);
    this.#messageAt = this.#bodyAt + up(body + 64, 64);
    const { kernels, buffer } = deltaKernels(this.#messageAt + HEADER + CHUNK + 64);
    this.#kernels = kernels;
    this.before = new Float32Array(buffer, START, numel);
    this.after = new Float32Array(buffer, START + 4 * this.#padded, numel);
    this.#memory = new Uint8Array(buffer);
    this.#view = new DataView(buffer, this.#messageAt);
  }

  /** Makes a model's body of `before`. Its view is valid until the next call. */
  encodeModel(buffers: Float32Array): Uint8Array {
    this.#kernels.toHalves(this.#padded, START, this.#bodyAt);
    return this.#body(2 * this.numel, buffers);
  }

  /** Reads a model's body into `before`, if it has this checksum; returns the buffers, a view. */
  decodeModel(body: Uint8Array, checksum: number): Float32Array | undefined {
    if (this.checksum(body) !== checksum) return undefined;
    this.#kernels.fromHalves(this.#padded, this.#bodyAt, START);
    // What follows the last parameter are buffers; in an update's last block it must be 0.
    new Float32Array(this.#memory.buffer, START, this.#padded).fill(0, this.numel);
    return this.#buffers(2 * this.numel);
  }

  /** Makes an update's body of `after − before`; undefined if a difference is infinite or NaN. */
  encodeUpdate(buffers: Float32Array): Uint8Array | undefined {
    const [x, y] = [START, START + 4 * this.#padded];
    if (this.#kernels.quantize(this.#padded, x, y, this.#bodyAt, this.#codesAt) > 0) return undefined;
    return this.#body(this.#codesAt - this.#bodyAt + this.numel, buffers);
  }

  /** Subtracts an update's body from `after`; returns its buffers, a view. */
  subtractUpdate(body: Uint8Array): Float32Array {
    this.#memory.set(body, this.#bodyAt);
    this.#kernels.subtract(this.#padded, this.#bodyAt, this.#codesAt, START + 4 * this.#padded);
    return this.#buffers(this.#codesAt - this.#bodyAt + this.numel);
  }

  /** Whether the scales of an update are finite, not negative and so small that the sum of `count` updates is finite. */
  isFinite(body: Uint8Array, count: number): boolean {
    const most = 3.4e38 / 128 / count;
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    for (let at = 0; at < this.#codesAt - this.#bodyAt; at += 4) {
      const scale = view.getFloat32(at, true);
      if (!(scale >= 0 && scale <= most)) return false;
    }
    for (let at = this.updateBytes - 4 * this.buffers; at < this.updateBytes; at += 4)
      if (!Number.isFinite(view.getFloat32(at, true))) return false;
    return true;
  }

  /** The checksum of a body. */
  checksum(body: Uint8Array): number {
    this.#memory.set(body, this.#bodyAt);
    return this.#sum(this.#bodyAt, body.length);
  }

  /** The messages of a body, owned: `header` but for the fields that the body decides. */
  pack(body: Uint8Array, header: Omit<Header, "chunk" | "chunks" | "bytes">): Uint8Array[] {
    const chunks = Math.max(1, Math.ceil(body.length / CHUNK));
    return Array.from({ length: chunks }, (_, chunk) => {
      const part = body.subarray(chunk * CHUNK, (chunk + 1) * CHUNK);
      writeHeader(this.#view, { ...header, chunk, chunks, bytes: body.length });
      this.#memory.set(part, this.#messageAt + HEADER);
      const length = HEADER + part.length;
      this.#view.setUint32(0, this.#sum(this.#messageAt, length), true);
      return this.#memory.slice(this.#messageAt, this.#messageAt + length);
    });
  }

  /**
   * Reads a message; undefined if it is too short or too long, or its checksum is wrong. The body is a view, valid until the
   * next call.
   */
  unpack(data: Uint8Array): Received | undefined {
    const { length } = data;
    if (length < HEADER || length > HEADER + CHUNK) return undefined;
    this.#memory.set(data, this.#messageAt);
    const told = this.#view.getUint32(0, true);
    this.#view.setUint32(0, 0, true);
    if (this.#sum(this.#messageAt, length) !== told) return undefined;
    return {
      header: readHeader(this.#view),
      body: this.#memory.subarray(this.#messageAt + HEADER, this.#messageAt + length),
    };
  }

  #body(parameters: number, buffers: Float32Array): Uint8Array {
    const at = up(parameters, 4);
    this.#memory.fill(0, this.#bodyAt + parameters, this.#bodyAt + at);
    new Float32Array(this.#memory.buffer, this.#bodyAt + at, this.buffers).set(buffers);
    return this.#memory.subarray(this.#bodyAt, this.#bodyAt + at + 4 * this.buffers);
  }

  #buffers(parameters: number): Float32Array {
    return new Float32Array(this.#memory.buffer, this.#bodyAt + up(parameters, 4), this.buffers);
  }

  /** The checksum of bytes, which writes 0 behind them up to a multiple of 64. */
  #sum(at: number, length: number): number {
    this.#memory.fill(0, at + length, at + up(length, 64));
    return this.#kernels.checksum(length === 0 ? 0 : up(length, 64), at, length) >>> 0;
  }
}
