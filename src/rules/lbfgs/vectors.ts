// Vector arithmetic over all tensors of an optimizer at once, for LBFGS: a vector has one piece per tensor.
import { type Arena, padded } from "../../memory/arena.js";
import type { Tensor } from "../../memory/tensor.js";

/** A vector: the address of its piece for each tensor. */
export type Addresses = Uint32Array;

/** Operations on vectors; sums are in float64, tensor by tensor. */
export class Vectors {
  readonly #arena: Arena;
  readonly #sizes: readonly number[];
  /** Bytes of one vector, with each piece padded. */
  readonly bytes: number;

  constructor(arena: Arena, tensors: readonly Tensor[]) {
    this.#arena = arena;
    this.#sizes = tensors.map((tensor) => tensor.size);
    this.bytes = this.#sizes.reduce((sum, size) => sum + padded(size), 0);
  }

  /** The vector in the `bytes` bytes from `address` on. */
  at(address: number): Addresses {
    let next = address;
    return Uint32Array.from(this.#sizes, (size) => {
      next += padded(size);
      return next - padded(size);
    });
  }

  /** Row `row` of a history, whose pieces are arrays of rows without padding: only to read from or copy to. */
  row(rows: Addresses, row: number): Addresses {
    return rows.map((address, i) => address + row * this.#sizes[i] * 4);
  }

  copy(from: Addresses, to: Addresses): void {
    this.#sizes.forEach((size, i) => this.#arena.copy(from[i], to[i], size * 4));
  }

  /** x ← c·x. */
  scale(x: Addresses, c: number): void {
    const { kernels } = this.#arena;
    this.#sizes.forEach((size, i) => kernels.scale(size, x[i], c));
  }

  /** x ← x + c·y. */
  addScaled(x: Addresses, y: Addresses, c: number): void {
    const { kernels } = this.#arena;
    this.#sizes.forEach((size, i) => kernels.addScaled(size, x[i], y[i], c));
  }

  dot(x: Addresses, y: Addresses): number {
    const { kernels } = this.#arena;
    return this.#sizes.reduce((sum, size, i) => sum + kernels.dot(size, x[i], y[i]), 0);
  }

  sumOfAbs(x: Addresses): number {
    const { kernels } = this.#arena;
    return this.#sizes.reduce((sum, size, i) => sum + kernels.sumOfAbs(size, x[i]), 0);
  }

  maxAbs(x: Addresses): number {
    const { kernels } = this.#arena;
    return this.#sizes.reduce((most, size, i) => Math.max(most, kernels.maxAbs(size, x[i])), 0);
  }
}
