import { type Arena, padded } from "../memory/arena.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Tensor, Vector } from "../memory/tensor.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import { BYTES_TOGETHER, PACK_BYTES } from "../wasm/generated/layout/products.js";

/** The activation of the hidden layers; `"gelu"` is the tanh form. */
export type Activation = "relu" | "tanh" | "sigmoid" | "gelu";
export const activations = ["relu", "tanh", "sigmoid", "gelu"] as const satisfies readonly Activation[];

/** The loss: softmax cross-entropy with class indices, or the mean squared error over all elements. */
export type Loss = "cross-entropy" | "mse";
export const losses = ["cross-entropy", "mse"] as const satisfies readonly Loss[];

/** A dense layer, and the addresses of its rows: the input x, the sums z and the activations y. */
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
 * The layout of a network's scratch, as byte offsets: float32 [rows, size] each unless noted. gelu needs the sums for its
 * gradient; the other activations overwrite them.
 */
function layout(sizes: readonly number[], rows: number, activation: Activation) {
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
  const targets = take(rows * outputs[last]); // float32, or an int32 label per row
  const losses = take(rows * 2); // a float64 per row
  const pack = take(PACK_BYTES / 4);
  return { input, z, y, deltas, targets, losses, pack, bytes };
}

/** Elements, rounded up to what `convertBytes` converts at a time. */
const rounded = (elements: number): number => Math.ceil(elements / BYTES_TOGETHER) * BYTES_TOGETHER;

/** Bytes of scratch for batches of up to `rows` rows. */
export const scratchBytes = (sizes: readonly number[], rows: number, activation: Activation): number =>
  layout(sizes, rows, activation).bytes;

/** The forward and backward pass over a batch in the arena. It checks nothing: numbers of rows are from 1 to `rows`. */
export class Network {
  /** The batch: [rows, inputs]. */
  readonly #input: Vector;
  readonly #bytes: Uint8Array;
  /** A class index per row, or the target of every output: two views of the same memory, one of which is in use. */
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

  /** Allocates the scratch in the arena, which throws a RangeError when it does not fit. */
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
    const { input, z, y, deltas, targets, losses, pack, bytes } = layout(sizes, rows, activation);
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
    this.#bytes = new Uint8Array(buffer, base + input, 4 * rounded(rows * sizes[0]));
    this.labels = new Int32Array(buffer, this.#targetsAt, rows);
    this.targets = new Float32Array(buffer, this.#targetsAt, rows * outputs);
    this.output = new Float32Array(buffer, base + z[z.length - 1], rows * outputs);
  }

  /** Copies a batch into the arena; bytes become float32, multiplied by `scale`. */
  load(x: Float32Array | Uint8Array | Uint8ClampedArray, scale: number): void {
    if (x.BYTES_PER_ELEMENT === 4) {
      this.#input.set(x);
      return;
    }
    const { byteOffset } = this.#bytes;
    const last = 3 * rounded(x.length); // bytes go to the last quarter, and are converted in place
    this.#bytes.set(x, last);
    this.#kernels.convertBytes(x.length, byteOffset + last, scale, byteOffset);
  }

  /** Computes `output` from the batch. */
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

  /** Returns `total` plus the losses of the rows, added in order; stores the gradient of `output` for `backward`. */
  loss(rows: number, total: number): number {
    const { outputs, z } = this.#layers[this.#layers.length - 1];
    this.#loss(rows, outputs, z, this.#targetsAt, this.#deltas[0], this.#lossesAt);
    for (let i = 0; i < rows; i++) total += this.#losses[i];
    return total;
  }

  /** Computes the gradients of all parameters from that of `output`, and overwrites them. */
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

  /** Releases the scratch. Idempotent. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#arena.release(this.#scratch);
  }
}
