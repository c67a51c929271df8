/**
 * One file with the parameters, the optimizers and whatever else has a `stateDict()`: safetensors with PyTorch's flattened
 * names. Loaded, training goes on with the same bits.
 *
 * @example
 * import { load, save } from "gradstep/checkpoint";
 *
 * const bytes = save(params, { optimizers: [optimizer] });
 * load(bytes, params, { optimizers: [optimizer] });
 *
 * @module gradstep/checkpoint
 */

export { type AnyOptimizer, type LoadOptions, type Loaded, type SaveOptions, load, save } from "./checkpoint.js";
export { loadFile, saveFile } from "./file.js";
