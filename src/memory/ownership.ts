// Who has a say over a tensor's values: the live optimizer that owns it, and an average while it stands in for them.
import { clip } from "../util/check.js";
import type { Tensor } from "./parameters.js";

/** What to say of a tensor that a live optimizer owns. */
export const owned = (name: string, tensor: Tensor): string =>
  `${name}: "${clip(tensor.name, 100)}" belongs to a live ${tensor.owner?.rule.name}; dispose that first`;

/**
 * Throws when an average is applied to one of the tensors: who took its values for those that are trained would lose one or
 * the other. `Arena.applied` tells whether there can be one.
 */
export function refuseApplied(owner: string, tensors: Iterable<Tensor>): void {
  for (const { name, applied } of tensors)
    if (applied !== undefined)
      throw new Error(`${owner}: a ${applied} is applied to "${clip(name, 100)}": call its restore() first`);
}
