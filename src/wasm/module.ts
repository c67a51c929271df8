// Finds, compiles and instantiates the module of the kernels.
import { compile } from "#binary";
import { kindOf, wrongType } from "../util/check.js";

let compiled: WebAssembly.Module | undefined;

/** The user's module, or the inlined one, which is compiled once, when first needed. */
export function moduleOf(owner: string, module: object | undefined): WebAssembly.Module {
  if (module === undefined) return (compiled ??= compile());
  return checkModule(owner, "module", module, "gradstep/kernels.wasm", "adam");
}

/** A module that the user gives, which may be from another realm: it must have an export by which its binary is known. */
export function checkModule(
  owner: string,
  option: string,
  module: object,
  file: string,
  known: string,
): WebAssembly.Module {
  const expected = `a WebAssembly.Module of ${file}`;
  if (kindOf(module) !== "WebAssembly.Module") throw wrongType(owner, option, expected, module);
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === known))
    throw new RangeError(`${owner}: "${option}" expected ${expected}, got one of something else`);
  return module;
}

/** Instantiates a module on a memory, without the loader, which takes longer than a first step and adds unused wrappers. */
export const exportsOf = (module: object, memory: WebAssembly.Memory): unknown =>
  new WebAssembly.Instance(module, { env: { memory } }).exports;
