// The losses of networks: what targets they take, their sum over a batch, and the gradient of their mean.
import type { Arena } from "../memory/arena.js";
import type { Vector } from "../memory/tensor.js";
import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";
import type { Program } from "./compile.js";
import {
  type Floats,
  type Indices,
  asLabels,
  asTargets,
  checkIndices,
  isFractions,
  isIndices,
  part,
  readRows,
} from "./data.js";
import { sizeOf } from "./layers/layer.js";

/**
 * The loss, its mean: softmax cross-entropy with class indices; the squared error, binary cross-entropy of outputs before the
 * logistic function, or Huber's loss, over all elements.
 */
export type Loss = "cross-entropy" | "mse" | "binary-cross-entropy" | "huber";
/** The kernel of each. */
const kernelOf = {
  "cross-entropy": "crossEntropy",
  mse: "squaredError",
  "binary-cross-entropy": "binaryCrossEntropy",
  huber: "huber",
} as const satisfies Record<Loss, keyof NetworkKernels>;
export const losses = Object.keys(kernelOf) as Loss[];

/** A loss and its options. */
export interface LossSettings {
  readonly loss: Loss;
  readonly labelSmoothing: number;
  readonly ignoreIndex: number | undefined;
  readonly delta: number;
}

/** Sums over rows: of losses, of how many terms they have, without ignored labels, and of right classes. */
export type Sums = Float64Array;

/** The index of the largest of so many numbers, or of the first of equal ones; of a NaN if there is one. */
export function largest(list: Vector, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (list[start + i] > list[start + best] || Number.isNaN(list[start + i])) best = i;
  return best;
}

/** Among loaded labels, those that do not count. */
const IGNORED = -1;

/** The loss of a network's outputs of `shape`. Classes are the last dimension; a row has a loss for each of the others. */
export class Criterion {
  readonly #kernel: NetworkKernels["crossEntropy"];
  readonly #settings: LossSettings;
  /** Whether targets are class indices, of which the outputs are scores. */
  readonly hasClasses: boolean;
  /** How many targets a row has. */
  readonly targetsPerRow: number;
  /** Losses of a row. */
  readonly #positions: number;
  /** The last dimension of the outputs. */
  readonly classes: number;
  readonly #program: Program;
  /** Class indices, or a target for every output. */
  readonly #targets: Int32Array | Vector;
  readonly #losses: Float64Array;
  readonly #outputs: Vector;

  constructor(arena: Arena, kernels: NetworkKernels, program: Program, settings: LossSettings & { rows: number }) {
    const { buffer } = arena;
    const { output: shape, result, targets, losses } = program;
    this.#kernel = kernels[kernelOf[settings.loss]];
    this.#settings = settings;
    this.classes = shape[shape.length - 1];
    this.#positions = sizeOf(shape) / this.classes;
    this.#program = program;
    this.hasClasses = settings.loss === "cross-entropy";
    this.targetsPerRow = this.#positions * (this.hasClasses ? 1 : this.classes);
    const { rows } = settings;
    const positions = rows * this.#positions;
    const Targets = this.hasClasses ? Int32Array : Float32Array;
    this.#targets = new Targets(buffer, targets.at, rows * this.targetsPerRow);
    this.#losses = new Float64Array(buffer, losses.at, positions);
    this.#outputs = new Float32Array(buffer, result.at, positions * this.classes);
  }

  /** Checks y, which has to fit so many rows, and makes one list of it. */
  read(owner: string, y: unknown, rows: number): Floats | Indices {
    const size = this.targetsPerRow;
    if (!this.hasClasses) return readRows(owner, "y", y, isFractions, asTargets, size, rows * size);
    const labels = readRows(owner, "y", y, isIndices, asLabels, size, rows * size);
    checkIndices(owner, "y", labels, "a class index", this.classes, this.#settings.ignoreIndex);
    return labels;
  }

  /** Copies the targets of some rows into the arena, and counts them. */
  load(y: Floats | Indices, first: number, rows: number, sums: Sums): void {
    const start = first * this.targetsPerRow;
    const count = rows * this.targetsPerRow;
    sums[1] += count;
    if (!this.hasClasses) {
      this.#targets.set(part(y as Floats, start, count));
      return;
    }
    for (let i = 0; i < count; i++) {
      const label = Number(y[start + i]);
      const isIgnored = label === this.#settings.ignoreIndex;
      this.#targets[i] = isIgnored ? IGNORED : label;
      if (isIgnored) sums[1]--;
    }
  }

  /** Adds up the losses, in order; computes the gradient of their mean. */
  add(rows: number, sums: Sums): void {
    const { result, targets, delta, losses } = this.#program;
    const positions = rows * this.#positions;
    const option = this.hasClasses ? this.#settings.labelSmoothing : this.#settings.delta;
    this.#kernel(positions, this.classes, result.at, targets.at, delta.at, losses.at, option, IGNORED);
    for (let i = 0; i < positions; i++) sums[0] += this.#losses[i];
  }

  /** Positions whose largest output is the label's; those with a NaN are not. NaN if there are no classes. */
  correct(rows: number): number {
    if (!this.hasClasses) return NaN;
    const outputs = this.#outputs;
    const { classes } = this;
    let correct = 0;
    for (let i = 0, at = 0; i < rows * this.#positions; i++, at += classes) {
      const label = this.#targets[i];
      const best = largest(outputs, at, classes);
      if (best === label && !Number.isNaN(outputs[at + best])) correct++;
    }
    return correct;
  }
}
