export { type AnyOptimizer, type LoadOptions, type Loaded, type SaveOptions, load, save } from "./checkpoint.js";
export { loadFile, saveFile } from "./file.js";
