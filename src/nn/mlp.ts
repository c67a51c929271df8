import { list, oneOf, record, wholeFrom } from "../util/check.js";
import { gelu, relu, sigmoid, tanh } from "./layers/activation.js";
import { linear } from "./layers/linear.js";
import { Network } from "./network.js";
import type { NetworkOptions } from "./options.js";

const OWNER = "MLP";
const sizeList = list(wholeFrom(1), "an array of two or more whole numbers >= 1", 2);
/** `predict` and `evaluate` take at least this many rows at a time, since weights are packed anew for each part. */
const LEAST_ROWS = 64;

/** The activation of the hidden layers; `"gelu"` is the tanh form. */
export type Activation = "relu" | "tanh" | "sigmoid" | "gelu";
const activations = { relu, tanh, sigmoid, gelu };
const activationKind = oneOf(["relu", "tanh", "sigmoid", "gelu"]);

/** Options of an {@link MLP}, and of its memory. */
export interface MLPOptions extends NetworkOptions {
  /** The activation between layers; the last layer has none. Default `"relu"`. */
  activation?: Activation | undefined;
}

/**
 * A multi-layer perceptron: a {@link Network} of dense layers x·Wᵀ + b with an activation between them.
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
export class MLP extends Network {
  /**
   * @param sizes Widths from input to output: two or more whole numbers >= 1.
   * @param options Options of the network and of its memory. Default: ReLU, cross-entropy, batches of up to 64, seed 1.
   */
  constructor(sizes: readonly number[], options: MLPOptions = {}) {
    const [inputs, ...widths] = sizeList.read(OWNER, "sizes", sizes);
    const { activation = "relu" } = record(OWNER, "options", options);
    const activate = activations[activationKind.read(OWNER, "activation", activation)];
    const layers = widths.flatMap((width) => [activate(), linear(width)]).slice(1);
    super([inputs], layers, options, { owner: OWNER, options: ["activation"], leastRows: LEAST_ROWS });
  }
}
