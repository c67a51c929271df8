// The losses of networks: what targets they take, their sum over a batch, and the gradient of their mean.
import type { Arena } from "../memory/arena.js";
import type { Shape, Vector } from "../memory/tensor.js";
import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";
import { type Floats, type Indices, part, readLabels, readTargets } from "./data.js";
import { sizeOf } from "./layers/layer.js";
import type { Span } from "./memory.js";

/**
 * The loss, its mean: softmax cross-entropy with class indices; the squared error, binary cross-entropy of outputs before the
 * logistic function, or Huber's loss, over all elements.
 */
export type Loss = "cross-entropy" | "mse" | "binary-cross-entropy" | "huber";
export const losses = ["cross-entropy", "mse", "binary-cross-entropy", "huber"] as const satisfies readonly Loss[];

/** A loss and its options. */
export interface LossSettings {
  readonly loss: Loss;
  readonly labelSmoothing: number;
  readonly ignoreIndex: number | undefined;
  readonly delta: number;
}

/** Among loaded labels, those that do not count. */
const IGNORED = -1;

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
  readonly #settings: LossSettings;
  /** Whether targets are class indices, of which the outputs are scores. */
  readonly hasClasses: boolean;
  /** How many targets a row has. */
  readonly targetsPerRow: number;
  /** Losses of a row. */
  readonly #positions: number;
  readonly #classes: number;
  readonly #at: Places;
  /** Two views of the same memory, one of which is in use: class indices, or a target for every output. */
  readonly #labels: Int32Array;
  readonly #targets: Vector;
  readonly #losses: Float64Array;
  readonly #outputs: Vector;
  /** The sum of losses, in an array since an engine may allocate memory for a number that a function returns. */
  readonly sum = new Float64Array(1);

  constructor(arena: Arena, kernels: NetworkKernels, settings: LossSettings, shape: Shape, rows: number, at: Places) {
    this.#kernels = kernels;
    this.#settings = settings;
    this.#classes = shape[shape.length - 1];
    this.#positions = sizeOf(shape) / this.#classes;
    this.#at = at;
    this.hasClasses = settings.loss === "cross-entropy";
    this.targetsPerRow = this.#positions * (this.hasClasses ? 1 : this.#classes);
    const positions = rows * this.#positions;
    this.#labels = new Int32Array(arena.buffer, at.targets.at, positions);
    this.#targets = new Float32Array(arena.buffer, at.targets.at, positions * this.#classes);
    this.#losses = new Float64Array(arena.buffer, at.losses.at, positions);
    this.#outputs = new Float32Array(arena.buffer, at.outputs.at, positions * this.#classes);
  }

  /** Checks y, which has to fit so many rows, and makes one list of it. */
  read(owner: string, y: unknown, rows: number): Floats | Indices {
    const size = this.targetsPerRow;
    if (this.hasClasses) return readLabels(owner, y, rows * size, size, this.#classes, this.#settings.ignoreIndex);
    return readTargets(owner, "y", y, rows * size, size);
  }

  /** Copies the targets of some rows into the arena. */
  load(y: Floats | Indices, first: number, rows: number): void {
    const size = this.targetsPerRow;
    const start = first * size;
    const count = rows * size;
    if (!this.hasClasses) {
      this.#targets.set(part(y as Floats, start, count));
      return;
    }
    const { ignoreIndex } = this.#settings;
    for (let i = 0; i < count; i++) {
      const label = Number(y[start + i]);
      this.#labels[i] = label === ignoreIndex ? IGNORED : label;
    }
  }

  /** Adds the losses to the sum, in order; computes the gradient of their mean. */
  add(rows: number): void {
    const { outputs, targets, delta, losses } = this.#at;
    const settings = this.#settings;
    const kernels = this.#kernels;
    const positions = rows * this.#positions;
    const columns = this.#classes;
    const [z, t, dz, sums] = [outputs.at, targets.at, delta.at, losses.at];
    if (settings.loss === "cross-entropy")
      kernels.crossEntropy(positions, columns, z, t, dz, sums, settings.labelSmoothing, IGNORED);
    else if (settings.loss === "mse") kernels.squaredError(positions, columns, z, t, dz, sums);
    else if (settings.loss === "huber") kernels.huber(positions, columns, z, t, dz, sums, settings.delta);
    else kernels.binaryCrossEntropy(positions, columns, z, t, dz, sums);
    for (let i = 0; i < positions; i++) this.sum[0] += this.#losses[i];
  }

  /** Number of terms in the sum of the losses: rows of y from `first` on, without ignored labels. */
  terms(y: Floats | Indices, first: number, rows: number): number {
    const size = this.targetsPerRow;
    const { ignoreIndex } = this.#settings;
    let count = rows * size;
    if (ignoreIndex !== undefined)
      for (let i = first * size; i < (first + rows) * size; i++) if (Number(y[i]) === ignoreIndex) count--;
    return count;
  }

  /** Positions whose largest output is the label's; those with a NaN are not. NaN if there are no classes. */
  correct(rows: number): number {
    if (!this.hasClasses) return NaN;
    const outputs = this.#outputs;
    const classes = this.#classes;
    let correct = 0;
    for (let i = 0, at = 0; i < rows * this.#positions; i++, at += classes) {
      const label = this.#labels[i];
      if (label === IGNORED) continue;
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
