import type { Variable } from "@tensorflow/tfjs-core";
import { groupBy, keyOf } from "./match-state.js";
import { rootOf } from "./names.js";
import { fingerprint, trainable, valuesOf } from "./variables.js";
import type { SavedState } from "./weights.js";

/**
 * Finds the variables that loaded state belongs to before a step has used them: those with the saved values, or else the
 * saved name. Of several, the highest rank wins and then the newest, since a model that was just loaded is new.
 *
 * @param accepts Whether a variable is a candidate.
 * @param rank How likely it is that this optimizer trains a variable.
 */
export function savedVariables(
  { state: { state }, marks }: SavedState,
  accepts: (variable: Variable) => boolean,
  rank: (variable: Variable) => number,
): Variable[] {
  const candidates = trainable().filter(accepts);
  const byRank = [...candidates].sort((a, b) => rank(a) - rank(b));
  const byKey = groupBy(byRank, (variable) =>
    keyOf(rootOf(variable.name), variable.shape, fingerprint(valuesOf(variable))),
  );
  const found = new Set<Variable>();
  const saved = groupBy(Object.keys(state), (name) =>
    keyOf(rootOf(name), state[name].shape, marks[name].values ?? "none"),
  );
  for (const [key, names] of saved) {
    const choice = byKey.get(key) ?? byRank.filter((variable) => names.includes(variable.name));
    for (const variable of choice.slice(-names.length)) found.add(variable);
  }
  return candidates.filter((variable) => found.has(variable));
}
