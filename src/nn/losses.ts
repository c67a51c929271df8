// The losses of networks: what targets they take, their sum over a batch, and the gradient of their mean.
import type { Arena } from "../memory/arena.js";
import type { Shape, Vector } from "../memory/tensor.js";
import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";
import { type Floats, type Indices, part, readLabels, readTargets } from "./data.js";
import { sizeOf } from "./layers/layer.js";
import type { Span } from "./memory.js";

/** The loss: softmax cross-entropy with class indices, or the mean squared error over all elements. */
export type Loss = "cross-entropy" | "mse";
export const losses = ["cross-entropy", "mse"] as const satisfies readonly Loss[];

/** Where a loss reads and writes. */
interface Places {
  readonly outputs: Span;
  readonly delta: Span;
  readonly targets: Span;
  readonly losses: Span;
}

/** The loss of a network's outputs of `shape`. Classes are the last dimension; a row has a loss for each of the others. */
export class Criterion {
  readonly #kernels: NetworkKernels;
  readonly #loss: Loss;
  /** Losses of a row. */
  readonly #positions: number;
  readonly #classes: number;
  readonly #at: Places;
  /** Two views of the same memory, one of which is in use: class indices, or a target for every output. */
  readonly #labels: Int32Array;
  readonly #targets: Vector;
  readonly #losses: Float64Array;
  readonly #outputs: Vector;

  constructor(arena: Arena, kernels: NetworkKernels, loss: Loss, shape: Shape, rows: number, at: Places) {
    this.#kernels = kernels;
    this.#loss = loss;
    this.#classes = shape[shape.length - 1];
    this.#positions = sizeOf(shape) / this.#classes;
    this.#at = at;
    const positions = rows * this.#positions;
    this.#labels = new Int32Array(arena.buffer, at.targets.at, positions);
    this.#targets = new Float32Array(arena.buffer, at.targets.at, positions * this.#classes);
    this.#losses = new Float64Array(arena.buffer, at.losses.at, positions);
    this.#outputs = new Float32Array(arena.buffer, at.outputs.at, positions * this.#classes);
  }

  /** Whether targets are class indices, of which the outputs are scores. */
  get hasClasses(): boolean {
    return this.#loss === "cross-entropy";
  }

  /** How many targets a row has. */
  get targetsPerRow(): number {
    return this.#positions * (this.hasClasses ? 1 : this.#classes);
  }

  /** Checks y, which has to fit so many rows, and makes one list of it. */
  read(owner: string, y: unknown, rows: number): Floats | Indices {
    const size = this.targetsPerRow;
    if (this.hasClasses) return readLabels(owner, y, rows * size, size, this.#classes);
    const targets = readTargets(owner, "y", y, rows * size, size);
    // Loading x may overwrite what lies in the network's own memory.
    return targets.buffer === this.#losses.buffer ? targets.slice() : targets;
  }

  /** Copies the targets of some rows into the arena. */
  load(y: Floats | Indices, first: number, rows: number): void {
    const size = this.targetsPerRow;
    const start = first * size;
    const count = rows * size;
    if (!this.hasClasses) this.#targets.set(part(y as Floats, start, count));
    else for (let i = 0; i < count; i++) this.#labels[i] = Number(y[start + i]);
  }

  /** Returns `total` plus the losses, added in order; computes the gradient of their mean. */
  add(rows: number, total: number): number {
    const { outputs, targets, delta, losses } = this.#at;
    const positions = rows * this.#positions;
    const args = [positions, this.#classes, outputs.at, targets.at, delta.at, losses.at] as const;
    if (this.#loss === "mse") this.#kernels.squaredError(...args);
    else this.#kernels.crossEntropy(...args, 0, -1);
    for (let i = 0; i < positions; i++) total += this.#losses[i];
    return total;
  }

  /** Number of terms in the sum of the losses. */
  terms(rows: number): number {
    return rows * this.targetsPerRow;
  }

  /** Positions whose largest output is the label's; those with a NaN are not. NaN if there are no classes. */
  correct(rows: number): number {
    if (!this.hasClasses) return NaN;
    const outputs = this.#outputs;
    const classes = this.#classes;
    let correct = 0;
    for (let i = 0, at = 0; i < rows * this.#positions; i++, at += classes) {
      const label = this.#labels[i];
      let j = 0;
      while (
        j < classes &&
        (j < label ? outputs[at + j] < outputs[at + label] : outputs[at + j] <= outputs[at + label])
      )
        j++;
      if (j === classes) correct++;
    }
    return correct;
  }
}
