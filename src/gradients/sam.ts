/// <reference lib="esnext.disposable" preserve="true" />
// SAM: steps along the gradient that an optimizer's parameters have a little uphill, so that they end where it is flat.
import { Lookahead } from "../averages/lookahead.js";
import { ParameterCopies } from "../averages/parameter-copies.js";
import { type Applied, refuseApplied } from "../memory/tensor.js";
import type { StepOptions } from "../optimizer/options.js";
import type { CommonOptions } from "../optimizer/rule.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { readSaved } from "../state/validation.js";
import { areFinite } from "../step/gradient-norms.js";
import { StepRequest, knownStepOptions } from "../step/step-request.js";
import { flag, knownOnly, nonNegative, record, usedAfterDispose, wrongType } from "../util/check.js";
import { FOREIGN } from "../optimizer/describe-optimizer.js";
import { type Description, describe } from "../util/describe.js";
import { type SAMFirstStepOptions, type SAMOptions, type SAMState, withSkipped } from "./sam-options.js";

const OWNER = "SAM";
const FORMAT = "gradstep/sam";
const VERSION = 1;
/** Added to the norm of the gradients. */
const EPS = 1e-12;
const moved: Applied = {
  message: (name) => `a SAM has moved "${name}": call its secondStep() first`,
  isResult: false,
};

/**
 * Sharpness-aware minimization around any optimizer whose `step()` takes no closure, or a {@link Lookahead}. `firstStep()`
 * climbs along the gradient g of all tensors together: θ ← θ + rho·g/‖g‖, or with `adaptive` θ + rho·θ²g/‖θg‖; you compute the
 * gradient there; `secondStep()` takes the parameters back and does the optimizer's step with it. With `maximize` it climbs
 * along −g.
 *
 * State: 4 bytes per parameter besides the optimizer's, in the same arena, which matter between the two steps only.
 *
 * @see Foret et al. (2021), https://arxiv.org/abs/2010.01412; ASAM: Kwon et al. (2021), https://arxiv.org/abs/2102.11600
 * @throws TypeError, RangeError for a wrong argument, and when the arena has no room for a copy of the parameters.
 * @example
 * const sam = new SAM(new SGD(params, { lr: 0.1, momentum: 0.9 }), { rho: 0.05 });
 * mlp.trainBatch(x, y);
 * if (sam.firstStep()) {
 *   mlp.trainBatch(x, y);
 *   sam.secondStep();
 * }
 * const loss = sam.step(() => mlp.trainBatch(x, y)); // the same
 */
export class SAM<Name extends string = string> {
  /** {@link dispose}, for `using`, where the platform has it. */
  declare [Symbol.dispose]: () => void;

  readonly #optimizer: StepOptimizer<CommonOptions, Name> | Lookahead<Name>;
  /** The optimizer, or the one that the Lookahead wraps. */
  readonly #inner: StepOptimizer<CommonOptions, Name>;
  readonly #copies: ParameterCopies;
  /** Of each copy: its address. */
  #at: readonly number[] = [];
  readonly #request = new StepRequest();
  #rho: number;
  #adaptive: boolean;
  /** Between the two steps: 1 for each tensor that has climbed. */
  #climbed: Uint8Array | undefined;
  #marks = new Uint8Array(0);
  #alive = true;

  /**
   * @param optimizer The optimizer to wrap. From now on call the steps here instead of `step()` there; you still dispose of it.
   * @param options Default: `{ rho: 0.05, adaptive: false }`.
   */
  constructor(optimizer: StepOptimizer<CommonOptions, Name> | Lookahead<Name>, options: SAMOptions = {}) {
    if (!(optimizer instanceof StepOptimizer || optimizer instanceof Lookahead))
      throw wrongType(OWNER, "optimizer", "an optimizer whose step() takes no closure, or a Lookahead", optimizer);
    const { rho, adaptive, ...unknown } = record(OWNER, "options", options);
    knownOnly(OWNER, "", unknown, ["rho", "adaptive"]);
    this.#rho = rho === undefined ? 0.05 : nonNegative.read(OWNER, "rho", rho);
    this.#adaptive = adaptive !== undefined && flag.read(OWNER, "adaptive", adaptive);
    this.#optimizer = optimizer;
    this.#inner = optimizer instanceof Lookahead ? optimizer.wrapped : optimizer;
    this.#copies = new ParameterCopies(OWNER, this.#inner.arena, []);
    this.#addCopies();
  }

