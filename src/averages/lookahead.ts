/// <reference lib="esnext.disposable" preserve="true" />
// Lookahead: slow weights that follow those of another optimizer every k steps.
import { fraction, knownOnly, record, usedAfterDispose, whole, wholeFrom, wrongType } from "../util/check.js";
import { type Description, describe } from "../util/describe.js";
import { FOREIGN } from "../optimizer/describe-optimizer.js";
import { Average } from "./average.js";
import type { StepOptions } from "../optimizer/options.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { type Tensor, refuseApplied } from "../memory/tensor.js";
import type { CommonOptions } from "../optimizer/rule.js";
import { type SavedTensor, readSaved } from "../state/validation.js";
import { ParameterCopies } from "./parameter-copies.js";
import type { OptimizerState } from "../state/state-dict.js";

/** Options of {@link Lookahead}. */
export interface LookaheadOptions {
  /** Steps of the optimizer per update of the slow weights, a whole number >= 1. Default 6. */
  k?: number | undefined;
  /** The fraction of the way that the slow weights move towards the fast ones, in [0, 1]. Default 0.5. */
  alpha?: number | undefined;
}

/** What `stateDict()` of {@link Lookahead} returns: owned and structured-cloneable. */
export interface LookaheadState {
  /** A load refuses any other. */
  readonly format: "gradstep/lookahead";
  /** The version of this format; a load refuses any other. */
  readonly version: 1;
  /** Steps per update of the slow weights, a whole number >= 1; a load restores it. */
  readonly k: number;
  /** How far they move, in [0, 1]; a load restores it. */
  readonly alpha: number;
  /** Steps that were not skipped so far, a whole number >= 0: the slow weights move when k divides it. */
  readonly steps: number;
  /** By tensor: its shape and its slow weights. */
  readonly tensors: Readonly<Record<string, SavedTensor>>;
  /** The state of the wrapped optimizer. */
  readonly optimizer: OptimizerState;
}

const OWNER = "Lookahead";
const FORMAT = "gradstep/lookahead";
const VERSION = 1;
const steps = wholeFrom(1);
const NONE: readonly Tensor[] = [];

/**
 * Lookahead around any optimizer whose `step()` takes no closure. The optimizer updates the parameters as the fast weights
 * θ; every k-th step also does φ ← φ + α(θ − φ), then θ ← φ. The slow weights φ start as a copy of the parameters.
 *
 * State: 4 bytes per parameter besides the optimizer's, in the same arena.
 *
 * @see Zhang et al. (2019), https://arxiv.org/abs/1907.08610
 * @throws TypeError, RangeError for a wrong argument, and when the arena has no room for the slow weights.
 * @example
 * const lookahead = new Lookahead(new AdamW(params), { k: 6, alpha: 0.5 });
 * lookahead.step();
 */
export class Lookahead<Name extends string = string> {
  /** {@link dispose}, for `using`, where the platform has it. */
  declare [Symbol.dispose]: () => void;

  readonly #optimizer: StepOptimizer<CommonOptions, Name>;
  readonly #slow: ParameterCopies;
  #k: number;
  #alpha: number;
  #steps = 0;
  #alive = true;

  /**
   * @param optimizer The optimizer to wrap. From now on call `step()` here instead of there; you still dispose of it.
   * @param options Default: `{ k: 6, alpha: 0.5 }`.
   */
  constructor(optimizer: StepOptimizer<CommonOptions, Name>, options: LookaheadOptions = {}) {
    if (!(optimizer instanceof StepOptimizer))
      throw wrongType(OWNER, "optimizer", "an optimizer whose step() takes no closure", optimizer);
    const { k, alpha, ...unknown } = record(OWNER, "options", options);
    knownOnly(OWNER, "", unknown, ["k", "alpha"], { aliases: "k=syncperiod,period,steps alpha=slowstepsize" });
    this.#k = k === undefined ? 6 : steps.read(OWNER, "k", k);
    this.#alpha = alpha === undefined ? 0.5 : fraction.read(OWNER, "alpha", alpha);
    refuseApplied(OWNER, optimizer.tensors);
    this.#optimizer = optimizer;
    this.#slow = new ParameterCopies(OWNER, optimizer.arena, optimizer.tensors);
  }

