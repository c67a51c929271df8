// LBFGS: a quasi-Newton method that evaluates the loss several times per step.
import { Optimizer } from "../../optimizer/optimizer.js";
import type { ParameterDict } from "../../memory/parameters.js";
import type { WholeOptions } from "../../optimizer/rule.js";
import type { OptimizerState } from "../../state/state-dict.js";
import { clip, whole, wrongType, wrongValue } from "../../util/check.js";
import { History } from "./history.js";
import { AT_START, IN_PLACE, type Line, type Trial, strongWolfe } from "./line-search.js";
import { FUNC_EVALS, type LBFGSOptions, type LBFGSState, N_ITER, T, rule, withMaxEval } from "./options.js";
import { type Addresses, Vectors } from "./vectors.js";

/**
 * L-BFGS as in PyTorch: Newton's method with an inverse Hessian H estimated from the last `historySize` steps s and gradient
 * differences y. An iteration computes d = −H·g by the two-loop recursion and sets θ ← θ + t·d, with t = lr or from the line
 * search. For smooth losses over all data, where it needs far fewer evaluations than first-order rules.
 *
 * All tensors form one vector: there are no parameter groups and, as in PyTorch, no weight decay. Inner products are summed
 * in float64.
 *
 * State: `d`, `prevFlatGrad`, and the history `oldDirs` (y) and `oldStps` (s), rings of `historySize` rows; 8 +
 * 8·historySize bytes per parameter, and 12 of scratch memory: `slots: 2 * historySize + 5` reserves them in a ParameterDict.
 * Numbers: the totals `nIter` and `funcEvals`, `t`, `hDiag`, `historyLength`, `historyStart`.
 * @see Liu, Nocedal (1989), https://doi.org/10.1007/BF01589116
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new LBFGS(params, { historySize: 10, lineSearch: "strong-wolfe" });
 * const loss = optimizer.step(() => mlp.trainBatch(x, y));
 */
export class LBFGS<Name extends string = string> extends Optimizer<LBFGSOptions, Name, LBFGSState> {
  readonly #vectors: Vectors;
  readonly #history: History;
  /** The parameters before the iteration. */
  readonly #origin: Addresses;
  /** During a line search the gradients at the two ends of the bracket, otherwise y and s. */
  readonly #buffers: readonly [Addresses, Addresses];
  /** Whether `grad` holds negated gradients, as it does during a step with `maximize`. */
  #negated = false;

