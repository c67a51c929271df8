// Layers with parameters, forward and backward: the part of a network that has nothing to do with its loss.
import type { ParameterDict } from "../memory/parameters.js";
import { type Saveable, type Saved, belongings } from "../memory/saved.js";
import type { Shape, Tensor, Vector } from "../memory/tensor.js";
import { flag, wrongValue } from "../util/check.js";
import { INSPECT, addMethod, describe } from "../util/describe.js";
import { readKinds } from "../util/options.js";
import { type Built, type Variant, build } from "./build.js";
import { type Floats, type Indices, type Inputs, type Targets, asTargets, isFractions, readRows } from "./data.js";
import type { Layer } from "./layers/layer.js";
import { type Pattern, matching } from "./patterns.js";
import type { NetworkOptions } from "./options.js";
import { jsonOf, summaryOf, textOf } from "./summary.js";

/** Defaults of `backward`. */
const overwrite = { accumulate: false, inputGradient: true };

/** What all networks have: parameters, and forward and backward for losses of one's own. See {@link Network}. */
export abstract class BaseNetwork implements Saveable {
  /** {@link dispose}, for `using`; where the platform has it. */
  declare [Symbol.dispose]: () => void;

  /** Parameters, and their gradients. */
  readonly params: ParameterDict;
  /** @internal */
  readonly built: Built;
  /** Whether `backward` may follow. */
  #ready = false;

  #training = true;
  readonly #buffers: Readonly<Record<string, Vector>>;
  #disposed = false;

  /** @internal */
  constructor(inputShape: Shape, layers: readonly Layer[], options: NetworkOptions, variant: Variant) {
    this.built = build(inputShape, layers, options, variant);
    this.params = this.built.params;
    this.#buffers = Object.freeze(Object.fromEntries(this.built.engine.buffers.map(({ name, data }) => [name, data])));
    belongings.set(this.params, this);
  }

