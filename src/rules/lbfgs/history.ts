// The history of LBFGS: the last steps s and gradient differences y, and the direction −H·g that follows from them.
import { H_DIAG, LENGTH, START } from "./options.js";
import type { Addresses, Vectors } from "./vectors.js";

/** A ring of pairs (y, s). Its length, its start and the scale of H are among the optimizer's shared numbers. */
export class History {
  readonly #vectors: Vectors;
  readonly #ys: Addresses;
  readonly #ss: Addresses;
  readonly #size: number;
  readonly #shared: Float64Array;
  /** 1/(y·s) per row, and α of the two-loop recursion. */
  readonly #rho: Float64Array;
  readonly #alpha: Float64Array;

  /** `ys` and `ss` hold `size` rows each. */
  constructor(vectors: Vectors, ys: Addresses, ss: Addresses, size: number, shared: Float64Array) {
    this.#vectors = vectors;
    this.#ys = ys;
    this.#ss = ss;
    this.#size = size;
    this.#shared = shared;
    this.#rho = new Float64Array(size);
    this.#alpha = new Float64Array(size);
  }

  clear(): void {
    this.#shared[LENGTH] = this.#shared[START] = 0;
    this.#shared[H_DIAG] = 1;
  }

  /** Adds a pair in place of the oldest when the ring is full; skips pairs that would make H indefinite. */
  add(y: Addresses, s: Addresses): void {
    const vectors = this.#vectors;
    const shared = this.#shared;
    const product = vectors.dot(y, s);
    if (!(product > 1e-10 && product < Infinity)) return;
    const row = this.#row(shared[LENGTH]);
    if (shared[LENGTH] < this.#size) shared[LENGTH]++;
    else shared[START] = (shared[START] + 1) % this.#size;
    vectors.copy(y, vectors.row(this.#ys, row));
    vectors.copy(s, vectors.row(this.#ss, row));
    this.#rho[row] = 1 / product;
    shared[H_DIAG] = product / vectors.dot(y, y);
  }

  /** d ← −H·g by the two-loop recursion. */
  direction(g: Addresses, d: Addresses): void {
    const vectors = this.#vectors;
    const shared = this.#shared;
    vectors.copy(g, d);
    vectors.scale(d, -1);
    for (let k = shared[LENGTH] - 1; k >= 0; k--) {
      const row = this.#row(k);
      this.#alpha[row] = vectors.dot(vectors.row(this.#ss, row), d) * this.#rho[row];
      vectors.addScaled(d, vectors.row(this.#ys, row), -this.#alpha[row]);
    }
    vectors.scale(d, shared[H_DIAG]);
    for (let k = 0; k < shared[LENGTH]; k++) {
      const row = this.#row(k);
      const beta = vectors.dot(vectors.row(this.#ys, row), d) * this.#rho[row];
      vectors.addScaled(d, vectors.row(this.#ss, row), this.#alpha[row] - beta);
    }
  }

  /** Recomputes what is derived from the rows after they have been loaded. */
  loaded(): void {
    for (let k = 0; k < this.#shared[LENGTH]; k++) {
      const row = this.#row(k);
      this.#rho[row] = 1 / this.#vectors.dot(this.#vectors.row(this.#ys, row), this.#vectors.row(this.#ss, row));
    }
  }

  /** The row of the k-th oldest pair. */
  #row(k: number): number {
    return (this.#shared[START] + k) % this.#size;
  }
}
