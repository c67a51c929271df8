// Checks of the arguments that save, load and read share.
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { Optimizer } from "../optimizer/optimizer.js";
import { wrongType, wrongValue } from "../util/check.js";
import { checkDict } from "../memory/parameters.js";
import type { Tensor } from "../memory/tensor.js";
import { bytesOf } from "./plain-values.js";

export function optimizerList(owner: string, given: readonly AnyOptimizer[] = []): readonly Optimizer[] {
  if (!Array.isArray(given)) throw wrongType(owner, "optimizers", "an array of optimizers, such as [optimizer]", given);
  given.forEach((item: unknown, i) => {
    if (!(item instanceof Optimizer)) throw wrongType(owner, `optimizers[${i}]`, "an optimizer", item);
    if (given.indexOf(item) !== i) throw wrongValue(owner, `optimizers[${i}]`, "each optimizer once", item);
  });
  return given as readonly Optimizer[];
}

/** The tensors of the dictionary and of the optimizers, by name. */
export function allTensors(owner: string, params: unknown, optimizers: readonly Optimizer[]): Map<string, Tensor> {
  checkDict(owner, "params", params);
  const tensors = new Map(params.tensors(owner).map((tensor) => [tensor.name, tensor]));
  optimizers.forEach((optimizer, i) => {
    for (const tensor of optimizer.tensors) {
      if (tensors.has(tensor.name) && tensors.get(tensor.name) !== tensor)
        throw wrongValue(owner, `optimizers[${i}]`, "no tensor with the name of another", tensor.name);
      tensors.set(tensor.name, tensor);
    }
  });
  return tensors;
}

/** A view of a file's bytes, as a plain Uint8Array: slice() of Node's Buffer would not copy. */
export function checkBytes(owner: string, bytes: unknown): Uint8Array {
  if (Object.prototype.toString.call(bytes) !== "[object Uint8Array]")
    throw wrongType(owner, "bytes", "a Uint8Array", bytes);
  return bytesOf(bytes as Uint8Array);
}
