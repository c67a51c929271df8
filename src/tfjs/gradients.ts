import { type NamedTensorMap, type Tensor, type Variable, engine } from "@tensorflow/tfjs-core";
import { wrongType, wrongValue } from "../util/check.js";
import type { NamedTensor } from "./weights.js";

/** A variable and, if there is one, its gradient. */
export interface Update {
  readonly variable: Variable;
  readonly gradient?: Tensor;
}

/** Validates gradients as TensorFlow.js passes them, and pairs each with its variable. Missing gradients are left out. */
export function readGradients(owner: string, given: NamedTensorMap | NamedTensor[]): Update[] {
  if (typeof given !== "object" || (given as unknown) === null)
    throw wrongType(owner, "variableGradients", "gradients by name, or an array of named tensors", given);
  const list = Array.isArray(given) ? given : Object.entries(given).map(([name, tensor]) => ({ name, tensor }));
  const seen = new Set<string>();
  const updates: Update[] = [];
  for (const { name, tensor: gradient } of list as readonly { name: string; tensor: Tensor | null | undefined }[]) {
    const variable = engine().registeredVariables[name] as Variable | undefined;
    if (variable === undefined) throw wrongValue(owner, "variableGradients", "names of variables", name);
    if (seen.has(name)) throw wrongValue(owner, "variableGradients", "each variable once", name);
    seen.add(name);
    if (gradient === null || gradient === undefined) continue;
    if (variable.dtype !== "float32") throw wrongType(owner, name, "a float32 variable", variable.dtype);
    if (gradient.dtype !== "float32") throw wrongType(owner, name, "a float32 gradient", gradient.dtype);
    if (gradient.shape.length !== variable.shape.length || gradient.shape.some((size, i) => size !== variable.shape[i]))
      throw wrongValue(owner, name, `a gradient of shape [${variable.shape.join(", ")}]`, gradient.shape);
    updates.push({ variable, gradient });
  }
  return updates;
}
