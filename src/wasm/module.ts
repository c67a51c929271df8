// Finds, compiles and instantiates the module of the kernels.
import { compile } from "#binary";
import { wrongType } from "../util/check.js";
import type { Kernels } from "./generated/kernels.js";

const EXPECTED = "a WebAssembly.Module of gradstep/kernels.wasm";
let compiled: WebAssembly.Module | undefined;

/** The user's module, which may be from another realm, or the inlined one, which is compiled once, when first needed. */
export function moduleOf(owner: string, module: object | undefined): WebAssembly.Module {
  if (module === undefined) return (compiled ??= compile());
  if (Object.prototype.toString.call(module) !== "[object WebAssembly.Module]")
    throw wrongType(owner, "module", EXPECTED, module);
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === "adam"))
    throw new RangeError(`${owner}: "module" expected ${EXPECTED}, got one of something else, which has no kernels`);
  return module;
}

/** Instantiates the kernels on a memory, without the loader, which takes longer than a first step and adds unused wrappers. */
export function instantiateKernels(owner: string, memory: WebAssembly.Memory, module: object | undefined): Kernels {
  return new WebAssembly.Instance(moduleOf(owner, module), { env: { memory } }).exports as unknown as Kernels;
}
