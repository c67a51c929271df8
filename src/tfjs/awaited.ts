import type { Variable } from "@tensorflow/tfjs-core";
import { groupBy, keyOf } from "./match.js";
import { rootOf } from "./names.js";
import { fingerprint, trainable, valuesOf } from "./variables.js";
import type { Marked } from "./weights.js";

/**
 * The variables that loaded state is for, before a step has shown them: those that have the saved values, or else the name,
 * and of several the likeliest and then the newest, which a model that was just loaded has.
 *
 * @param accepts Whether a variable may be one of them.
 * @param rank How likely a variable is this optimizer's.
 */
export function awaited(
  { state: { state }, marks }: Marked,
  accepts: (variable: Variable) => boolean,
  rank: (variable: Variable) => number,
): Variable[] {
  const candidates = trainable().filter(accepts);
  const byRank = [...candidates].sort((a, b) => rank(a) - rank(b));
  const alike = groupBy(byRank, (variable) =>
    keyOf(rootOf(variable.name), variable.shape, fingerprint(valuesOf(variable))),
  );
  const found = new Set<Variable>();
  const saved = groupBy(Object.keys(state), (name) =>
    keyOf(rootOf(name), state[name].shape, marks[name].values ?? "none"),
  );
  for (const [key, names] of saved) {
    const choice = alike.get(key) ?? byRank.filter((variable) => names.includes(variable.name));
    for (const variable of choice.slice(-names.length)) found.add(variable);
  }
  return candidates.filter((variable) => found.has(variable));
}
