import { type Arena, padded } from "../memory/arena.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Tensor, Vector } from "../memory/tensor.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import { PACK_BYTES } from "../wasm/generated/layout/products.js";

/** What hidden layers put on their sums; `"gelu"` is the tanh form. */
export type Activation = "relu" | "tanh" | "sigmoid" | "gelu";
export const activations = ["relu", "tanh", "sigmoid", "gelu"] as const satisfies readonly Activation[];

/** What is minimized: softmax cross-entropy of class indices, or the squared error's mean over all elements. */
export type Loss = "cross-entropy" | "mse";
export const losses = ["cross-entropy", "mse"] as const satisfies readonly Loss[];

/** A dense layer and where its rows stand: the input x, the sums z, and behind the activation y. */
interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly x: number;
  readonly z: number;
  readonly y: number;
}

/**
 * The scratch of a network, as byte offsets: [rows, size] float32 each unless said otherwise. gelu needs its sums for
 * the gradient; the other activations overwrite them.
 */
function plan(sizes: readonly number[], rows: number, activation: Activation) {
  let bytes = 0;
  const take = (elements: number): number => {
    const at = bytes;
    bytes += padded(elements);
    return at;
  };
  const outputs = sizes.slice(1);
  const last = outputs.length - 1;
  const input = take(rows * sizes[0]);
  const z = outputs.map((size) => take(rows * size));
  const y = z.map((at, i) => (activation === "gelu" && i < last ? take(rows * outputs[i]) : at));
  const deltas = [take(rows * Math.max(...outputs)), take(rows * Math.max(...outputs))] as const;
  const targets = take(rows * outputs[last]); // float32, or an int32 label a row
  const losses = take(rows * 2); // a float64 a row
  const pack = take(PACK_BYTES / 4);
  return { input, z, y, deltas, targets, losses, pack, bytes };
}

const padded16 = (elements: number): number => Math.ceil(elements / 16) * 16;

/** Bytes of scratch for batches of up to `rows` rows. */
export const scratchBytes = (sizes: readonly number[], rows: number, activation: Activation): number =>
  plan(sizes, rows, activation).bytes;

/** The passes over a batch that stands in the arena. It checks nothing: rows are whole numbers from 1 to `rows`. */
export class Network {
  /** The batch: [rows, inputs]. */
  readonly #input: Vector;
  readonly #bytes: Uint8Array;
  /** One class index a row, or the target of every output: one of the two is in use. */
  readonly labels: Int32Array;
  readonly targets: Vector;
  /** The last layer's sums: [rows, outputs]. */
  readonly output: Vector;

  readonly #arena: Arena;
  readonly #scratch: number;
  readonly #kernels: Kernels;
  readonly #layers: readonly Layer[];
  readonly #deltas: readonly [number, number];
  readonly #targetsAt: number;
  readonly #lossesAt: number;
  readonly #losses: Float64Array;
  readonly #pack: number;
  readonly #dense: Kernels["dense"];
  readonly #denseInput: Kernels["denseInput"];
  readonly #denseWeight: Kernels["denseWeight"];
  readonly #activate: Kernels["relu"];
  readonly #activateGradient: Kernels["reluGradient"];
  readonly #loss: Kernels["crossEntropy"];
  #disposed = false;

  /** Takes the scratch from the arena: a RangeError when there is no room. */
  constructor(
    owner: string,
    params: ParameterDict,
    sizes: readonly number[],
    rows: number,
    activation: Activation,
    loss: Loss,
    skipZeros: boolean,
  ) {
    const { arena } = params;
    const { buffer, kernels } = arena;
    const tensors = params.tensors(owner);
    const { input, z, y, deltas, targets, losses, pack, bytes } = plan(sizes, rows, activation);
    const base = arena.allocate(bytes, owner, "the activations of a batch");
    this.#arena = arena;
    this.#scratch = base;
    this.#kernels = kernels;
    this.#layers = z.map((at, i) => ({
      inputs: sizes[i],
      outputs: sizes[i + 1],
      weight: tensors[2 * i],
      bias: tensors[2 * i + 1],
      x: base + (i === 0 ? input : y[i - 1]),
      z: base + at,
      y: base + y[i],
    }));
    this.#deltas = [base + deltas[0], base + deltas[1]];
    this.#targetsAt = base + targets;
    this.#lossesAt = base + losses;
    this.#losses = new Float64Array(buffer, this.#lossesAt, rows);
    this.#pack = base + pack;
    this.#dense = skipZeros ? kernels.denseSkip : kernels.dense;
    this.#denseInput = skipZeros ? kernels.denseInputSkip : kernels.denseInput;
    this.#denseWeight = skipZeros ? kernels.denseWeightSkip : kernels.denseWeight;
    this.#activate = kernels[activation];
    this.#activateGradient = kernels[`${activation}Gradient`];
    this.#loss = loss === "mse" ? kernels.squaredError : kernels.crossEntropy;

    const outputs = sizes[sizes.length - 1];
    this.#input = new Float32Array(buffer, base + input, rows * sizes[0]);
    this.#bytes = new Uint8Array(buffer, base + input, 4 * padded16(rows * sizes[0]));
    this.labels = new Int32Array(buffer, this.#targetsAt, rows);
    this.targets = new Float32Array(buffer, this.#targetsAt, rows * outputs);
    this.output = new Float32Array(buffer, base + z[z.length - 1], rows * outputs);
  }

  /** Puts a batch into place; bytes become float32, times `scale`. */
  load(x: Float32Array | Uint8Array | Uint8ClampedArray, scale: number): void {
    if (x.BYTES_PER_ELEMENT === 4) {
      this.#input.set(x);
      return;
    }
    const { byteOffset } = this.#bytes;
    const last = 3 * padded16(x.length); // the last quarter: converted in place
    this.#bytes.set(x, last);
    this.#kernels.convertBytes(x.length, byteOffset + last, scale, byteOffset);
  }

  /** From the batch to `output`. */
  forward(rows: number): void {
    const kernels = this.#kernels;
    const last = this.#layers.length - 1;
    for (let i = 0; i <= last; i++) {
      const { inputs, outputs, weight, bias, x, z, y } = this.#layers[i];
      this.#dense(rows, inputs, outputs, x, weight.dataAt, z, this.#pack);
      kernels.addBias(rows, outputs, bias.dataAt, z);
      if (i < last) this.#activate(rows * outputs, z, y);
    }
  }

  /** From `output` and the targets to the loss, added to `total` row by row; leaves the output's gradient for `backward`. */
  loss(rows: number, total: number): number {
    const { outputs, z } = this.#layers[this.#layers.length - 1];
    this.#loss(rows, outputs, z, this.#targetsAt, this.#deltas[0], this.#lossesAt);
    for (let i = 0; i < rows; i++) total += this.#losses[i];
    return total;
  }

  /** From the output's gradient to those of all parameters, which it overwrites. */
  backward(rows: number): void {
    const kernels = this.#kernels;
    let [dz, dx] = this.#deltas;
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const { inputs, outputs, weight, bias, x } = this.#layers[i];
      this.#denseWeight(rows, inputs, outputs, dz, x, weight.gradAt, this.#pack);
      kernels.denseBias(rows, outputs, dz, bias.gradAt);
      if (i === 0) break;
      this.#denseInput(rows, inputs, outputs, dz, weight.dataAt, dx, this.#pack);
      this.#activateGradient(rows * inputs, this.#layers[i - 1].z, dx, dx);
      [dz, dx] = [dx, dz];
    }
  }

  /** Gives the scratch back, once. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#arena.release(this.#scratch);
  }
}
