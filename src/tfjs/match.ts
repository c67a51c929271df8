import type { Variable } from "@tensorflow/tfjs-core";
import { wrongValue } from "../util/check.js";
import type { Shape } from "../memory/tensor.js";
import { rootOf, unnumbered } from "./names.js";
import { fingerprint, valuesOf } from "./variables.js";
import type { Marked } from "./weights.js";

type Names = (name: string) => string;
const whole: Names = (name) => name;
const nameless: Names = () => "";

/** By which names a variable and a saved tensor are compared, in order. */
const LEVELS: readonly (readonly [ofVariable: Names, ofTensor: Names])[] = [
  [whole, whole],
  [unnumbered, whole],
  [whole, unnumbered],
  [unnumbered, unnumbered],
  [rootOf, rootOf],
  [nameless, nameless],
];

/** What is compared: a name, a shape, and the values' fingerprint where they count. */
export const keyOf = (name: string, shape: Shape, values = ""): string => `${name} ${shape.join()} ${values}`;

/**
 * Which saved tensor each variable goes on from: one of its shape, and of its name, whole or without the numbers that
 * TensorFlow.js adds, or else of its place among those of its shape. Those whose values are the saved ones come first, since
 * only that tells the models of a shared optimizer apart. Where several have a name, they go by order, if there are as many
 * variables as tensors. The others start afresh.
 *
 * @param awaits Whether a saved tensor's own variable is there, and may be met later.
 * @throws RangeError where the saved tensor of a variable's name has another shape.
 */
export function match(
  owner: string,
  variables: readonly Variable[],
  { state: { state }, marks }: Marked,
  awaits: (name: string) => boolean,
): Map<Variable, string> {
  const matched = new Map<Variable, string>();
  const left = new Set(Object.keys(state));
  if (left.size === 0) return matched;
  const looks = new Map(variables.map((variable) => [variable, fingerprint(valuesOf(variable))]));

  const pair = (names: readonly string[], [ofVariable, ofTensor]: (typeof LEVELS)[number], byValues: boolean): void => {
    const named = ofTensor !== nameless;
    const tensors = groupBy(
      names.filter((name) => left.has(name) && (!byValues || marks[name].values) && (named || !awaits(name))),
      (name) => keyOf(ofTensor(name), state[name].shape, byValues ? marks[name].values : ""),
    );
    const candidates = groupBy(
      variables.filter((variable) => !matched.has(variable)),
      (variable) => keyOf(ofVariable(variable.name), variable.shape, byValues ? looks.get(variable) : ""),
    );
    for (const [key, found] of tensors) {
      const alike = candidates.get(key) ?? [];
      if (alike.length !== found.length && !(byValues && named)) continue;
      found.slice(0, alike.length).forEach((name, i) => {
        matched.set(alike[i], name);
        left.delete(name);
      });
    }
  };
  for (const names of byModel(variables, looks, state, marks))
    for (const byValues of [true, false]) for (const level of LEVELS) pair(names, level, byValues);

  for (const variable of variables)
    if (!matched.has(variable) && left.has(variable.name)) {
      const expected = `shape [${state[variable.name].shape.join(", ")}], as in the loaded weights`;
      throw wrongValue(owner, variable.name, expected, variable.shape);
    }
  return matched;
}

/** The names of the saved tensors by model, the one that has the values of the most variables first; then all of them. */
function byModel(
  variables: readonly Variable[],
  looks: ReadonlyMap<Variable, string>,
  state: Marked["state"]["state"],
  marks: Marked["marks"],
): string[][] {
  const seen = new Set(variables.map((variable) => keyOf(rootOf(variable.name), variable.shape, looks.get(variable))));
  const names = Object.keys(state);
  const models = groupBy(names, (name) => marks[name].model);
  const score = (members: readonly string[]): number =>
    members.filter((name) => seen.has(keyOf(rootOf(name), state[name].shape, marks[name].values ?? "none"))).length;
  const known = [...models.values()].map((members) => ({ members, score: score(members) }));
  const likely = known.filter((model) => model.score > 0).sort((a, b) => b.score - a.score);
  return [...likely.map(({ members }) => members), names];
}

/** Map.groupBy, which is newer than our oldest Node. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
