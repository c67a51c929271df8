// Adds tensors to the groups of an optimizer that exists: the variables that TensorFlow.js shows one by one.
import type { ParameterDict } from "../memory/parameters.js";
import type { Tensor } from "../memory/tensor.js";
import type { CommonOptions } from "../optimizer/rule.js";
import type { Optimizer } from "../optimizer/optimizer.js";

/** Adds tensors of the optimizer's arena to its groups. Throws when there is no room; nothing is changed then. */
export function extend<Options extends CommonOptions>(
  optimizer: Optimizer<Options>,
  params: ParameterDict,
  groupOf: (tensor: Tensor) => number,
): void {
  const { rule, groups } = optimizer;
  const tensors = params.tensors(rule.name);
  for (const tensor of tensors) rule.accept?.(tensor, `params.${tensor.name}`);
  optimizer.addTensors(tensors, groupOf, groups);
  for (const tensor of tensors) {
    const group = groups[groupOf(tensor)];
    group.options.params = Object.freeze([...group.options.params, tensor.name]);
    group.occupied = true;
  }
}
