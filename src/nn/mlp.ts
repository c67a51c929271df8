import { padded } from "../memory/arena.js";
import { flag, float, knownOnly, oneOf, record, whole, wholeFrom, wrongType, wrongValue } from "../util/check.js";
import { defineDispose } from "../util/dispose.js";
import { type MemoryOptions, arenaFor, memoryOptions } from "../memory/memory-options.js";
import { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import { type Init, fillLayer, inits } from "./init.js";
import { type Activation, type Loss, Network, activations, losses, scratchBytes } from "./network.js";
import { Random } from "../init/random.js";
import { type Inputs, type Labels, checkImages, checkInput, checkLabels, checkTargets } from "./data.js";

const OWNER = "MLP";
/** `predict` and `evaluate` take at least this many rows at a time, since weights are packed anew for each part. */
const LEAST_ROWS = 64;

const kinds = {
  activation: oneOf(...activations),
  loss: oneOf(...losses),
  init: oneOf(...inits),
  batchSize: wholeFrom(1),
  seed: whole,
  inputScale: float("a finite number > 0", (x) => x > 0 && x < Infinity),
  skipZeros: flag,
};

/** Options of an {@link MLP}, and of its memory. */
export interface MLPOptions extends MemoryOptions {
  /** The activation between layers; the last layer has none. Default `"relu"`. */
  activation?: Activation | undefined;
  /** The loss. Default `"cross-entropy"`. */
  loss?: Loss | undefined;
  /** How the parameters are initialized. Default `"torch"`. */
  init?: Init | undefined;
  /** The most rows that `trainBatch` takes, a whole number >= 1. Default 64. */
  batchSize?: number | undefined;
  /** Seed of the initial values, a whole number >= 0. Default 1. */
  seed?: number | undefined;
  /**
   * Factor of bytes, in float32, when x is a `Uint8Array` or `Uint8ClampedArray`; a finite number > 0. The default, 1/255,
   * scales images to [0, 1]; one-hot rows need 1. A `Float32Array` is not scaled. Without this option, `trainBatch` and
   * `evaluate` throw on bytes that are all 0 or 1, and not all 0.
   */
  inputScale?: number | undefined;
  /**
   * Whether to skip products with zeros, such as an image's background, where zeros are many. Faster, with the same bits as
   * long as everything is finite; but 0·∞ and 0·NaN, which are NaN, may be lost. Default true; with false they stay NaN.
   */
  skipZeros?: boolean | undefined;
}

/** What {@link MLP.evaluate} returns. */
export interface Evaluation {
  /** The mean loss. */
  loss: number;
  /**
   * Fraction of rows, in [0, 1], whose largest output (the first of equal ones) is that of their label, and none is NaN; NaN
   * for `"mse"`.
   */
  accuracy: number;
}

/**
 * A multi-layer perceptron: dense layers x·Wᵀ + b with an activation between them, forward and backward as SIMD kernels
 * in the arena of its parameters. The same seed and data give the same bits on every engine, and a row's outputs do not
 * depend on the rows around it.
 *
 * `sizes` are the widths from input to output, two or more whole numbers >= 1. `params` are named as in a
 * `torch.nn.Sequential` of linear layers and activations: `"0.weight"` of shape [sizes[1], sizes[0]], `"0.bias"` of shape
 * [sizes[1]], `"2.weight"`, `"2.bias"`, and so on.
 *
 * @throws TypeError, RangeError when a size or an option is wrong or the arena is too small; nothing is taken then.
 * @example
 * const mlp = new MLP([784, 128, 10], { seed: 1 });
 * const optimizer = new Adam(mlp.params, { lr: 1e-3 });
 * for (const { x, y } of batches) {
 *   const loss = mlp.trainBatch(x, y);
 *   optimizer.step();
 * }
 * const { accuracy } = mlp.evaluate(testImages, testLabels);
 */
export class MLP {
  /** {@link dispose}, for `using`; where the platform has it. */
  declare [Symbol.dispose]: () => void;

  /** Weights and biases, and their gradients. */
  readonly params: ParameterDict;

  readonly #inputs: number;
  readonly #outputs: number;
  readonly #batchSize: number;
  readonly #loss: Loss;
  readonly #inputScale: number;
  /** Whether the scale is the default, which does not suit bytes of 0 and 1. */
  readonly #forImages: boolean;
  readonly #network: Network;
  readonly #chunk: number;
  readonly #ownsArena: boolean;

  /**
   * @param sizes Widths from input to output: two or more whole numbers >= 1.
   * @param options Options of the network and of its memory. Default: ReLU, cross-entropy, batches of up to 64, seed 1.
   */
  constructor(sizes: readonly number[], options: MLPOptions = {}) {
    const widths = checkSizes(sizes);
    const { activation, loss, init, batchSize, seed, inputScale, skipZeros } = readOptions(options);

    const shapes: [string, number[]][] = widths.slice(1).flatMap((width, i): [string, number[]][] => [
      [`${2 * i}.weight`, [width, widths[i]]],
      [`${2 * i}.bias`, [width]],
    ]);
    const bytes = shapes.reduce((sum, [, shape]) => sum + padded(shape.reduce((a, b) => a * b)), 0);
    const chunk = Math.max(batchSize, LEAST_ROWS);
    const arena = arenaFor(OWNER, options, bytes, scratchBytes(widths, chunk, activation));
    const params = new ParameterDict(Object.fromEntries(shapes), { arena });
    try {
      this.#network = new Network(OWNER, params, widths, chunk, activation, loss, skipZeros);
    } catch (error) {
      params.dispose();
      throw error;
    }
    const random = new Random(seed);
    widths.slice(0, -1).forEach((width, i) => {
      fillLayer(init, random, width, params.data[`${2 * i}.weight`], params.data[`${2 * i}.bias`]);
    });

    this.params = params;
    this.#inputs = widths[0];
    this.#outputs = widths[widths.length - 1];
    this.#batchSize = batchSize;
    this.#loss = loss;
    this.#inputScale = inputScale;
    this.#forImages = options.inputScale === undefined;
    this.#chunk = chunk;
    this.#ownsArena = options.arena === undefined;
  }

  /**
   * Overwrites `params.grad` with the gradient of the batch's mean loss, and returns that loss. It does not step.
   *
   * @param x 1 to `batchSize` rows, row-major, [rows, inputs]: float32, or bytes, multiplied by `inputScale`.
   * @param y For `"cross-entropy"` a class index in [0, outputs) for each row, in any integer array or an array of whole
   * numbers; for `"mse"` float32, row-major, [rows, outputs].
   * @throws TypeError, RangeError when x or y do not fit, or x is bytes of 0 and 1 without an `inputScale`; Error after
   * `dispose()`. A call that throws changes nothing.
   * @example
   * const mlp = new MLP([2, 8, 2]);
   * const loss = mlp.trainBatch(Float32Array.of(0, 1, 1, 1), [1, 0]);
   */
  trainBatch(x: Inputs, y: Labels | Float32Array): number {
    this.params.check(OWNER);
    const rows = checkInput(OWNER, x, this.#inputs);
    if (rows < 1 || rows > this.#batchSize)
      throw wrongValue(OWNER, "x", `1 to ${this.#batchSize} ("batchSize") rows of ${this.#inputs}`, x);
    this.#checkTargets(y, rows);
    if (this.#forImages) checkImages(OWNER, x);
    this.#load(x, 0, rows);
    this.#loadTargets(y, 0, rows);
    this.#network.forward(rows);
    const loss = this.#network.loss(rows, 0);
    this.#network.backward(rows);
    return loss / this.#terms(rows);
  }

  /**
   * The outputs before any softmax, of any number of rows.
   *
   * @param x As in {@link trainBatch}, but any number of rows.
   * @returns An owned array, row-major, [rows, outputs].
   * @throws TypeError, RangeError when x does not fit, Error after `dispose()`.
   * @example
   * const logits = new MLP([2, 8, 3]).predict(Float32Array.of(0, 1)); // 3 numbers
   */
  predict(x: Inputs): Vector {
    this.params.check(OWNER);
    const rows = checkInput(OWNER, x, this.#inputs);
    const result = new Float32Array(rows * this.#outputs);
    for (let first = 0; first < rows; first += this.#chunk) {
      const count = Math.min(this.#chunk, rows - first);
      this.#load(x, first, count);
      this.#network.forward(count);
      result.set(this.#network.output.subarray(0, count * this.#outputs), first * this.#outputs);
    }
    return result;
  }

  /**
   * Mean loss and accuracy of one or more rows. Gradients do not change.
   *
   * @param x As in {@link trainBatch}, but any number of rows.
   * @param y As in {@link trainBatch}.
   * @throws TypeError, RangeError when x or y do not fit, Error after `dispose()`.
   * @example
   * const { loss, accuracy } = new MLP([2, 8, 2]).evaluate(Float32Array.of(0, 1, 1, 1), [1, 0]);
   */
  evaluate(x: Inputs, y: Labels | Float32Array): Evaluation {
    this.params.check(OWNER);
    const rows = checkInput(OWNER, x, this.#inputs);
    if (rows < 1) throw wrongValue(OWNER, "x", `at least one row of ${this.#inputs}`, x);
    this.#checkTargets(y, rows);
    if (this.#forImages) checkImages(OWNER, x);
    let loss = 0;
    let correct = 0;
    for (let first = 0; first < rows; first += this.#chunk) {
      const count = Math.min(this.#chunk, rows - first);
      this.#load(x, first, count);
      this.#loadTargets(y, first, count);
      this.#network.forward(count);
      loss = this.#network.loss(count, loss);
      if (this.#loss === "cross-entropy") correct += this.#correct(count);
    }
    return { loss: loss / this.#terms(rows), accuracy: this.#loss === "mse" ? NaN : correct / rows };
  }

  /**
   * Releases parameters and scratch; every later use throws. Idempotent.
   * @throws Error while a live optimizer owns one of the parameters.
   */
  dispose(): void {
    const { arena } = this.params;
    this.params.dispose();
    this.#network.dispose();
    if (this.#ownsArena) arena.dispose();
  }

  /** Number of terms in the sum of the losses. */
  #terms(rows: number): number {
    return this.#loss === "mse" ? rows * this.#outputs : rows;
  }

  #checkTargets(y: unknown, rows: number): void {
    if (this.#loss === "mse") checkTargets(OWNER, y, rows, this.#outputs);
    else checkLabels(OWNER, y, rows, this.#outputs);
  }

  #load(x: Inputs, first: number, rows: number): void {
    this.#network.load(part(x, first * this.#inputs, rows * this.#inputs), this.#inputScale);
  }

  #loadTargets(y: Labels | Float32Array, first: number, rows: number): void {
    if (this.#loss === "mse")
      this.#network.targets.set(part(y as Float32Array, first * this.#outputs, rows * this.#outputs));
    else for (let i = 0; i < rows; i++) this.#network.labels[i] = Number(y[first + i]);
  }

  /** Rows whose largest output is the label's; those with a NaN are not. */
  #correct(rows: number): number {
    const { output, labels } = this.#network;
    const classes = this.#outputs;
    let correct = 0;
    for (let i = 0, at = 0; i < rows; i++, at += classes) {
      const label = labels[i];
      let j = 0;
      while (j < classes && (j < label ? output[at + j] < output[at + label] : output[at + j] <= output[at + label]))
        j++;
      if (j === classes) correct++;
    }
    return correct;
  }
}
defineDispose(MLP);

function readOptions(options: MLPOptions) {
  knownOnly(OWNER, "", record(OWNER, "options", options), [...Object.keys(kinds), ...memoryOptions]);
  const { activation = "relu", loss = "cross-entropy", init = "torch", batchSize = 64, seed = 1 } = options;
  const { inputScale = 1 / 255, skipZeros = true } = options;
  return {
    activation: kinds.activation.read(OWNER, "activation", activation),
    loss: kinds.loss.read(OWNER, "loss", loss),
    init: kinds.init.read(OWNER, "init", init),
    batchSize: kinds.batchSize.read(OWNER, "batchSize", batchSize),
    seed: kinds.seed.read(OWNER, "seed", seed),
    inputScale: kinds.inputScale.read(OWNER, "inputScale", inputScale),
    skipZeros: kinds.skipZeros.read(OWNER, "skipZeros", skipZeros),
  };
}

function checkSizes(sizes: unknown): readonly number[] {
  const expected = "an array of two or more whole numbers >= 1";
  if (!Array.isArray(sizes)) throw wrongType(OWNER, "sizes", expected, sizes);
  if (sizes.length < 2) throw wrongValue(OWNER, "sizes", expected, sizes);
  const size = wholeFrom(1);
  return sizes.map((value: unknown, i) => size.read(OWNER, `sizes[${i}]`, value));
}

/** `from` itself, or a view of a part of it. */
function part<T extends Inputs>(from: T, start: number, count: number): T {
  return count === from.length ? from : (from.subarray(start, start + count) as T);
}
