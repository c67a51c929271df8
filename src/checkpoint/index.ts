/**
 * Checkpoints: one safetensors file, with PyTorch's flattened names, for the parameters, the optimizers and anything else
 * with a `stateDict()`. Training continues from it with the same bits.
 *
 * @example
 * import { load, save } from "gradstep/checkpoint";
 *
 * const bytes = save(params, { optimizers: [optimizer] });
 * load(bytes, params, { optimizers: [optimizer] });
 *
 * @module gradstep/checkpoint
 */

export { type SaveOptions, save } from "./save.js";
export { loadFile, readFile, saveFile } from "./file.js";
export type { Saveable } from "../memory/saved.js";
export type { AnyOptimizer } from "../optimizer/any-optimizer.js";
export { type LoadOptions, type Loaded, load } from "./load.js";
export { type FileContents, read } from "./read.js";
export type { Dtype, Entry as FileTensor } from "./safetensors.js";
