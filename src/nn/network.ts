// A network of layers with a loss: training, evaluation and prediction.
import type { Shape, Vector } from "../memory/tensor.js";
import { BaseNetwork } from "./base-network.js";
import type { Variant } from "./build.js";
import type { Inputs, Targets } from "./data.js";
import { type EpochResult, type FitOptions, fit } from "./fit.js";
import type { Layer } from "./layers/layer.js";
import type { NetworkOptions } from "./options.js";
import { classesOf, probabilitiesOf } from "./outputs.js";
import { type Evaluation, addLosses, batch, meansOf, readData, trainOn } from "./passes.js";

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
export class Network extends BaseNetwork {
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
    variant: Variant = { owner: "Network" },
  ) {
    super(inputShape, layers, options, variant);
  }

  /**
   * Overwrites `params.grad` with the gradient of the batch's mean loss, and returns that loss. It does not step.
   *
   * @param x 1 to `batchSize` rows, row-major, [rows, ...inputShape]: float32, or bytes, multiplied by `inputScale`.
   * @param y For `"cross-entropy"` a class index in [0, classes) for each row, in any integer array or an array of whole
   * numbers; classes are the last dimension of the outputs, and there is an index for each position of the others. For `"mse"`
   * float32, row-major, of the outputs' shape.
   * @param options `accumulate`: whether to add this batch's gradients to what `params.grad` holds; then step with `gradScale`,
   * 1/2 after two batches. Default false.
   * @throws TypeError, RangeError when x or y do not fit, or x is bytes of 0 and 1 without an `inputScale`; Error after
   * `dispose()`. A call that throws changes nothing.
   * @example
   * const network = new Network([2], [linear(8), relu(), linear(2)]);
   * const loss = network.trainBatch(Float32Array.of(0, 1, 1, 1), [1, 0]);
   */
  trainBatch(x: Inputs, y: Targets, options?: { accumulate?: boolean | undefined }): number {
    trainOn(this, x, y, options);
    return batch[0];
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
  predict(x: Inputs): Vector {
    const { rows: most, inputs, outputs, input, engine, result } = this.built;
    const read = this.read(x);
    const rows = read.length / inputs;
    const predicted = new Float32Array(rows * outputs);
    for (let first = 0; first < rows; first += most) {
      const count = Math.min(most, rows - first);
      this.begin(count, false);
      input.load(read, first, count);
      engine.forward();
      predicted.set(result(count), first * outputs);
    }
    return predicted;
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
  evaluate(x: Inputs, y: Targets): Evaluation {
    const { owner, rows: most, criterion } = this.built;
    const data = readData(this, owner, x, y);
    const { length } = data.order;
    const sums = new Float64Array(3);
    for (let first = 0; first < length; first += most) {
      const rows = Math.min(most, length - first);
      addLosses(this, data.x, data.y, first, rows, sums, false);
      sums[2] += criterion.correct(rows);
    }
    return meansOf(sums);
  }

  /**
   * The most likely classes. With `"cross-entropy"` the class of the largest output (the first of equal ones; a NaN is the
   * largest) of each row, or of each position where outputs have several; with `"binary-cross-entropy"` 1 for each output
   * >= 0, else 0.
   *
   * @param x As in {@link trainBatch}, but any number of rows.
   * @throws TypeError, RangeError when x does not fit; Error for losses without classes, and after `dispose()`.
   * @example
   * const [digit] = network.classify(image);
   */
  classify(x: Inputs): ReturnType<typeof Int32Array.of> {
    return classesOf(this, x);
  }

  /**
   * The outputs as probabilities: softmax over the classes with `"cross-entropy"`, the logistic function of each output with
   * `"binary-cross-entropy"`.
   *
   * @param x As in {@link trainBatch}, but any number of rows.
   * @returns An owned array, row-major, [rows, ...outputs].
   * @throws As {@link classify}.
   * @example
   * const [no, yes] = network.probabilities(x);
   */
  probabilities(x: Inputs): Vector {
    return probabilitiesOf(this, x);
  }

  /**
   * Trains for some epochs: shuffles the rows, and for each batch computes the gradients and steps. It goes back to the event
   * loop every 30 ms, so that a page stays alive.
   *
   * @param x As in {@link trainBatch}, but any number of rows.
   * @param y As in {@link trainBatch}.
   * @param options `optimizer` must be given: one of this network's `params`.
   * @returns For each epoch, the mean loss and the accuracy over its batches, and those on the validation data.
   * @throws TypeError, RangeError when an argument does not fit; nothing has changed then. The reason of `signal` when it is
   * aborted, and what the optimizer or a callback throws. All of them reject the promise.
   * @example
   * const optimizer = new AdamW(network.params);
   * const history = await network.fit(x, y, { epochs: 5, optimizer, validation: 0.1 });
   */
  fit(x: Inputs, y: Targets, options: FitOptions): Promise<EpochResult[]> {
    return fit(this, x, y, options);
  }
}
