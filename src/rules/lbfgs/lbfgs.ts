import { Optimizer } from "../../optimizer/optimizer.js";
import {
  type Kind,
  clip,
  fixed,
  flag,
  nonNegative,
  oneOf,
  record,
  whole,
  wholeFrom,
  wrongType,
  wrongValue,
} from "../../util/check.js";
import { Flat, type Pieces } from "./flat-vector.js";
import { AT_START, IN_PLACE, type Line, type Trial, strongWolfe } from "./line-search.js";
import type { OptimizerOptions } from "../../optimizer/options.js";
import type { ParameterDict } from "../../memory/parameters.js";
import { type Rule, type WholeOptions, exact } from "../../optimizer/rule.js";
import type { OptimizerState } from "../../state/state-dict.js";

/** Options of {@link LBFGS}. */
export interface LBFGSOptions {
  /** Length of a step along the direction, or of the line search's first trial; >= 0. Default 1. */
  lr?: number | undefined;
  /** Iterations a `step()`, at most; a whole number >= 1. Default 20. */
  maxIter?: number | undefined;
  /** Calls of the closure a `step()`, after which no iteration begins; a whole number >= 1. Default 1.25·maxIter. */
  maxEval?: number | undefined;
  /** Pairs of steps and gradient differences to remember, a whole number >= 1. Default 100. */
  historySize?: number | undefined;
  /** Done when no element of the gradient is larger; >= 0. Default 1e-7. */
  toleranceGrad?: number | undefined;
  /** Done when neither a parameter nor the loss changes by more; >= 0. Default 1e-9. */
  toleranceChange?: number | undefined;
  /** "strong-wolfe", or null (default) for steps of a fixed length. */
  lineSearch?: "strong-wolfe" | null | undefined;
  /** Ascend instead of descend: the loss and its gradients count negated. Default false. */
  maximize?: boolean | undefined;
}

const lineSearch: Kind<"strong-wolfe" | null> = {
  live: false,
  read: (owner, name, value) => (value === null ? null : oneOf("strong-wolfe").read(owner, name, value)),
};

// Where the optimizer's numbers stand.
const N_ITER = 0;
const FUNC_EVALS = 1;
const T = 2;
const H_DIAG = 3;
const LENGTH = 4;
const START = 5;

const rule: Rule<LBFGSOptions> = {
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
  scope: "tensor",
  slots: ({ historySize }, { size }) => ({
    d: exact(),
    prevFlatGrad: exact(),
    oldDirs: exact(0, historySize * size),
    oldStps: exact(0, historySize * size),
  }),
  shared: {
    by: "optimizer",
    start: () => ({ nIter: 0, funcEvals: 0, t: 0, hDiag: 1, historyLength: 0, historyStart: 0 }),
  },
  sweep: () => undefined, // LBFGS has a step of its own
};

/**
 * L-BFGS, PyTorch's: Newton's method with an inverse Hessian made of the last `historySize` steps s and differences of
 * gradients y. An iteration takes d = −H·g by the two-loop recursion and goes θ ← θ + t·d, with t = lr, or as the line
 * search finds it. For smooth losses over all data, where it needs far fewer evaluations than first-order rules.
 *
 * All tensors are one vector: there are no parameter groups, and, as in PyTorch, no weight decay. Inner products are
 * sums in float64.
 *
 * State: `d`, `prevFlatGrad`, and the history `oldDirs` (y) and `oldStps` (s), rings of `historySize` rows; 8 +
 * 8·historySize bytes a parameter, and 12 more of scratch. So `slots: 2 * historySize + 5` makes room in a ParameterDict.
 * Numbers: `nIter` and `funcEvals` in all, `t`, `hDiag`, `historyLength`, `historyStart`.
 *
 * @see Liu, Nocedal (1989), https://doi.org/10.1007/BF01589116
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new LBFGS(params, { historySize: 10, lineSearch: "strong-wolfe" });
 * const loss = optimizer.step(() => mlp.trainBatch(x, y));
 */
export class LBFGS<Name extends string = string> extends Optimizer<LBFGSOptions, Name> {
  readonly #flat: Flat;
  readonly #origin: Pieces;
  /** Gradients of the two ends of a bracket; between line searches, y and s. */
  readonly #kept: readonly [Pieces, Pieces];
  /** 1/(y·s) by row of the history, and the recursion's α. */
  readonly #rho: Float64Array;
  readonly #alpha: Float64Array;
  /** Whether the gradients in place are negated, as they are while a step that ascends works with them. */
  #negated = false;

  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, since they are moved as one vector: there are no `groups`. Default: PyTorch's defaults.
   */
  constructor(params: ParameterDict<Name>, options: LBFGSOptions & WholeOptions = {}) {
    super(rule, params, withMaxEval<Name>(options));
    const { historySize } = this.groups[0].options;
    this.#flat = new Flat(this.arena, this.tensors);
    try {
      const { bytes } = this.#flat;
      const scratch = this.slots.take(3 * bytes, "its scratch");
      this.#origin = this.#flat.at(scratch);
      this.#kept = [this.#flat.at(scratch + bytes), this.#flat.at(scratch + 2 * bytes)];
    } catch (error) {
      this.dispose();
      throw error;
    }
    this.#rho = new Float64Array(historySize);
    this.#alpha = new Float64Array(historySize);
  }

