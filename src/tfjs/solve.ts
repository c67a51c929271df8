import { type NamedTensorMap, type Scalar, type Variable, dispose } from "@tensorflow/tfjs-core";
import { wrongValue } from "../util/check.js";
import type { LBFGS } from "../rules/lbfgs/lbfgs.js";
import { type Pull, readGradients } from "./gradients.js";
import type { Mirror } from "./mirror.js";

/**
 * One step of L-BFGS, which evaluates the loss at several points: the variables go to each. When an evaluation throws they
 * are those of the last whole iteration.
 * @returns The loss before the step.
 */
export function solve(owner: string, mirror: Mirror, evaluate: () => { value: Scalar; grads: NamedTensorMap }): Scalar {
  const first = evaluate();
  let next: typeof first | undefined = first;
  let variables: readonly Variable[] = [];
  try {
    const met = readGradients(owner, first.grads).map(({ variable }) => variable);
    mirror.meet(met);
    needAll(owner, mirror, met);
    variables = met;
    (mirror.inner as LBFGS).step(() => {
      if (next === undefined) mirror.copyOut(variables);
      const { value, grads } = next ?? evaluate();
      next = undefined;
      try {
        const pulls: Pull[] = readGradients(owner, grads);
        needAll(
          owner,
          mirror,
          pulls.map(({ variable }) => variable),
        );
        mirror.copyIn(pulls);
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
    mirror.copyOut(variables);
  }
  return first.value;
}

/** All variables are one vector to L-BFGS. */
function needAll(owner: string, mirror: Mirror, variables: readonly Variable[]): void {
  const missing = mirror.variables.find((variable) => !variables.includes(variable));
  if (missing !== undefined) throw wrongValue(owner, missing.name, 'a gradient at every evaluation of "lbfgs"', null);
}
