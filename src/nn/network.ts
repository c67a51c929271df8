// A network of layers: its parameters, and its use.
import type { ParameterDict } from "../memory/parameters.js";
import type { Shape, Vector } from "../memory/tensor.js";
import { flag, wrongValue } from "../util/check.js";
import { defineDispose } from "../util/dispose.js";
import { type Built, type Variant, build } from "./build.js";
import { type Inputs, type Labels, checkGradient } from "./data.js";
import type { Layer, Run } from "./layers/layer.js";
import { type NetworkOptions, readRecord } from "./options.js";

/** What {@link Network.evaluate} returns. */
export interface Evaluation {
  /** The mean loss. */
  loss: number;
  /**
   * Fraction of labels, in [0, 1], whose output is the largest of their row (the first of equal ones), and none is NaN; NaN
   * for losses without classes.
   */
  accuracy: number;
}

/**
 * A network of layers, forward and backward as SIMD kernels in the arena of its parameters. The same seed and data give the
 * same bits on every engine and any number of threads, and a row's outputs do not depend on the rows around it, except by
 * batch normalization in training.
 *
 * Shapes are PyTorch's without the rows of a batch: [channels, height, width], [channels, length], [tokens, features],
 * [features], or [tokens] before an `embedding`. Parameters are named as `torch.nn.Sequential` names them: "0.weight" is
 * that of the first layer, "3.1.bias" of the second one in a `residual` in fourth place.
 *
 * @throws TypeError, RangeError when an argument is wrong, a layer does not take the output of the one before it, or the arena
 * is too small; nothing is taken then.
 * @example
 * const network = new Network([784], [linear(128), relu(), linear(10)], { seed: 1 });
 * const optimizer = new AdamW(network.params);
 * for (const { x, y } of batches) {
 *   const loss = network.trainBatch(x, y);
 *   optimizer.step();
 * }
 * const { accuracy } = network.evaluate(testImages, testLabels);
 */
export class Network {
  /** {@link dispose}, for `using`; where the platform has it. */
  declare [Symbol.dispose]: () => void;

  /** Parameters, and their gradients. */
  readonly params: ParameterDict;

  readonly #owner: string;
  readonly #built: Built;
  readonly #ownsArena: boolean;
  /** The current call. */
  readonly #run: { -readonly [Key in keyof Run]: Run[Key] } = { rows: 0, training: true, step: 0 };
  /** Whether `backward` may follow. */
  #ready = false;
  #training = true;
  #disposed = false;

  /**
   * @param inputShape The shape of a row of x: one or more whole numbers >= 1.
   * @param layers One or more layers, each of which takes the output of the one before it.
   * @param options Options of the network and of its memory. Default: cross-entropy, batches of up to 64, seed 1.
   */
  constructor(inputShape: Shape, layers: readonly Layer[], options?: NetworkOptions);
  /** @internal */
  constructor(inputShape: Shape, layers: readonly Layer[], options: NetworkOptions | undefined, variant: Variant);
  constructor(
    inputShape: Shape,
    layers: readonly Layer[],
    options: NetworkOptions = {},
    variant: Variant = { owner: "Network", options: [], leastRows: 1 },
  ) {
    this.#owner = variant.owner;
    this.#built = build(inputShape, layers, options, variant);
    this.params = this.#built.params;
    this.#ownsArena = options.arena === undefined;
  }

  /**
   * Overwrites `params.grad` with the gradient of the batch's mean loss, and returns that loss. It does not step.
   *
   * @param x 1 to `batchSize` rows, row-major, [rows, ...inputShape]: float32, or bytes, multiplied by `inputScale`.
   * @param y For `"cross-entropy"` a class index in [0, classes) for each row, in any integer array or an array of whole
   * numbers; classes are the last dimension of the outputs, and there is an index for each position of the others. For `"mse"`
   * float32, row-major, of the outputs' shape.
   * @throws TypeError, RangeError when x or y do not fit, or x is bytes of 0 and 1 without an `inputScale`; Error after
   * `dispose()`. A call that throws changes nothing.
   * @example
   * const network = new Network([2], [linear(8), relu(), linear(2)]);
   * const loss = network.trainBatch(Float32Array.of(0, 1, 1, 1), [1, 0]);
   */
  trainBatch(x: Inputs | Labels, y: Labels | Float32Array): number {
    const rows = this.#batch(x);
    this.#built.criterion.check(this.#owner, y, rows);
    this.#built.input.checkImages(this.#owner, x);
    this.#begin(rows, this.#training);
    const criterion = this.#built.criterion;
    criterion.load(y, 0, rows);
    this.#built.input.load(x, 0, rows);
    this.#built.engine.forward(this.#run);
    const loss = criterion.add(rows, 0);
    this.#built.engine.backward(this.#run, false, false);
    return loss / criterion.terms(rows);
  }