  /**
   * Up to `maxIter` iterations, until a tolerance is met or `maxEval` evaluations are done.
   *
   * @param closure Fills the gradients at the parameters as they are, and returns the loss: called at least once.
   * @returns The loss before the step: the first that the closure returned.
   * @throws TypeError when the closure is no function or returns no number; what the closure throws; Error under
   * `nonFinite: "throw"` for gradients that are not finite (where `"skip"` ends the step). The parameters are then those
   * of the last whole iteration: as they were, when it was the first evaluation. A line search steps back from a loss or
   * gradient that is not finite by itself. Error while an average is applied to one of the tensors.
   * @example
   * const loss = optimizer.step(() => mlp.trainBatch(x, y));
   */
  step(closure: () => number): number {
    this.checkValues();
    if (typeof closure !== "function") throw wrongType(rule.name, "closure", "a function", closure);
    try {
      const loss = this.#iterate(closure);
      return this.groups[0].options.maximize ? -loss : loss;
    } finally {
      this.#negate(false);
    }
  }

  /** A step; returns the first loss, negated where it ascends. */
  #iterate(closure: () => number): number {
    const flat = this.#flat;
    const { data, grad, slots, step } = this.table;
    const [d, previous] = slots;
    const { options, shared } = this.groups[0];
    const { lr, maxIter, maxEval, toleranceGrad, toleranceChange } = options;

    const first = this.#evaluate(closure);
    if (!this.#usable()) return first;
    shared[FUNC_EVALS]++;
    let loss = first;
    let evaluations = 1;
    for (let n = 1; n <= maxIter && !(flat.maxAbs(grad) <= toleranceGrad); n++) {
      shared[N_ITER]++;
      this.#direct();
      flat.copy(grad, previous);
      const sum = shared[N_ITER] === 1 ? flat.sumOfAbs(grad) : 1;
      shared[T] = 0; // of a step that is not taken, nothing is learned
      const slope = flat.dot(grad, d);
      if (slope > -toleranceChange) break;
      shared[T] = (sum > 1 ? 1 / sum : 1) * lr;

      const before = loss;
      let calls = 0;
      const evaluate = (): number => {
        calls++;
        return this.#evaluate(closure);
      };
      flat.copy(data, this.#origin);
      try {
        if (options.lineSearch !== null) {
          loss = this.#search(evaluate, loss, slope);
        } else {
          this.#goTo(shared[T]);
          if (n < maxIter) {
            loss = evaluate();
            if (!this.#usable()) {
              this.#takeBack();
              break;
            }
          }
        }
      } catch (error) {
        this.check();
        this.#takeBack();
        throw error;
      }
      evaluations += calls;
      shared[FUNC_EVALS] += calls;
      if (evaluations >= maxEval) break;
      if (shared[T] * flat.maxAbs(d) <= toleranceChange || Math.abs(loss - before) < toleranceChange) break;
    }
    for (let i = 0; i < step.length; i++) step[i]++;
    return first;
  }

  /** Not for LBFGS, to which all tensors are one vector. */
  override addParamGroup(): never {
    this.check();
    throw new Error(`${rule.name}: has one parameter group, since all tensors are one vector to it`);
  }

  /** @internal */
  override prepareLoad(saved: unknown): () => void {
    const write = super.prepareLoad(saved);
    const { historySize } = this.groups[0].options;
    const { nIter, funcEvals, historyLength, historyStart } = (saved as OptimizerState).groups[0].shared;
    const path = "saved.groups[0].shared";
    const least = { nIter, funcEvals, historyLength, historyStart };
    for (const [name, value] of Object.entries(least)) whole.read(rule.name, `${path}.${name}`, value);
    if (historyLength > historySize)
      throw wrongValue(rule.name, `${path}.historyLength`, `at most ${historySize}`, historyLength);
    if (historyStart >= historySize)
      throw wrongValue(rule.name, `${path}.historyStart`, `a row below ${historySize}`, historyStart);
    return () => {
      write();
      const [, , ys, ss] = this.table.slots;
      for (let k = 0; k < historyLength; k++) {
        const row = (historyStart + k) % historySize;
        this.#rho[row] = 1 / this.#flat.dot(this.#flat.row(ys, row), this.#flat.row(ss, row));
      }
    };
  }

  /** Calls the closure, which finds the gradients as it left them. */
  #evaluate(closure: () => number): number {
    this.#negate(false);
    const loss: unknown = closure();
    this.checkValues();
    if (typeof loss !== "number") throw wrongType(rule.name, "closure()", "a number, the loss", loss);
    const { maximize } = this.groups[0].options;
    this.#negate(maximize);
    return maximize ? -loss : loss;
  }

