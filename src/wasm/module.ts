import { compile } from "#binary";
import { wrongType } from "../util/check.js";
import type { Kernels } from "./generated/kernels.js";

const EXPECTED = "a WebAssembly.Module of gradstep/kernels.wasm";
let compiled: WebAssembly.Module | undefined;

/** The module that a user gave, perhaps of another realm, or the kernels' own: made once per process, when first needed. */
export function moduleOf(owner: string, module: object | undefined): WebAssembly.Module {
  if (module === undefined) return (compiled ??= compile());
  if (Object.prototype.toString.call(module) !== "[object WebAssembly.Module]")
    throw wrongType(owner, "module", EXPECTED, module);
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === "adam"))
    throw new RangeError(`${owner}: "module" expected ${EXPECTED}, got one of something else, which has no kernels`);
  return module;
}

/** Instantiates the kernels over a memory: plainly, since the loader takes longer than a first step and wraps what nobody calls. */
export function instantiateKernels(owner: string, memory: WebAssembly.Memory, module: object | undefined): Kernels {
  return new WebAssembly.Instance(moduleOf(owner, module), { env: { memory } }).exports as unknown as Kernels;
}
