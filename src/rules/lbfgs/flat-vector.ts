import { type Arena, padded } from "../../memory/arena.js";
import type { Tensor } from "../../memory/tensor.js";

/** A vector in pieces: an address for each tensor. */
export type Pieces = Uint32Array;

/** Arithmetic on all tensors of an optimizer as one vector; sums in float64, tensor by tensor. */
export class Flat {
  readonly #arena: Arena;
  readonly #sizes: readonly number[];
  /** Bytes that a vector takes, padded piece by piece. */
  readonly bytes: number;

  constructor(arena: Arena, tensors: readonly Tensor[]) {
    this.#arena = arena;
    this.#sizes = tensors.map((tensor) => tensor.size);
    this.bytes = this.#sizes.reduce((sum, size) => sum + padded(size), 0);
  }

  /** A vector in memory of `bytes` bytes at `address`. */
  at(address: number): Pieces {
    let next = address;
    return Uint32Array.from(this.#sizes, (size) => {
      next += padded(size);
      return next - padded(size);
    });
  }

  /** Row `row` of vectors that stand one behind the other, piece by piece and without padding. To be read, or copied into. */
  row(rows: Pieces, row: number): Pieces {
    return rows.map((address, i) => address + row * this.#sizes[i] * 4);
  }

  copy(from: Pieces, to: Pieces): void {
    this.#sizes.forEach((size, i) => this.#arena.copy(from[i], to[i], size * 4));
  }

  /** x ← c·x. */
  scale(x: Pieces, c: number): void {
    const { kernels } = this.#arena;
    this.#sizes.forEach((size, i) => kernels.scale(size, x[i], c));
  }

  /** x ← x + c·y. */
  addScaled(x: Pieces, y: Pieces, c: number): void {
    const { kernels } = this.#arena;
    this.#sizes.forEach((size, i) => kernels.addScaled(size, x[i], y[i], c));
  }

  dot(x: Pieces, y: Pieces): number {
    const { kernels } = this.#arena;
    return this.#sizes.reduce((sum, size, i) => sum + kernels.dot(size, x[i], y[i]), 0);
  }

  sumOfAbs(x: Pieces): number {
    const { kernels } = this.#arena;
    return this.#sizes.reduce((sum, size, i) => sum + kernels.sumOfAbs(size, x[i]), 0);
  }

  maxAbs(x: Pieces): number {
    const { kernels } = this.#arena;
    return this.#sizes.reduce((most, size, i) => Math.max(most, kernels.maxAbs(size, x[i])), 0);
  }
}