  /**
   * The outputs of one batch, for losses of your own: see {@link backward}.
   *
   * @param x As in {@link trainBatch}.
   * @param options `training`: whether dropout drops and batch normalization uses the batch's statistics. Default: the mode,
   * which {@link train} and {@link eval} set.
   * @returns A view, row-major, [rows, ...outputs], valid until the next call.
   * @throws TypeError, RangeError when an argument does not fit, Error after `dispose()`.
   * @example
   * const outputs = network.forward(x);
   */
  forward(x: Inputs | Labels, options: { training?: boolean | undefined } = {}): Vector {
    const rows = this.#batch(x);
    const { training = this.#training } = readRecord(this.#owner, options, { training: flag });
    this.#begin(rows, training);
    this.#built.input.load(x, 0, rows);
    this.#built.engine.forward(this.#run);
    this.#ready = true;
    return this.#built.result.of(rows);
  }

  /**
   * The gradients of a loss of your own, after {@link forward}: of the parameters, into `params.grad`, and of the input.
   *
   * @param gradOutput The gradient with respect to the outputs: float32, row-major, as many as `forward` returned.
   * @param options `accumulate`: whether to add to `params.grad` instead of overwriting it; default false. `inputGradient`:
   * whether to compute the input's gradient; default true. Without it, backward stops below the last layer that trains.
   * @returns A view of the gradient with respect to x, row-major, [rows, ...inputShape], valid until the next call; undefined
   * without `inputGradient`, and where the input consists of tokens.
   * @throws TypeError, RangeError when an argument does not fit; Error unless `forward` was the last call but for others of
   * `backward`, or after `dispose()`.
   * @example
   * const outputs = network.forward(x);
   * network.backward(outputs.map((z, i) => (z - targets[i]) / rows)); // of ½·(z − t)², the mean over rows
   */
  backward(
    gradOutput: Vector,
    options: { accumulate?: boolean | undefined; inputGradient?: boolean | undefined } = {},
  ): Vector | undefined {
    this.params.check(this.#owner);
    if (!this.#ready) throw new Error(`${this.#owner}: backward() needs a forward() before it`);
    const { rows } = this.#run;
    checkGradient(this.#owner, gradOutput, rows * this.#built.outputs);
    const given = readRecord(this.#owner, options, { accumulate: flag, inputGradient: flag });
    const toInput = this.#built.hasInputGradient && (given.inputGradient ?? true);
    this.#built.delta.of(rows).set(gradOutput);
    this.#built.engine.backward(this.#run, toInput, given.accumulate ?? false);
    return toInput ? this.#built.inputGradient.of(rows) : undefined;
  }

  /**
   * The outputs before any softmax, of any number of rows.
   *
   * @param x As in {@link trainBatch}, but any number of rows.
   * @returns An owned array, row-major, [rows, ...outputs].
   * @throws TypeError, RangeError when x does not fit, Error after `dispose()`.
   * @example
   * const logits = new Network([2], [linear(3)]).predict(Float32Array.of(0, 1)); // 3 numbers
   */
  predict(x: Inputs | Labels): Vector {
    const rows = this.#check(x);
    const result = new Float32Array(rows * this.#built.outputs);
    for (let first = 0; first < rows; first += this.#built.rows) {
      const count = Math.min(this.#built.rows, rows - first);
      this.#begin(count, false);
      this.#built.input.load(x, first, count);
      this.#built.engine.forward(this.#run);
      result.set(this.#built.result.of(count), first * this.#built.outputs);
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
   * const { loss, accuracy } = new Network([2], [linear(2)]).evaluate(Float32Array.of(0, 1, 1, 1), [1, 0]);
   */
  evaluate(x: Inputs | Labels, y: Labels | Float32Array): Evaluation {
    const rows = this.#check(x);
    if (rows < 1) throw wrongValue(this.#owner, "x", `at least one row of ${this.#built.inputs}`, x);
    const criterion = this.#built.criterion;
    criterion.check(this.#owner, y, rows);
    this.#built.input.checkImages(this.#owner, x);
    let loss = 0;
    let correct = 0;
    for (let first = 0; first < rows; first += this.#built.rows) {
      const count = Math.min(this.#built.rows, rows - first);
      this.#begin(count, false);
      criterion.load(y, first, count);
      this.#built.input.load(x, first, count);
      this.#built.engine.forward(this.#run);
      loss = criterion.add(count, loss);
      correct += criterion.correct(count);
    }
    const terms = criterion.terms(rows);
    return { loss: loss / terms, accuracy: correct / terms };
  }

  /**
   * Releases parameters and memory; every later use throws. Idempotent.
   * @throws Error while a live optimizer owns one of the parameters.
   */
  dispose(): void {
    if (this.#disposed) return;
    const { arena } = this.params;
    this.params.dispose();
    this.#disposed = true;
    arena.release(this.#built.block);
    if (this.#ownsArena) arena.dispose();
  }

  /** The number of rows of x. */
  #check(x: unknown): number {
    this.params.check(this.#owner);
    return this.#built.input.check(this.#owner, x);
  }

  /** The number of rows of x, which is one batch. */
  #batch(x: unknown): number {
    const rows = this.#check(x);
    if (rows < 1 || rows > this.#built.batchSize)
      throw wrongValue(
        this.#owner,
        "x",
        `1 to ${this.#built.batchSize} ("batchSize") rows of ${this.#built.inputs}`,
        x,
      );
    return rows;
  }

  /**
   * Sets the mode of `trainBatch` and `forward`, in which a network starts: dropout drops, and batch normalization uses the
   * batch's statistics.
   * @example
   * network.train();
   */
  train(): void {
    this.params.check(this.#owner);
    this.#training = true;
  }

  /**
   * Sets the other mode: dropout passes everything, and batch normalization uses its running statistics. `predict` and
   * `evaluate` do so in either mode.
   * @example
   * network.eval();
   */
  eval(): void {
    this.params.check(this.#owner);
    this.#training = false;
  }

  /** Sets the current call, and throws if a layer cannot take it. */
  #begin(rows: number, training: boolean): void {
    this.#built.engine.check(rows, training);
    this.#ready = false;
    this.#run.rows = rows;
    this.#run.training = training;
  }
}
defineDispose(Network);
