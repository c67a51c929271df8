/**
 * The raw kernels, on a memory of your own.
 *
 * @module gradstep/kernels
 */

import { instantiateSync } from "@assemblyscript/loader";
import { wrongType } from "./util/check.js";
import type { Kernels } from "./wasm/generated/kernels.js";
import { exportsOf, moduleOf } from "./wasm/module.js";

export type { Kernels } from "./wasm/generated/kernels.js";

/**
 * Instantiates the kernels on a memory of your own, to compare loops or to use another layout of memory. Nothing is checked:
 * the kernel of a rule needs a number of elements that is a multiple of 16, all of which it reads and writes, and addresses
 * that are multiples of 16 bytes. A slot at address 0 or a decay of 0 means that there is none.
 *
 * @param memory A `WebAssembly.Memory` that is not shared, of at least one page; leave its first page to the kernels.
 * @param module A `WebAssembly.Module` of `gradstep/kernels.wasm`, where compiling bytes is forbidden.
 * @returns The raw exports. Arguments always run: length, parameters, gradient, slots in order, then gs (the gradient's
 * factor), wd (coupled decay λ), dec (decoupled decay lr·λ) and the rule's coefficients, as its header says.
 * @throws TypeError for anything that is not a memory or module.
 * @example
 * const memory = new WebAssembly.Memory({ initial: 2 });
 * const { sgd } = instantiate(memory);
 * sgd(16, 65536, 65600, 0, 1, 0, 0, 0, 0, 0.1, 0); // θ −= 0.1·g
 */
export function instantiate(memory: object, module?: object): Kernels {
  if (Object.prototype.toString.call(memory) !== "[object WebAssembly.Memory]")
    throw wrongType("instantiate", "memory", "a WebAssembly.Memory", memory);
  const own = memory as WebAssembly.Memory;
  const source: unknown = moduleOf("instantiate", module);
  if (!(source instanceof WebAssembly.Module)) return exportsOf(source as object, own) as Kernels; // of another realm, which the loader rejects
  return instantiateSync(source, { env: { memory: own } }).instance.exports as unknown as Kernels;
}
