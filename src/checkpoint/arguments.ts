// Checks of the arguments that save, load and read share.
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { Optimizer } from "../optimizer/optimizer.js";
import { wrongType, wrongValue } from "../util/check.js";
import { ParameterDict, checkDict } from "../memory/parameters.js";
import type { Saveable, Saved } from "../memory/saved.js";
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

/** What is in a file under a name. */
export type NamedTensor = Pick<Tensor, "name" | "shape" | "data" | "applied">;

/** What a network has beside its parameters; undefined for a dictionary. */
export function savedBeside(given: unknown): Saved | undefined {
  const { params, saved } = Object(given) as Partial<Saveable>;
  return params instanceof ParameterDict ? saved : undefined;
}

/** The tensors of the dictionary or network and of the optimizers, by name. */
export function allTensors(owner: string, given: unknown, optimizers: readonly Optimizer[]): Map<string, NamedTensor> {
  const beside = savedBeside(given);
  const params: unknown = beside ? (given as Saveable).params : given;
  checkDict(owner, "params", params);
  const tensors = new Map<string, NamedTensor>(params.tensors(owner).map((tensor) => [tensor.name, tensor]));
  for (const buffer of beside?.buffers ?? []) tensors.set(buffer.name, { ...buffer, applied: undefined });
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
