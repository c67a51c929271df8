// A network of layers: its parameters, and its use. engine.ts computes.
import { padded } from "../memory/arena.js";
import { type MemoryOptions, arenaFor, memoryOptions } from "../memory/memory-options.js";
import { ParameterDict } from "../memory/parameters.js";
import type { Shape, Vector } from "../memory/tensor.js";
import { flag, float, knownOnly, list, oneOf, record, whole, wholeFrom, wrongValue } from "../util/check.js";
import { defineDispose } from "../util/dispose.js";
import { BYTES_TOGETHER } from "../wasm/generated/layout/products.js";
import { compile } from "./compile.js";
import { type Inputs, type Labels, checkImages, checkInput, checkTokens, part } from "./data.js";
import { Engine } from "./engine.js";
import { type Init, fill, inits } from "./init.js";
import { type Layer, type Run, sizeOf } from "./layers/layer.js";
import { Criterion, type Loss, losses } from "./losses.js";
import { Span, planMemory } from "./memory.js";
import { Random } from "../init/random.js";

const kinds = {
  loss: oneOf(...losses),
  init: oneOf(...inits),
  batchSize: wholeFrom(1),
  seed: whole,
  inputScale: float("a finite number > 0", (x) => x > 0 && x < Infinity),
  skipZeros: flag,
};

