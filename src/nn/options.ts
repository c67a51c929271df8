// The options of networks.
import { type MemoryOptions, memoryOptions } from "../memory/memory-options.js";
import { didYouMean } from "../util/names.js";
import {
  type Kind,
  clip,
  flag,
  float,
  fraction,
  knownOnly,
  number,
  oneOf,
  record,
  whole,
  wholeFrom,
} from "../util/check.js";
import { type Init, inits } from "./init.js";
import { checkNnModule } from "./kernels.js";
import { type Loss, type LossSettings, losses } from "./losses.js";

const kinds = {
  loss: oneOf(...losses),
  labelSmoothing: fraction,
  ignoreIndex: number("a whole number", Number.isSafeInteger),
  delta: float("a finite number > 0", (x) => x > 0 && x < Infinity, false),
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

/** Reads the options; `more` names those that a subclass has read. */
export function readOptions(owner: string, options: NetworkOptions, more: readonly string[]) {
  const known = [...more, ...Object.keys(kinds), "nnModule", ...memoryOptions];
  knownOnly(owner, "", record(owner, "options", options), known, {
    elsewhere: {
      optimizer: "fit()",
      epochs: "fit()",
      ...(more.length === 0 && { activation: "layers such as relu()" }),
    },
    aliases:
      "loss=criterion,lossfunction batchSize=batch init=initializer,weightinit seed=randomseed,manualseed activation=nonlinearity " +
      "labelSmoothing=smoothing ignoreIndex=maskvalue,paddingidx inputScale=rescale delta=beta",
  });
  const { init = "torch", batchSize = 64, seed = 1 } = options;
  const { inputScale, skipZeros = true } = options;
  return {
    loss: readLoss(owner, options),
    init: kinds.init.read(owner, "init", init),
    batchSize: kinds.batchSize.read(owner, "batchSize", batchSize),
    seed: kinds.seed.read(owner, "seed", seed),
    inputScale: inputScale === undefined ? undefined : kinds.inputScale.read(owner, "inputScale", inputScale),
    skipZeros: kinds.skipZeros.read(owner, "skipZeros", skipZeros),
    nnModule: checkNnModule(owner, options.nnModule),
  };
}

/** What other libraries call the losses: see `didYouMean`. */
const LOSSES =
  "cross-entropy=categoricalcrossentropy,sparsecategoricalcrossentropy,softmaxcrossentropy,crossentropyloss,nll,nllloss " +
  "mse=meansquarederror,mseloss,l2 huber=huberloss,smoothl1,smoothl1loss " +
  "binary-cross-entropy=bce,bceloss,bcewithlogits,bcewithlogitsloss,sigmoidcrossentropy";

/** Options of a loss, and the loss that has them. */
const ofLoss = { labelSmoothing: "cross-entropy", ignoreIndex: "cross-entropy", delta: "huber" } as const;

function readLoss(owner: string, options: NetworkOptions): LossSettings {
  const { loss = "cross-entropy", labelSmoothing = 0, ignoreIndex, delta = 1 } = options;
  if (typeof loss === "string" && !losses.includes(loss)) {
    const hint = didYouMean(loss, losses, LOSSES);
    const expected = losses.map((name) => `"${name}"`).join(", ");
    throw new RangeError(`${owner}: "loss" expected one of ${expected}, got ${clip(JSON.stringify(loss), 60)}${hint}`);
  }
  kinds.loss.read(owner, "loss", loss);
  for (const [name, its] of Object.entries(ofLoss) as [keyof typeof ofLoss, Loss][])
    if (options[name] !== undefined && loss !== its)
      throw new RangeError(`${owner}: "${name}" is an option of the loss "${its}", this one is "${loss}"`);
  return {
    loss,
    labelSmoothing: kinds.labelSmoothing.read(owner, "labelSmoothing", labelSmoothing),
    ignoreIndex: ignoreIndex === undefined ? undefined : kinds.ignoreIndex.read(owner, "ignoreIndex", ignoreIndex),
    delta: kinds.delta.read(owner, "delta", delta),
  };
}

/** Reads the options of a call: each of `kinds`, where it is given. */
export function readRecord<T extends object>(
  owner: string,
  options: Partial<T>,
  kinds: { readonly [Key in keyof T]: Kind<T[Key]> },
): { readonly [Key in keyof T]?: T[Key] | undefined } {
  knownOnly(owner, "", record(owner, "options", options), Object.keys(kinds));
  for (const key of Object.keys(kinds) as (keyof T & string)[])
    if (options[key] !== undefined) kinds[key].read(owner, key, options[key]);
  return options;
}
