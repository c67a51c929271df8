import type { Variable } from "@tensorflow/tfjs-core";
import { wrongValue } from "../util/check.js";
import type { Shape } from "../memory/tensor.js";
import { rootOf, unnumbered } from "./names.js";
import { fingerprint, valuesOf } from "./variables.js";
import type { SavedState } from "./weights.js";

type Names = (name: string) => string;
const whole: Names = (name) => name;
const unnamed: Names = () => "";

/** How names of variables and saved tensors are normalized before they are compared, strictest first. */
const LEVELS: readonly (readonly [ofVariable: Names, ofTensor: Names])[] = [
  [whole, whole],
  [unnumbered, whole],
  [whole, unnumbered],
  [unnumbered, unnumbered],
  [rootOf, rootOf],
  [unnamed, unnamed],
];

/** A key that is equal for equal names, shapes and, if given, fingerprints of values. */
export const keyOf = (name: string, shape: Shape, values = ""): string => `${name} ${shape.join()} ${values}`;

/**
 * Maps variables to the names of the saved tensors whose state they take. Shapes must be equal; names are compared in full,
 * then without the numbers that TensorFlow.js appends, then not at all. Pairs with equal values go first, since only values
 * tell apart the models that share an optimizer. Several candidates are paired in order if there are as many variables as
 * tensors. The other variables start without state.
 *
 * @param isPending Whether the variable of a saved tensor's name exists and may be added later.
 * @throws RangeError if the saved tensor of a variable's name has another shape.
 */
export function match(
  owner: string,
  variables: readonly Variable[],
  { state: { state }, marks }: SavedState,
  isPending: (name: string) => boolean,
): Map<Variable, string> {
  const matched = new Map<Variable, string>();
  const left = new Set(Object.keys(state));
  if (left.size === 0) return matched;
  const fingerprints = new Map(variables.map((variable) => [variable, fingerprint(valuesOf(variable))]));

  const pair = (names: readonly string[], [ofVariable, ofTensor]: (typeof LEVELS)[number], byValues: boolean): void => {
    const named = ofTensor !== unnamed;
    const tensors = groupBy(
      names.filter((name) => left.has(name) && (!byValues || marks[name].values) && (named || !isPending(name))),
      (name) => keyOf(ofTensor(name), state[name].shape, byValues ? marks[name].values : ""),
    );
    const candidates = groupBy(
      variables.filter((variable) => !matched.has(variable)),
      (variable) => keyOf(ofVariable(variable.name), variable.shape, byValues ? fingerprints.get(variable) : ""),
    );
    for (const [key, found] of tensors) {
      const same = candidates.get(key) ?? [];
      if (same.length !== found.length && !(byValues && named)) continue;
      found.slice(0, same.length).forEach((name, i) => {
        matched.set(same[i], name);
        left.delete(name);
      });
    }
  };
  for (const names of byModel(variables, fingerprints, state, marks))
    for (const byValues of [true, false]) for (const level of LEVELS) pair(names, level, byValues);

  for (const variable of variables)
    if (!matched.has(variable) && left.has(variable.name)) {
      const expected = `shape [${state[variable.name].shape.join(", ")}], as in the loaded weights`;
      throw wrongValue(owner, variable.name, expected, variable.shape);
    }
  return matched;
}

/** The names of the saved tensors of each model, those with the most values in common first, and then all names. */
function byModel(
  variables: readonly Variable[],
  fingerprints: ReadonlyMap<Variable, string>,
  state: SavedState["state"]["state"],
  marks: SavedState["marks"],
): string[][] {
  const seen = new Set(
    variables.map((variable) => keyOf(rootOf(variable.name), variable.shape, fingerprints.get(variable))),
  );
  const names = Object.keys(state);
  const models = groupBy(names, (name) => marks[name].model);
  const score = (members: readonly string[]): number =>
    members.filter((name) => seen.has(keyOf(rootOf(name), state[name].shape, marks[name].values ?? "none"))).length;
  const known = [...models.values()].map((members) => ({ members, score: score(members) }));
  const likely = known.filter((model) => model.score > 0).sort((a, b) => b.score - a.score);
  return [...likely.map(({ members }) => members), names];
}

/** A substitute for Map.groupBy, which Node 20 lacks. */
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
