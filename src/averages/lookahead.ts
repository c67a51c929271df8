/// <reference lib="esnext.disposable" preserve="true" />
import { fraction, knownOnly, record, usedAfterDispose, whole, wholeFrom, wrongType } from "../util/check.js";
import { defineDispose } from "../util/dispose.js";
import type { StepOptions } from "../optimizer/options.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { type Tensor, refuseApplied } from "../memory/tensor.js";
import type { CommonOptions } from "../optimizer/rule.js";
import { type SavedTensor, same } from "../state/validation.js";
import { SCHEDULABLE } from "../optimizer/schedulable.js";
import { ParameterCopies } from "./parameter-copies.js";
import type { OptimizerState } from "../state/state-dict.js";

/** Options of {@link Lookahead}. */
export interface LookaheadOptions {
  /** Steps of the optimizer between two moves of the slow weights, a whole number >= 1. Default 6. */
  k?: number | undefined;
  /** How far the slow weights move towards the fast ones, in [0, 1]. Default 0.5. */
  alpha?: number | undefined;
}

/** What `stateDict()` of {@link Lookahead} gives: owned, structured-cloneable, of the form that `version` names. */
export interface LookaheadState {
  /** What it is of: a load refuses any other. */
  readonly format: "gradstep/lookahead";
  /** The form of this object: a load refuses any other. */
  readonly version: 1;
  /** Steps between two moves of the slow weights, a whole number >= 1; a load takes it over. */
  readonly k: number;
  /** How far they move, in [0, 1]; a load takes it over. */
  readonly alpha: number;
  /** Successful steps so far, a whole number >= 0: the slow weights move when k divides it. */
  readonly steps: number;
  /** By tensor: its shape and its slow weights. */
  readonly tensors: Readonly<Record<string, SavedTensor>>;
  /** The state of the optimizer inside. */
  readonly optimizer: OptimizerState;
}

const OWNER = "Lookahead";
const FORMAT = "gradstep/lookahead";
const VERSION = 1;
const steps = wholeFrom(1);
const NONE: readonly Tensor[] = [];

/**
 * Lookahead around any optimizer with a `step()`: the optimizer moves the parameters as the fast weights θ; at every k-th
 * step the slow weights φ ← φ + α(θ − φ), and θ ← φ. The slow weights start at the parameters it is made with.
 *
 * State: 4 bytes a parameter beside the optimizer's, in the same arena.
 *
 * @see Zhang et al. (2019), https://arxiv.org/abs/1907.08610
 * @throws TypeError, RangeError for a wrong argument, and when the arena has no room for the slow weights.
 * @example
 * const lookahead = new Lookahead(new AdamW(params), { k: 6, alpha: 0.5 });
 * lookahead.step();
 */
export class Lookahead<Name extends string = string> {
  /** {@link dispose}, for `using`; where the platform has it. */
  declare [Symbol.dispose]: () => void;

  readonly #optimizer: StepOptimizer<CommonOptions, Name>;
  readonly #slow: ParameterCopies;
  #k: number;
  #alpha: number;
  #steps = 0;
  #alive = true;

  /**
   * @param optimizer The optimizer inside: yours to dispose of, but its steps are taken here from now on.
   * @param options Default: `{ k: 6, alpha: 0.5 }`.
   */
  constructor(optimizer: StepOptimizer<CommonOptions, Name>, options: LookaheadOptions = {}) {
    if (!(optimizer instanceof StepOptimizer))
      throw wrongType(OWNER, "optimizer", "an optimizer whose step() takes no closure", optimizer);
    const { k, alpha, ...unknown } = record(OWNER, "options", options);
    knownOnly(OWNER, "", unknown, ["k", "alpha"]);
    this.#k = k === undefined ? 6 : steps.read(OWNER, "k", k);
    this.#alpha = alpha === undefined ? 0.5 : fraction.read(OWNER, "alpha", alpha);
    refuseApplied(OWNER, optimizer.tensors);
    this.#optimizer = optimizer;
    this.#slow = new ParameterCopies(OWNER, optimizer.arena, optimizer.tensors);
  }

