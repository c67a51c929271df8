import { compile } from "#binary";
import { instantiateSync } from "@assemblyscript/loader";
import { wrongType } from "../check.js";
import type { Kernels } from "./generated/kernels.js";

let compiled: WebAssembly.Module | undefined;

/** The kernels' module: made once per process, when first needed. */
function ownModule(): WebAssembly.Module {
  return (compiled ??= compile());
}

/** Instantiates the kernels over a memory. A module of another realm gets a plain instance: the loader refuses it. */
export function instantiateKernels(owner: string, memory: WebAssembly.Memory, module: object | undefined): Kernels {
  if (module !== undefined && Object.prototype.toString.call(module) !== "[object WebAssembly.Module]")
    throw wrongType(owner, "module", "a WebAssembly.Module of gradstep/kernels.wasm", module);
  const source = (module as WebAssembly.Module | undefined) ?? ownModule();
  const instance =
    source instanceof WebAssembly.Module
      ? instantiateSync(source, { env: { memory } }).instance
      : new WebAssembly.Instance(source, { env: { memory } });
  return instance.exports as unknown as Kernels;
}
