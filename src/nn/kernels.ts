// The kernels of networks over an arena's memory: nn.wasm, which is compiled and instantiated when a first network needs it.
import { compile } from "#nn-binary";
import type { Arena } from "../memory/arena.js";
import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";
import type { Kind } from "../util/check.js";
import { checkModule, exportsOf } from "../wasm/module.js";

export type { NetworkKernels };

let compiled: WebAssembly.Module | undefined;

/**
 * The kernels on the arena's memory, and on its threads if it has any; all networks of an arena share one instance.
 * `module`: the option `nnModule`, which `nnModuleKind` has accepted.
 */
export function networkKernels({ memory }: Arena, module?: object): NetworkKernels {
  memory.network ??= memory.loadNetwork?.(compile) ?? exportsOf(module ?? (compiled ??= compile()), memory.memory);
  return memory.network as NetworkKernels;
}

/** The option `nnModule`. */
export const nnModuleKind: Kind<object | undefined> = {
  read: (owner, name, module) => checkModule(owner, name, module as object, "gradstep/nn.wasm", "crossEntropy"),
};
