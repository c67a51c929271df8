// What LBFGS can be configured with and what it keeps: options, slots and shared numbers.
import type { OptimizerOptions, TensorState } from "../../optimizer/options.js";
import type { Vector } from "../../memory/tensor.js";
import { type Kind, fixed, flag, nonNegative, oneOf, record, wholeFrom, wrongValue } from "../../util/check.js";
import { type Rule, exact } from "../../optimizer/rule.js";
import { perOptimizer } from "../../optimizer/shared-numbers.js";

/** Options of `LBFGS`. */
export interface LBFGSOptions {
  /** Step size along the direction, or of the line search's first trial; >= 0. Default 1. */
  lr?: number | undefined;
  /** Most iterations per `step()`, a whole number >= 1. Default 20. */
  maxIter?: number | undefined;
  /** Calls of the closure per `step()` after which no iteration begins; a whole number >= 1. Default 1.25·maxIter. */
  maxEval?: number | undefined;
  /** How many steps and gradient differences to keep, a whole number >= 1. Default 100. */
  historySize?: number | undefined;
  /** Ends a `step()` when no element of the gradient is larger; >= 0. Default 1e-7. */
  toleranceGrad?: number | undefined;
  /** Ends a `step()` when the largest change of a parameter, or the change of the loss, is not larger; >= 0. Default 1e-9. */
  toleranceChange?: number | undefined;
  /** "strong-wolfe", or null (default) for steps of a fixed length. */
  lineSearch?: "strong-wolfe" | null | undefined;
  /** Ascend instead of descend: negates the loss and its gradients. Default false. */
  maximize?: boolean | undefined;
}

/** A tensor's state under `LBFGS`. */
export type LBFGSState = TensorState<
  Record<"d" | "prevFlatGrad" | "oldDirs" | "oldStps", Vector> &
    Record<"nIter" | "funcEvals" | "t" | "hDiag" | "historyLength" | "historyStart", number>
>;

const lineSearch: Kind<"strong-wolfe" | null> = {
  live: false,
  read: (owner, name, value) => (value === null ? null : oneOf(["strong-wolfe"]).read(owner, name, value)),
};

// Indices of the shared numbers, in the order of `rule.shared`.
export const N_ITER = 0;
export const FUNC_EVALS = 1;
export const T = 2;
export const H_DIAG = 3;
export const LENGTH = 4;
export const START = 5;

export const rule: Rule<LBFGSOptions> = {
  name: "LBFGS",
  kinds: {
    lr: nonNegative,
    maxIter: wholeFrom(1),
    maxEval: wholeFrom(1),
    historySize: fixed(wholeFrom(1)),
    toleranceGrad: nonNegative,
    toleranceChange: nonNegative,
    lineSearch,
    maximize: flag,
  },
  defaults: {
    torch: {
      lr: 1,
      maxIter: 20,
      maxEval: 25,
      historySize: 100,
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      lineSearch: null,
      maximize: false,
    },
  },
  later: ["maximize"],
  // The history is a ring of rows, each of the tensor's size without padding.
  slots: ({ historySize }, { size }) => ({
    d: exact(),
    prevFlatGrad: exact(),
    oldDirs: exact(0, historySize * size),
    oldStps: exact(0, historySize * size),
  }),
  shared: perOptimizer(() => ({ nIter: 0, funcEvals: 0, t: 0, hDiag: 1, historyLength: 0, historyStart: 0 })),
  // The class has its own step().
  sweepAll: () => false,
  sweep: () => undefined,
};

/** Fills in the default of `maxEval`, which depends on `maxIter`. */
export function withMaxEval<Name extends string>(options: unknown): OptimizerOptions<LBFGSOptions, Name> {
  const given = record(rule.name, "options", options);
  if (given.groups !== undefined)
    throw wrongValue(rule.name, "groups", "nothing, since all tensors are one vector to it", given.groups);
  const { maxIter, maxEval } = given;
  if (maxEval !== undefined || typeof maxIter !== "number") return given;
  return { ...given, maxEval: Math.max(1, Math.floor(1.25 * maxIter)) };
}