  /**
   * @param params The tensors to train, owned by this optimizer until {@link dispose}.
   * @param options Options for all tensors; there are no `groups`. Default: PyTorch's defaults.
   */
  constructor(params: ParameterDict<Name>, options: LBFGSOptions & WholeOptions = {}) {
    super(rule, params, withMaxEval<Name>(options));
    const { options: settled, shared } = this.groups[0];
    const [, , ys, ss] = this.table.slots;
    const vectors = new Vectors(this.arena, this.tensors);
    this.#vectors = vectors;
    this.#history = new History(vectors, ys, ss, settled.historySize, shared);
    try {
      const scratch = this.slots.take(3 * vectors.bytes, "its scratch");
      this.#origin = vectors.at(scratch);
      this.#buffers = [vectors.at(scratch + vectors.bytes), vectors.at(scratch + 2 * vectors.bytes)];
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * Runs up to `maxIter` iterations, until a tolerance is met or `maxEval` evaluations have been made.
   *
   * @param closure Computes the gradients at the current parameters and returns the loss; called at least once.
   * @returns The loss before the step, which is the first one that the closure returned.
   * @throws TypeError when the closure is not a function or does not return a number; whatever the closure throws; Error
   * for non-finite gradients under `nonFinite: "throw"` (`"skip"` ends the step instead). The parameters are then those after
   * the last complete iteration. A line search itself backs off from a loss or gradient that is not finite. Error while
   * an average is applied to one of the tensors.
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

  /** Takes the step and returns the first loss, negated under `maximize`. */
  #iterate(closure: () => number): number {
    const vectors = this.#vectors;
    const { data, grad, slots, step } = this.table;
    const [d, previous] = slots;
    const { options, shared } = this.groups[0];
    const { lr, maxIter, maxEval, toleranceGrad, toleranceChange } = options;

    const first = this.#evaluate(closure);
    if (!this.#usable()) return first;
    shared[FUNC_EVALS]++;
    let loss = first;
    let evaluations = 1;
    for (let n = 1; n <= maxIter && !(vectors.maxAbs(grad) <= toleranceGrad); n++) {
      shared[N_ITER]++;
      this.#setDirection();
      vectors.copy(grad, previous);
      const sum = shared[N_ITER] === 1 ? vectors.sumOfAbs(grad) : 1;
      shared[T] = 0; // a step that is not taken adds no pair to the history
      const slope = vectors.dot(grad, d);
      if (slope > -toleranceChange) break;
      shared[T] = (sum > 1 ? 1 / sum : 1) * lr;

      const before = loss;
      let calls = 0;
      const evaluate = (): number => {
        calls++;
        return this.#evaluate(closure);
      };
      vectors.copy(data, this.#origin);
      try {
        if (options.lineSearch !== null) {
          loss = this.#search(evaluate, loss, slope);
        } else {
          this.#goTo(shared[T]);
          if (n < maxIter) {
            loss = evaluate();
            if (!this.#usable()) {
              this.#undo();
              break;
            }
          }
        }
      } catch (error) {
        this.check();
        this.#undo();
        throw error;
      }
      evaluations += calls;
      shared[FUNC_EVALS] += calls;
      if (evaluations >= maxEval) break;
      if (shared[T] * vectors.maxAbs(d) <= toleranceChange || Math.abs(loss - before) < toleranceChange) break;
    }
    for (let i = 0; i < step.length; i++) step[i]++;
    return first;
  }

  /** Throws: LBFGS has one group, since it treats all tensors as one vector. */
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
    const counts = { nIter, funcEvals, historyLength, historyStart };
    for (const [name, value] of Object.entries(counts)) whole.read(rule.name, `${path}.${name}`, value);
    if (historyLength > historySize)
      throw wrongValue(rule.name, `${path}.historyLength`, `at most ${historySize}`, historyLength);
    if (historyStart >= historySize)
      throw wrongValue(rule.name, `${path}.historyStart`, `a row below ${historySize}`, historyStart);
    return () => {
      write();
      this.#history.loaded();
    };
  }

  /** Calls the closure, with `grad` as it last left it. */
  #evaluate(closure: () => number): number {
    this.#negate(false);
    const loss: unknown = closure();
    this.checkValues();
    if (typeof loss !== "number") throw wrongType(rule.name, "closure()", "a number, the loss", loss);
    const { maximize } = this.groups[0].options;
    this.#negate(maximize);
    return maximize ? -loss : loss;
  }

  /** Negates `grad` or restores it. */
  #negate(negated: boolean): void {
    if (negated === this.#negated) return;
    this.#negated = negated;
    this.#vectors.scale(this.table.grad, -1);
  }

  /** Whether `nonFinite` accepts the gradients; throws where it is "throw" and they are not finite. */
  #usable(): boolean {
    if (this.nonFinite === "propagate") return true;
    for (const { name, size, grad, gradAt } of this.tensors) {
      const at = this.arena.kernels.firstNonFinite(size, gradAt, 1);
      if (at < 0) continue;
      if (this.nonFinite === "skip") return false;
      this.#negate(false);
      throw new Error(`${rule.name}: the gradient of "${clip(name, 100)}" is ${grad[at]} at element ${at}`);
    }
    return true;
  }

  /** θ ← origin + t·d */
  #goTo(t: number): void {
    this.#vectors.copy(this.#origin, this.table.data);
    if (t !== 0) this.#vectors.addScaled(this.table.data, this.table.slots[0], t);
  }

  /** Undoes an unfinished iteration. */
  #undo(): void {
    const { maximize } = this.groups[0].options;
    this.#goTo(0);
    this.#vectors.copy(this.table.slots[1], this.table.grad);
    this.#negated = maximize;
    this.groups[0].shared[N_ITER]--;
    this.groups[0].shared[T] = 0;
  }

  /** Searches along d, moves to the best point and returns the loss there. */
  #search(evaluate: () => number, loss: number, slope: number): number {
    const vectors = this.#vectors;
    const { grad, slots } = this.table;
    const [d, previous] = slots;
    const { shared } = this.groups[0];
    const line: Line = {
      evaluate: (t): Trial => {
        this.#goTo(t);
        const found = evaluate();
        const slopeAt = vectors.dot(grad, d);
        return { t, loss: Number.isFinite(found + slopeAt) ? found : Infinity, slope: slopeAt, gradient: IN_PLACE };
      },
      keep: (buffer) => vectors.copy(grad, this.#buffers[buffer]),
    };
    const start = { t: 0, loss, slope, gradient: AT_START };
    const found = strongWolfe(line, start, shared[T], vectors.maxAbs(d));
    shared[T] = found.t;
    if (found.gradient !== IN_PLACE) {
      this.#goTo(found.t);
      vectors.copy(found.gradient === AT_START ? previous : this.#buffers[found.gradient], grad);
    }
    return found.loss;
  }

  /** Adds the last step to the history and sets d ← −H·g. */
  #setDirection(): void {
    const vectors = this.#vectors;
    const { grad, slots } = this.table;
    const [d, previous] = slots;
    const { shared } = this.groups[0];
    if (shared[N_ITER] === 1) {
      this.#history.clear();
    } else {
      const [y, s] = this.#buffers;
      vectors.copy(grad, y);
      vectors.addScaled(y, previous, -1);
      vectors.copy(d, s);
      vectors.scale(s, shared[T]);
      this.#history.add(y, s);
    }
    this.#history.direction(grad, d);
  }
}