  /** The groups of the optimizer inside: a schedule takes the Lookahead for it. */
  get paramGroups(): StepOptimizer<CommonOptions, Name>["paramGroups"] {
    if (!this.#alive) throw usedAfterDispose(OWNER);
    return this.#optimizer.paramGroups;
  }

  /**
   * One step of the optimizer; after every k-th that it did not skip as a whole, the slow weights move and the parameters
   * are theirs. An `average` is updated after that.
   * @returns What the optimizer's `step()` returned.
   * @throws as the optimizer's `step()`; RangeError when a group was added and the arena has no room for its slow weights:
   * {@link stateDict} still works then, for a dictionary with more `slots` to go on from.
   * @example
   * lookahead.step({ gradScale: 1 / 4 });
   */
  step(options?: StepOptions<Name>): boolean {
    if (this.#later().length > 0) return this.#stepWithLater(options);
    const moves = (this.#steps + 1) % this.#k === 0;
    this.#optimizer.leavesAverage = moves;
    try {
      if (!this.#optimizer.step(options)) return false;
    } finally {
      this.#optimizer.leavesAverage = false;
    }
    this.#steps++;
    if (!moves) return true;
    this.#slow.approach(this.#alpha);
    this.#slow.write();
    options?.average?.update();
    return true;
  }

  /**
   * The slow weights, the number of steps, and the state of the optimizer inside, as owned copies in a plain object.
   * @example
   * const saved = lookahead.stateDict();
   */
  stateDict(): LookaheadState {
    const later = this.#later();
    return {
      format: FORMAT,
      version: VERSION,
      k: this.#k,
      alpha: this.#alpha,
      steps: this.#steps,
      tensors: this.#slow.save(later),
      optimizer: this.#optimizer.stateDict(),
    };
  }

  /**
   * Goes on from what {@link stateDict} gave, the optimizer inside included, with the same bits. `k` and `alpha` come
   * from it too. All of it is checked before anything is written.
   * @throws TypeError, RangeError naming what does not fit; nothing is changed then.
   */
  loadStateDict(saved: LookaheadState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state; what is returned writes it. */
  prepareLoad(given: unknown): () => void {
    return this.#adopting(() => this.#prepareLoad(given));
  }

  #prepareLoad(given: unknown): () => void {
    const saved = record(OWNER, "saved", given);
    same(OWNER, "saved.format", saved.format, FORMAT);
    same(OWNER, "saved.version", saved.version, VERSION);
    const k = steps.read(OWNER, "saved.k", saved.k);
    const alpha = fraction.read(OWNER, "saved.alpha", saved.alpha);
    const count = whole.read(OWNER, "saved.steps", saved.steps);
    const writeSlow = this.#slow.prepareLoad("saved.tensors", saved.tensors);
    const writeOptimizer = this.#optimizer.prepareLoad(saved.optimizer);
    return () => {
      this.#k = k;
      this.#alpha = alpha;
      this.#steps = count;
      writeSlow();
      writeOptimizer();
    };
  }

  /** Gives the slow weights' memory back; each later use throws. The optimizer inside lives on. Again: nothing. */
  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#slow.dispose();
  }

  /** Apart from {@link step}, which would make a closure each time. */
  #stepWithLater(options: StepOptions<Name> | undefined): boolean {
    return this.#adopting(() => this.step(options));
  }

  /** Takes in the tensors of groups that were added to the optimizer: their slow weights start now, unless `act` throws. */
  #adopting<T>(act: () => T): T {
    const later = this.#later();
    this.#slow.add(later);
    try {
      return act();
    } catch (error) {
      this.#slow.drop(later);
      throw error;
    }
  }

  /** Tensors that have no slow weights yet. */
  #later(): readonly Tensor[] {
    if (!this.#alive) throw usedAfterDispose(OWNER);
    const { tensors, arena } = this.#optimizer;
    if (arena.applied > 0) refuseApplied(OWNER, tensors);
    return tensors.length > this.#slow.tensors.length ? tensors.slice(this.#slow.tensors.length) : NONE;
  }
}
Object.defineProperty(Lookahead.prototype, SCHEDULABLE, { value: true });
defineDispose(Lookahead);