  /** Negates the gradients in place, or back. */
  #negate(negated: boolean): void {
    if (negated === this.#negated) return;
    this.#negated = negated;
    this.#flat.scale(this.table.grad, -1);
  }

  /** Whether the policy allows the gradients; throws under "throw" where it does not. */
  #usable(): boolean {
    if (this.nonFinite === "propagate") return true;
    for (const { name, size, grad, gradAt } of this.tensors) {
      const at = this.arena.kernels.firstNonFinite(size, gradAt);
      if (at < 0) continue;
      if (this.nonFinite === "skip") return false;
      this.#negate(false);
      throw new Error(`${rule.name}: the gradient of "${clip(name, 100)}" is ${grad[at]} at element ${at}`);
    }
    return true;
  }

  /** θ ← origin + t·d. */
  #goTo(t: number): void {
    this.#flat.copy(this.#origin, this.table.data);
    if (t !== 0) this.#flat.addScaled(this.table.data, this.table.slots[0], t);
  }

  /** Undoes an iteration that could not be finished, and forgets its step. */
  #takeBack(): void {
    const { maximize } = this.groups[0].options;
    this.#goTo(0);
    this.#flat.copy(this.table.slots[1], this.table.grad);
    this.#negated = maximize;
    this.groups[0].shared[N_ITER]--;
    this.groups[0].shared[T] = 0;
  }

  /** Searches along d, goes to the point found, and returns the loss there. */
  #search(evaluate: () => number, loss: number, slope: number): number {
    const flat = this.#flat;
    const { grad, slots } = this.table;
    const [d, previous] = slots;
    const { shared } = this.groups[0];
    const line: Line = {
      evaluate: (t): Trial => {
        this.#goTo(t);
        const found = evaluate();
        const along = flat.dot(grad, d);
        return { t, loss: Number.isFinite(found + along) ? found : Infinity, slope: along, gradient: IN_PLACE };
      },
      keep: (buffer) => flat.copy(grad, this.#kept[buffer]),
    };
    const start = { t: 0, loss, slope, gradient: AT_START };
    const found = strongWolfe(line, start, shared[T], flat.maxAbs(d));
    shared[T] = found.t;
    if (found.gradient !== IN_PLACE) {
      this.#goTo(found.t);
      flat.copy(found.gradient === AT_START ? previous : this.#kept[found.gradient], grad);
    }
    return found.loss;
  }

  /** Takes the last step into the history, and d ← −H·g. */
  #direct(): void {
    const flat = this.#flat;
    const { grad, slots } = this.table;
    const [d, previous, ys, ss] = slots;
    const { shared, options } = this.groups[0];
    const { historySize } = options;
    if (shared[N_ITER] === 1) {
      shared[LENGTH] = shared[START] = 0;
      shared[H_DIAG] = 1;
    } else {
      const [y, s] = this.#kept;
      flat.copy(grad, y);
      flat.addScaled(y, previous, -1);
      flat.copy(d, s);
      flat.scale(s, shared[T]);
      const product = flat.dot(y, s);
      if (product > 1e-10 && product < Infinity) {
        const row = (shared[START] + shared[LENGTH]) % historySize;
        if (shared[LENGTH] < historySize) shared[LENGTH]++;
        else shared[START] = (shared[START] + 1) % historySize;
        flat.copy(y, flat.row(ys, row));
        flat.copy(s, flat.row(ss, row));
        this.#rho[row] = 1 / product;
        shared[H_DIAG] = product / flat.dot(y, y);
      }
    }
    flat.copy(grad, d);
    flat.scale(d, -1);
    for (let k = shared[LENGTH] - 1; k >= 0; k--) {
      const row = (shared[START] + k) % historySize;
      this.#alpha[row] = flat.dot(flat.row(ss, row), d) * this.#rho[row];
      flat.addScaled(d, flat.row(ys, row), -this.#alpha[row]);
    }
    flat.scale(d, shared[H_DIAG]);
    for (let k = 0; k < shared[LENGTH]; k++) {
      const row = (shared[START] + k) % historySize;
      const beta = flat.dot(flat.row(ys, row), d) * this.#rho[row];
      flat.addScaled(d, flat.row(ss, row), this.#alpha[row] - beta);
    }
  }
}

/** The options with the default of `maxEval`, which depends on `maxIter`. */
function withMaxEval<Name extends string>(options: unknown): OptimizerOptions<LBFGSOptions, Name> {
  const given = record(rule.name, "options", options);
  if (given.groups !== undefined)
    throw wrongValue(rule.name, "groups", "nothing, since all tensors are one vector to it", given.groups);
  const { maxIter, maxEval } = given;
  if (maxEval !== undefined || typeof maxIter !== "number") return given;
  return { ...given, maxEval: Math.max(1, Math.floor(1.25 * maxIter)) };
}