  /** The groups of the wrapped optimizer, so that a schedule can take the SAM in its place. */
  get paramGroups(): StepOptimizer<CommonOptions, Name>["paramGroups"] {
    this.#check();
    return this.#inner.paramGroups;
  }

  /**
   * Climbs along the gradients that are there. Until {@link secondStep} the parameters have other values: the optimizer refuses
   * to step, to save and to load.
   * @returns true; false when a gradient was not finite and the optimizer's `nonFinite` is "skip": nothing has moved then, and no
   * second step follows.
   * @throws RangeError for a name in `skip` that is unknown or there twice, and when a group was added and the arena has no room
   * for a copy of it; TypeError for a wrong type; Error after another `firstStep()`, for a gradient that is not finite under
   * `nonFinite: "throw"`, between `eval()` and `train()`, and while an average is applied to one of the tensors. Nothing is
   * changed then.
   * @example
   * if (sam.firstStep({ skip: ["embedding"] })) sam.secondStep(); // with other gradients, which skips it, too
   */
  firstStep(options?: SAMFirstStepOptions<Name>): boolean {
    this.#checkWhole("firstStep");
    const inner = this.#inner;
    const { tensors, table, arena, groups } = inner;
    refuseApplied(OWNER, tensors);
    if (inner.evaluating)
      throw new Error(`${OWNER}: firstStep() moves the parameters for training: call train() first`);
    const request = this.#request;
    request.reset(tensors.length);
    if (options !== undefined) {
      knownStepOptions(`${OWNER}.firstStep`, record(OWNER, "step options", options), ["skip", "gradScale", "zeroGrad"]);
      request.read(options, inner);
    }
    const finite = inner.nonFinite === "propagate" || areFinite(arena.kernels, table, request, OWNER, inner.nonFinite);
    if (finite) {
      if (tensors.length > this.#at.length) this.#addCopies(); // after all else that may throw
      const factor = this.#factor();
      for (let i = 0; i < tensors.length; i++) {
        this.#marks[i] = 1 - request.skipped[i];
        if (request.skipped[i] === 0) this.#climb(i, groups[table.group[i]].options.maximize ? -factor : factor);
      }
      this.#climbed = this.#marks;
      arena.applied++;
    }
    if (request.zeroGrad) for (let i = 0; i < tensors.length; i++) tensors[i].grad.fill(0);
    return finite;
  }

  /**
   * Takes the parameters back to where they were before {@link firstStep}, and does the optimizer's step with the gradients that
   * are there now. Tensors that the first step skipped, or that were added since, are skipped.
   * @returns What the optimizer's `step()` returned.
   * @throws Error without `firstStep()`; else as the optimizer's `step()`: nothing is changed then, so that it can be repeated.
   * @example
   * sam.secondStep({ clipNorm: 1, average: ema });
   */
  secondStep(options?: StepOptions<Name>): boolean {
    this.#check();
    if (!this.#climbed) throw new Error(`${OWNER}: secondStep() without firstStep()`);
    const request = withSkipped(options, this.#climbed, this.#inner.tensors);
    this.#exchange(undefined);
    let done = false;
    try {
      const updated = this.#optimizer.step(request);
      done = true;
      return updated;
    } finally {
      if (done) this.#climbed = undefined;
      else this.#exchange(moved);
    }
  }

  /**
   * Does both steps. Where `nonFinite` skips the first, the closure is called once.
   * @param closure Fills the gradients and returns the loss; called before each step.
   * @param options Of the second step; `skip` and `gradScale` are also those of the first. Default: none.
   * @returns The loss of the first call: that of the parameters before the step.
   * @throws as the two steps, and what the closure throws. The parameters are then those before the call.
   * @example
   * const loss = sam.step(() => mlp.trainBatch(x, y));
   */
  step(closure: () => number, options?: StepOptions<Name>): number {
    this.#checkWhole("step");
    if (typeof closure !== "function") throw wrongType(OWNER, "closure", "a function that returns the loss", closure);
    const { skip, gradScale, zeroGrad } = options === undefined ? {} : record(OWNER, "step options", options);
    const loss = closure();
    if (!this.firstStep({ skip, gradScale, zeroGrad } as SAMFirstStepOptions<Name>)) return loss;
    try {
      closure();
      this.secondStep(options);
    } catch (error) {
      this.#takeBack();
      throw error;
    }
    return loss;
  }

  /**
   * The options and the state of the wrapped optimizer, as owned copies in a plain object.
   * @throws Error between the two steps: the parameters are not the trained ones then.
   * @example
   * const saved = sam.stateDict();
   */
  stateDict(): SAMState {
    this.#checkWhole("stateDict");
    return {
      format: FORMAT,
      version: VERSION,
      rho: this.#rho,
      adaptive: this.#adaptive,
      optimizer: this.#optimizer.stateDict(),
    };
  }

  /**
   * Loads what {@link stateDict} returned; training then continues with the same bits.
   * @throws TypeError, RangeError naming what does not fit; Error between the two steps. Nothing is changed then.
   */
  loadStateDict(saved: SAMState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state and returns a function that writes it. */
  prepareLoad(given: unknown): () => void {
    this.#checkWhole("loadStateDict");
    const saved = readSaved(OWNER, given, { format: FORMAT, version: VERSION });
    const rho = nonNegative.read(OWNER, "saved.rho", saved.rho);
    const adaptive = flag.read(OWNER, "saved.adaptive", saved.adaptive);
    const write = this.#optimizer.prepareLoad(saved.optimizer);
    return () => {
      this.#rho = rho;
      this.#adaptive = adaptive;
      write();
    };
  }

  /** @internal */
  describe(): Description {
    this.#check();
    const optimizer = this.#optimizer;
    const fields = { rho: this.#rho, adaptive: this.#adaptive };
    return [OWNER, fields, { ...fields, optimizer }, [(optimizer as { toString(): string }).toString()]];
  }

  /** Takes the parameters back if a second step is due, and frees the memory; later use throws. Idempotent. */
  dispose(): void {
    if (!this.#alive) return;
    if (this.#inner.arena.alive) this.#takeBack();
    this.#alive = false;
    this.#copies.dispose();
  }

  #check(): void {
    if (!this.#alive) throw usedAfterDispose(OWNER);
  }

  /** As {@link #check}; also throws between the two steps. */
  #checkWhole(method: string): void {
    this.#check();
    if (this.#climbed) throw new Error(`${OWNER}: ${method}() after firstStep(): call secondStep() first`);
  }

  /** Makes copies of tensors that have none. Throws when the arena has no room; nothing is changed then. */
  #addCopies(): void {
    const { tensors } = this.#inner;
    this.#copies.add(tensors.slice(this.#at.length));
    const at = this.#copies.addresses();
    this.#at = tensors.map((tensor) => at.get(tensor) ?? 0);
    this.#marks = new Uint8Array(tensors.length);
  }

  /** rho times the factor of the gradients, over the norm that these have with it. Sums are in the order of the tensors. */
  #factor(): number {
    const { table, arena } = this.#inner;
    const { skipped, gradScale } = this.#request;
    const { kernels } = arena;
    let sum = 0;
    for (let i = 0; i < skipped.length; i++)
      if (skipped[i] === 0)
        sum += this.#adaptive
          ? kernels.sumOfSquaredProducts(table.size[i], table.data[i], table.grad[i])
          : kernels.sumOfSquares(table.size[i], table.grad[i]);
    return (this.#rho * gradScale[0]) / (Math.sqrt(sum) * Math.abs(gradScale[0]) + EPS);
  }

  /** Copies a tensor and climbs from it. */
  #climb(i: number, factor: number): void {
    const { table, arena, tensors } = this.#inner;
    const { dataAt, gradAt, bytes } = tensors[i];
    arena.copy(dataAt, this.#at[i], bytes);
    const climb = this.#adaptive ? arena.kernels.climb : arena.kernels.addScaled;
    climb(table.size[i], dataAt, gradAt, factor);
    tensors[i].applied = moved;
  }

  /** Exchanges the tensors that have climbed with their copies, and marks them. */
  #exchange(applied: Applied | undefined): void {
    const { arena } = this.#inner;
    const { tensors } = this.#copies;
    for (let i = 0; i < tensors.length; i++) {
      if (this.#climbed?.[i] !== 1) continue;
      arena.kernels.exchange(tensors[i].size, tensors[i].dataAt, this.#at[i]);
      tensors[i].applied = applied;
    }
    arena.applied += applied === undefined ? -1 : 1;
  }

  /** Gives up the second step, if one is due. A tensor that is no longer marked has been disposed of. */
  #takeBack(): void {
    if (!this.#climbed) return;
    this.#copies.tensors.forEach(({ applied }, i) => (this.#climbed![i] *= Number(applied === moved)));
    this.#exchange(undefined);
    this.#climbed = undefined;
  }
}
describe(SAM<string>, (sam) => sam.describe(), `${FOREIGN} first_step second_step`);
