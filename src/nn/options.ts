// The options of networks.
import { type MemoryOptions, memoryOptions } from "../memory/memory-options.js";
import { type Kind, above0, flag, fraction, number, oneOf, whole, wholeFrom } from "../util/check.js";
import { readKinds } from "../util/options.js";
import { type Init, inits } from "./init.js";
import { nnModuleKind } from "./kernels.js";
import { type Loss, type LossSettings, losses } from "./losses.js";

/** What other libraries call the losses: see `didYouMean`. */
const LOSSES =
  "cross-entropy=categoricalcrossentropy,sparsecategoricalcrossentropy,softmaxcrossentropy,crossentropyloss,nll,nllloss " +
  "mse=meansquarederror,mseloss,l2 huber=huberloss,smoothl1,smoothl1loss " +
  "binary-cross-entropy=bce,bceloss,bcewithlogits,bcewithlogitsloss,sigmoidcrossentropy";

const kinds: { readonly [Key in keyof Given]: Kind<Given[Key]> } = {
  loss: oneOf(losses, LOSSES),
  labelSmoothing: fraction,
  ignoreIndex: number("a whole number", Number.isSafeInteger),
  delta: above0,
  init: oneOf(inits),
  batchSize: wholeFrom(1),
  seed: whole,
  inputScale: above0,
  skipZeros: flag,
  nnModule: nnModuleKind,
};

/** Options of a {@link Network}, and of its memory. */
export interface NetworkOptions extends MemoryOptions {
  /** The loss. Default `"cross-entropy"`. */
  loss?: Loss | undefined;
  /** With `"cross-entropy"`: the part of a label's weight that all classes share, in [0, 1]. Default 0. */
  labelSmoothing?: number | undefined;
  /** With `"cross-entropy"`: a label that counts neither in means nor in accuracy, a whole number. Default: none. */
  ignoreIndex?: number | undefined;
  /** With `"huber"`: the error from which on the loss is linear, a finite number > 0. Default 1. */
  delta?: number | undefined;
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
  /** A `WebAssembly.Module` of `gradstep/nn.wasm`, where compiling bytes is forbidden. */
  nnModule?: object | undefined;
}

/** Options of a loss, and the loss that has them. */
const ofLoss = { labelSmoothing: "cross-entropy", ignoreIndex: "cross-entropy", delta: "huber" } as const;

/** Options with their defaults filled in, and what else a network is made with. */
export interface Settings extends Given {
  /** Begins every message. */
  readonly owner: string;
  /** The most rows of a call of the engine. */
  readonly rows: number;
  /** Number of threads that run it. */
  readonly threads: number;
}

/** Options with their defaults filled in. */
interface Given extends LossSettings {
  readonly init: Init;
  readonly batchSize: number;
  readonly seed: number;
  readonly inputScale: number | undefined;
  readonly skipZeros: boolean;
  readonly nnModule: object | undefined;
}

const defaults = {
  loss: "cross-entropy",
  labelSmoothing: 0,
  delta: 1,
  init: "torch",
  batchSize: 64,
  seed: 1,
  skipZeros: true,
} as Given;

/** Reads the options; `more` names those that a subclass has read. */
export function readOptions(owner: string, options: NetworkOptions, more: readonly string[]) {
  const read = readKinds<Given>(owner, options, kinds, defaults, [...more, ...memoryOptions], {
    elsewhere: { optimizer: "fit()", epochs: "fit()", activation: "layers such as relu()" },
    aliases:
      "loss=criterion,lossfunction batchSize=batch init=initializer,weightinit seed=randomseed,manualseed activation=nonlinearity " +
      "labelSmoothing=smoothing ignoreIndex=maskvalue,paddingidx inputScale=rescale delta=beta",
  });
  for (const [name, loss] of Object.entries(ofLoss))
    if (options[name as keyof typeof ofLoss] !== undefined && read.loss !== loss)
      throw new RangeError(`${owner}: "${name}" is an option of the loss "${loss}", this one is "${read.loss}"`);
  return read;
}