/** Options of a {@link Network}, and of its memory. */
export interface NetworkOptions extends MemoryOptions {
  /** The loss. Default `"cross-entropy"`. */
  loss?: Loss | undefined;
  /** How the parameters are initialized. Default `"torch"`. */
  init?: Init | undefined;
  /** The most rows that `trainBatch` and `forward` take, a whole number >= 1. Default 64. */
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

/** What a subclass sets. */
export interface Variant {
  /** Begins every message. */
  readonly owner: string;
  /** Options that the subclass has read. */
  readonly options: readonly string[];
  /** `predict` and `evaluate` take at least this many rows at a time. */
  readonly leastRows: number;
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
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #batchSize: number;
  readonly #inputScale: number;
  /** Whether the scale is the default, which does not suit bytes of 0 and 1. */
  readonly #forImages: boolean;
  readonly #tokens: number | undefined;
  readonly #chunk: number;
  readonly #ownsArena: boolean;
  readonly #block: number;
  readonly #engine: Engine;
  readonly #criterion: Criterion;
  readonly #input: Vector;
  readonly #inputBytes: Uint8Array;
  readonly #inputTokens: Int32Array;
  readonly #output: Vector;
  readonly #outputGradient: Vector;
  readonly #inputGradient: Vector;
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
    { owner, options: more, leastRows }: Variant = { owner: "Network", options: [], leastRows: 1 },
  ) {
    const shape = list(wholeFrom(1), "an array of whole numbers >= 1").read(owner, "inputShape", inputShape);
    if (shape.length === 0) throw wrongValue(owner, "inputShape", "one or more whole numbers", inputShape);
    const { loss, init, batchSize, seed, inputScale, skipZeros } = readOptions(owner, options, more);
    const rows = Math.max(batchSize, leastRows);
    const program = compile({ owner, rows, skipZeros, seed }, shape, layers);

    const { parameters, nodes, output, input, result, delta } = program;
    const [inputs, outputs] = [sizeOf(shape), sizeOf(output)];
    const targets = new Span(rows * outputs, -1).read(nodes.length);
    const lossesAt = new Span((2 * rows * outputs) / output[output.length - 1], nodes.length);
    const spans = [...program.spans, targets, lossesAt];
    const bytes = planMemory(spans);
    const parameterBytes = parameters.reduce((sum, tensor) => sum + padded(sizeOf(tensor.shape)), 0);
    const arena = arenaFor(owner, options, parameterBytes, bytes);
    const params = new ParameterDict(Object.fromEntries(parameters.map((tensor) => [tensor.name, tensor.shape])), {
      arena,
    });
    try {
      this.#block = arena.allocate(bytes, owner, `a batch of ${rows} rows ("batchSize")`);
    } catch (error) {
      params.dispose();
      throw error;
    }
    for (const span of spans) span.at += this.#block;
    const random = new Random(seed);
    for (const { name, start } of parameters) fill(init, random, start, params.data[name]);

    const { buffer, kernels } = arena;
    this.params = params;
    this.#owner = owner;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#batchSize = batchSize;
    this.#inputScale = inputScale;
    this.#forImages = options.inputScale === undefined;
    this.#tokens = program.tokens;
    this.#chunk = rows;
    this.#ownsArena = options.arena === undefined;
    this.#engine = new Engine(arena, kernels, program, params.tensors(owner), []);
    const places = { outputs: result, delta, targets, losses: lossesAt };
    this.#criterion = new Criterion(arena, kernels, loss, output, rows, places);
    this.#input = new Float32Array(buffer, input.at, rows * inputs);
    this.#inputBytes = new Uint8Array(buffer, input.at, 4 * rounded(rows * inputs));
    this.#inputTokens = new Int32Array(buffer, input.at, rows * inputs);
    this.#output = new Float32Array(buffer, result.at, rows * outputs);
    this.#outputGradient = new Float32Array(buffer, delta.at, rows * outputs);
    this.#inputGradient = new Float32Array(buffer, nodes[0].dx.at, rows * inputs);
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
    this.#criterion.check(this.#owner, y, rows);
    this.#checkImages(x);
    this.#begin(rows, this.#training);
    const criterion = this.#criterion;
    criterion.load(y, 0, rows);
    this.#load(x, 0, rows);
    this.#engine.forward(this.#run);
    const loss = criterion.add(rows, 0);
    this.#engine.backward(this.#run, false, false);
    return loss / criterion.terms(rows);
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
    const result = new Float32Array(rows * this.#outputs);
    for (let first = 0; first < rows; first += this.#chunk) {
      const count = Math.min(this.#chunk, rows - first);
      this.#begin(count, false);
      this.#load(x, first, count);
      this.#engine.forward(this.#run);
      result.set(this.#output.subarray(0, count * this.#outputs), first * this.#outputs);
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
    if (rows < 1) throw wrongValue(this.#owner, "x", `at least one row of ${this.#inputs}`, x);
    const criterion = this.#criterion;
    criterion.check(this.#owner, y, rows);
    this.#checkImages(x);
    let loss = 0;
    let correct = 0;
    for (let first = 0; first < rows; first += this.#chunk) {
      const count = Math.min(this.#chunk, rows - first);
      this.#begin(count, false);
      criterion.load(y, first, count);
      this.#load(x, first, count);
      this.#engine.forward(this.#run);
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
    arena.release(this.#block);
    if (this.#ownsArena) arena.dispose();
  }

  /** The number of rows of x. */
  #check(x: unknown): number {
    this.params.check(this.#owner);
    return this.#tokens === undefined
      ? checkInput(this.#owner, x, this.#inputs)
      : checkTokens(this.#owner, x, this.#inputs, this.#tokens);
  }

  /** The number of rows of x, which is one batch. */
  #batch(x: unknown): number {
    const rows = this.#check(x);
    if (rows < 1 || rows > this.#batchSize)
      throw wrongValue(this.#owner, "x", `1 to ${this.#batchSize} ("batchSize") rows of ${this.#inputs}`, x);
    return rows;
  }

  #checkImages(x: Inputs | Labels): void {
    if (this.#forImages && this.#tokens === undefined) checkImages(this.#owner, x as Inputs);
  }

  /** Sets the current call, and throws if a layer cannot take it. */
  #begin(rows: number, training: boolean): void {
    this.#engine.check(rows, training);
    this.#ready = false;
    this.#run.rows = rows;
    this.#run.training = training;
  }

  /** Copies rows of x into the arena; bytes become float32, multiplied by `inputScale`. */
  #load(x: Inputs | Labels, first: number, rows: number): void {
    const [start, count] = [first * this.#inputs, rows * this.#inputs];
    if (this.#tokens !== undefined) {
      for (let i = 0; i < count; i++) this.#inputTokens[i] = Number(x[start + i]);
      return;
    }
    const given = part(x as Inputs, start, count);
    if (given.BYTES_PER_ELEMENT === 4) {
      this.#input.set(given);
      return;
    }
    const { byteOffset } = this.#inputBytes;
    const last = 3 * rounded(count); // bytes go to the last quarter, and are converted in place
    this.#inputBytes.set(given, last);
    this.params.arena.kernels.convertBytes(count, byteOffset + last, this.#inputScale, byteOffset);
  }
}
defineDispose(Network);

/** Elements, rounded up to what `convertBytes` converts at a time. */
const rounded = (elements: number): number => Math.ceil(elements / BYTES_TOGETHER) * BYTES_TOGETHER;

function readOptions(owner: string, options: NetworkOptions, more: readonly string[]) {
  knownOnly(owner, "", record(owner, "options", options), [...more, ...Object.keys(kinds), ...memoryOptions]);
  const { loss = "cross-entropy", init = "torch", batchSize = 64, seed = 1 } = options;
  const { inputScale = 1 / 255, skipZeros = true } = options;
  return {
    loss: kinds.loss.read(owner, "loss", loss),
    init: kinds.init.read(owner, "init", init),
    batchSize: kinds.batchSize.read(owner, "batchSize", batchSize),
    seed: kinds.seed.read(owner, "seed", seed),
    inputScale: kinds.inputScale.read(owner, "inputScale", inputScale),
    skipZeros: kinds.skipZeros.read(owner, "skipZeros", skipZeros),
  };
}