  /** The groups of the wrapped optimizer, so that a schedule can take the Lookahead in its place. */
  get paramGroups(): StepOptimizer<CommonOptions, Name>["paramGroups"] {
    return this.wrapped.paramGroups;
  }

  /** @internal The wrapped optimizer. */
  get wrapped(): StepOptimizer<CommonOptions, Name> {
    if (!this.#alive) throw usedAfterDispose(OWNER);
    return this.#optimizer;
  }

  /**
   * Does one step of the optimizer. After every k-th step that was not skipped as a whole, the slow weights move and are
   * copied to the parameters; an `average` is updated after that.
   * @returns What the optimizer's `step()` returned.
   * @throws as the optimizer's `step()`; RangeError when a group was added and the arena has no room for its slow weights.
   * {@link stateDict} still works then, so that training can continue in a dictionary with more `slots`.
   * @example
   * lookahead.step({ gradScale: 1 / 4 });
   */
  step(options?: StepOptions<Name>): boolean {
    if (this.#newTensors().length > 0) return this.#stepWithNewTensors(options);
    const moves = (this.#steps + 1) % this.#k === 0;
    const average = options?.average;
    if (moves && average instanceof Average) average.waits = true;
    try {
      if (!this.#optimizer.step(options)) return false;
    } finally {
      if (average instanceof Average) average.waits = false;
    }
    this.#steps++;
    if (!moves) return true;
    this.#slow.approach(this.#alpha);
    this.#slow.write();
    average?.update();
    return true;
  }

  /**
   * The slow weights, the number of steps and the state of the wrapped optimizer, as owned copies in a plain object.
   * @example
   * const saved = lookahead.stateDict();
   */
  stateDict(): LookaheadState {
    const added = this.#newTensors();
    return {
      format: FORMAT,
      version: VERSION,
      k: this.#k,
      alpha: this.#alpha,
      steps: this.#steps,
      tensors: this.#slow.save(added),
      optimizer: this.#optimizer.stateDict(),
    };
  }

  /**
   * Loads what {@link stateDict} returned, including `k`, `alpha` and the wrapped optimizer's state; training then
   * continues with the same bits.
   * @throws TypeError, RangeError naming what does not fit; nothing is changed then.
   */
  loadStateDict(saved: LookaheadState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state and returns a function that writes it. */
  prepareLoad(given: unknown): () => void {
    return this.#withNewTensors(() => this.#prepareLoad(given));
  }

  #prepareLoad(given: unknown): () => void {
    const saved = readSaved(OWNER, given, { format: FORMAT, version: VERSION });
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

  /** @internal */
  describe(): Description {
    if (!this.#alive) throw usedAfterDispose(OWNER);
    const optimizer = this.#optimizer;
    const fields = { k: this.#k, alpha: this.#alpha, steps: this.#steps };
    return [OWNER, fields, { ...fields, optimizer }, [(optimizer as { toString(): string }).toString()]];
  }

  /** Frees the slow weights' memory; later use throws. Idempotent. The wrapped optimizer stays usable. */
  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#slow.dispose();
  }

  /** Separate from {@link step}, which would otherwise allocate a closure each time. */
  #stepWithNewTensors(options: StepOptions<Name> | undefined): boolean {
    return this.#withNewTensors(() => this.step(options));
  }

  /** Adds slow weights for tensors of groups added since, runs `act`, and removes them again if it throws. */
  #withNewTensors<T>(act: () => T): T {
    const added = this.#newTensors();
    this.#slow.add(added);
    try {
      return act();
    } catch (error) {
      this.#slow.remove(added);
      throw error;
    }
  }

  /** Tensors that have no slow weights yet. */
  #newTensors(): readonly Tensor[] {
    if (!this.#alive) throw usedAfterDispose(OWNER);
    const { tensors, arena } = this.#optimizer;
    if (arena.applied > 0) refuseApplied(OWNER, tensors);
    return tensors.length > this.#slow.tensors.length ? tensors.slice(this.#slow.tensors.length) : NONE;
  }
}
describe(Lookahead<string>, (lookahead) => lookahead.describe(), FOREIGN);
