import type { Variable } from "@tensorflow/tfjs-core";
import { wrongValue } from "../check.js";
import type { TensorStateDict } from "../state.js";

/** TensorFlow.js adds a number to a name that was used before in the process: a model that is loaded beside the one it was
 * saved from has `dense/kernel_1` for `dense/kernel`. */
const plain = (name: string): string => name.replace(/_\d+$/, "");

/**
 * Which saved tensor each variable goes on from: that of its name; for the others, the one left whose name differs but in
 * the number at its end, where there is one such variable and one such tensor. Those without start afresh.
 * @throws RangeError where the saved tensor of a variable's name has another shape.
 */
export function match(
  owner: string,
  variables: readonly Variable[],
  saved: Readonly<Record<string, TensorStateDict>>,
): Map<Variable, string> {
  const matched = new Map<Variable, string>();
  const left = new Set(Object.keys(saved));
  for (const variable of variables) {
    const { name, shape } = variable;
    if (!left.delete(name)) continue;
    if (!sameShape(shape, saved[name].shape))
      throw wrongValue(owner, name, `shape [${saved[name].shape.join(", ")}], as in the loaded weights`, shape);
    matched.set(variable, name);
  }
  const byPlainName = <T>(items: Iterable<T>, nameOf: (item: T) => string): Map<string, T[]> => {
    const groups = new Map<string, T[]>();
    for (const item of items) {
      const name = plain(nameOf(item));
      groups.set(name, [...(groups.get(name) ?? []), item]);
    }
    return groups;
  };
  const tensors = byPlainName(left, (name) => name);
  const others = variables.filter((variable) => !matched.has(variable));
  for (const [name, candidates] of byPlainName(others, (variable) => variable.name)) {
    const names = tensors.get(name) ?? [];
    if (candidates.length === 1 && names.length === 1 && sameShape(candidates[0].shape, saved[names[0]].shape))
      matched.set(candidates[0], names[0]);
  }
  return matched;
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);
