import { type NamedTensorMap, type Scalar, type Variable, dispose } from "@tensorflow/tfjs-core";
import { wrongValue } from "../util/check.js";
import type { LBFGS } from "../rules/lbfgs/lbfgs.js";
import { type Update, readGradients } from "./gradients.js";
import type { VariableCopies } from "./variable-copies.js";

type Evaluate = () => { value: Scalar; grads: NamedTensorMap };

/**
 * Takes one step of L-BFGS, which sets the variables to several points and evaluates the loss at each. If an evaluation
 * throws, the variables are reset to the last complete iteration.
 * @returns The loss before the step.
 */
export function lbfgsStep(owner: string, copies: VariableCopies, evaluate: Evaluate): Scalar {
  const first = evaluate();
  let next: typeof first | undefined = first;
  let variables: readonly Variable[] = [];
  try {
    const found = variablesOf(readGradients(owner, first.grads));
    copies.add(found);
    requireAll(owner, copies, found);
    variables = found;
    (copies.inner as LBFGS).step(() => {
      if (next === undefined) copies.copyOut(variables);
      const { value, grads } = next ?? evaluate();
      next = undefined;
      try {
        const updates = readGradients(owner, grads);
        requireAll(owner, copies, variablesOf(updates));
        copies.copyIn(updates);
        return value.dataSync()[0];
      } finally {
        dispose(grads);
        if (value !== first.value) value.dispose();
      }
    });
  } catch (error) {
    dispose(first);
    throw error;
  } finally {
    copies.copyOut(variables);
  }
  return first.value;
}

const variablesOf = (updates: readonly Update[]): Variable[] => updates.map(({ variable }) => variable);

/** L-BFGS treats all variables as one vector, so each needs a gradient. */
function requireAll(owner: string, copies: VariableCopies, variables: readonly Variable[]): void {
  const missing = copies.variables.find((variable) => !variables.includes(variable));
  if (missing !== undefined) throw wrongValue(owner, missing.name, 'a gradient at every evaluation of "lbfgs"', null);
}