  /**
   * The outputs of one batch, for losses of your own: see {@link backward}.
   *
   * @param x As in {@link Network.trainBatch}.
   * @param options `training`: whether dropout drops and batch normalization uses the batch's statistics. Default: the mode,
   * which {@link train} and {@link eval} set.
   * @returns A view, row-major, [rows, ...outputs], valid until the next call.
   * @throws TypeError, RangeError when an argument does not fit, Error after `dispose()`.
   * @example
   * const outputs = network.forward(x);
   */
  forward(x: Inputs, options?: { training?: boolean | undefined }): Vector {
    const { owner, engine, input, inputs, result } = this.built;
    const read = this.readBatch(x);
    const rows = read.length / inputs;
    const training = options && readKinds(owner, options, { training: flag }, { training: this.#training }).training;
    this.begin(rows, training);
    input.load(read, 0, rows);
    engine.forward();
    input.hasViews = true;
    this.#ready = true;
    return result(rows);
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
    gradOutput: Targets,
    options?: { accumulate?: boolean | undefined; inputGradient?: boolean | undefined },
  ): Vector | undefined {
    this.params.check(this.built.owner);
    if (!this.#ready) throw new Error(`${this.built.owner}: backward() needs a forward() before it`);
    const { owner, engine, input, outputs, outputGradient, inputGradient } = this.built;
    const { rows } = engine;
    const gradient = readRows(owner, "gradOutput", gradOutput, isFractions, asTargets, outputs, rows * outputs);
    const given = options && readKinds(owner, options, { accumulate: flag, inputGradient: flag }, overwrite);
    const toInput = !input.hasTokens && given?.inputGradient !== false;
    outputGradient(rows).set(gradient);
    engine.backward(toInput, given?.accumulate === true);
    return toInput ? inputGradient(rows) : undefined;
  }

  /**
   * Sets the mode of `trainBatch` and `forward`, in which a network starts: dropout drops, and batch normalization uses the
   * batch's statistics.
   * @example
   * network.train();
   */
  train(): void {
    this.params.check(this.built.owner);
    this.#training = true;
  }

  /**
   * Sets the other mode: dropout passes everything, and batch normalization uses its running statistics. `predict` and
   * `evaluate` do so in either mode.
   * @example
   * network.eval();
   */
  eval(): void {
    this.params.check(this.built.owner);
    this.#training = false;
  }

  /**
   * Buffers by name, such as "1.running_mean" of a batch normalization: views, which checkpoints keep with the parameters.
   */
  get buffers(): Readonly<Record<string, Vector>> {
    this.params.check(this.built.owner);
    return this.#buffers;
  }

  /**
   * Stops the training of some parameters: their gradients are set to 0 and no longer computed, and `trainBatch` does not go
   * back below the last layer that trains. Decay and momentum of an optimizer would still move them: make it of
   * `params.subset` of the others, or `skip` the {@link frozen}.
   *
   * @param pattern A name, or the beginning of names up to a dot, as in "0" or "3.1"; a RegExp; a function of name and shape;
   * or several in an array. Default: all.
   * @throws RangeError for a pattern that no parameter matches, TypeError for anything else; nothing is changed then.
   * @example
   * network.freeze(/^(?!7\.)/); // all but the head
   * optimizer.step({ skip: network.frozen });
   */
  freeze(pattern?: Pattern): void {
    const tensors = this.#matching(pattern);
    for (const { grad } of tensors) grad.fill(0);
    this.built.engine.train(tensors, false);
  }

  /**
   * Undoes {@link freeze}.
   * @throws As `freeze`.
   * @example
   * network.unfreeze();
   */
  unfreeze(pattern?: Pattern): void {
    this.built.engine.train(this.#matching(pattern), true);
  }

  /** Names of the parameters that do not train. */
  get frozen(): string[] {
    this.params.check(this.built.owner);
    return this.built.engine.frozen;
  }

  #matching(pattern: Pattern | undefined): readonly Tensor[] {
    const tensors = this.params.tensors(this.built.owner);
    return pattern === undefined ? tensors : matching(this.built.owner, pattern, tensors);
  }

  /** @internal */
  get saved(): Saved {
    return this.built.engine;
  }

  /** Multiply-adds of one row forward, in the products of linear layers, convolutions and attention. */
  get flops(): number {
    return this.built.program.nodes.reduce((sum, { plan }) => sum + (plan.flops ?? 0), 0);
  }

  /**
   * A table of the layers with the shapes of their outputs, without the rows, and their numbers of parameters; then the
   * memory that the network takes.
   * @example
   * console.log(network.summary());
   */
  summary(): string {
    this.params.check(this.built.owner);
    return summaryOf(this.built);
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
    arena.release(this.built.block);
    if (this.built.ownsArena) arena.dispose();
  }

  /** The {@link summary}. Does not throw. */
  declare toString: () => string;
  /** Names of the network, shapes and layers: small, and no parameters, which `gradstep/checkpoint` saves. */
  declare toJSON: () => object;

  /** @internal The rows of x in one list, at most `batchSize` of them. */
  readBatch(x: unknown): Floats | Indices {
    const { owner, batchSize, inputs } = this.built;
    const read = this.read(x);
    const rows = read.length / inputs;
    if (rows < 1 || rows > batchSize)
      throw wrongValue(owner, "x", `1 to ${batchSize} ("batchSize") rows of ${inputs}`, x);
    return read;
  }

  /** @internal The rows of x in one list. */
  read(x: unknown, owner = this.built.owner): Floats | Indices {
    this.params.check(owner);
    return this.built.input.read(owner, x);
  }

  /** @internal Begins a call of the engine, by default in the mode of the network. */
  begin(rows: number, training = this.#training): void {
    this.built.engine.begin(rows, training);
    this.#ready = false;
  }
}
// Names of PyTorch, Keras and TensorFlow.js, in parts: no line of the bundle may be longer than 500 characters.
for (const names of [
  "parameters,named_parameters,weights,trainable_weights=params named_buffers=buffers " +
    "zero_grad=params.zeroGrad() requires_grad_,trainable=freeze() train_on_batch=trainBatch()",
  "predict_on_batch,apply,call=predict() predict_proba=probabilities() predict_classes=classify() " +
    "state_dict,get_weights,save=save(network)_of_gradstep/checkpoint",
  "load_state_dict,set_weights,load_weights=load(bytes,_network)_of_gradstep/checkpoint " +
    "compile=the_options_of_the_constructor,_and_fit({_optimizer_}) add=the_list_of_layers",
])
  describe(BaseNetwork, ({ built }) => [built.owner, {}, jsonOf(built)], names);
for (const key of ["toString", INSPECT]) addMethod(BaseNetwork.prototype, key, textOf);
