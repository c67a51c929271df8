/// <reference lib="esnext.disposable" preserve="true" />
import { record, usedAfterDispose, whole, wrongValue } from "../util/check.js";
import { defineDispose } from "../util/dispose.js";
import { type ParameterDict, checkDict } from "../memory/parameters.js";
import { type Tensor, type Vector, refuseApplied } from "../memory/tensor.js";
import { type SavedTensor, same } from "../state/validation.js";
import { ParameterCopies } from "./parameter-copies.js";

/** What `stateDict()` of an average gives: owned, structured-cloneable, of the form that `version` names. */
export interface AverageState {
  /** Which average it is of: a load refuses the other's. */
  readonly format: "gradstep/weight-ema" | "gradstep/weight-average";
  /** The form of this object: a load refuses any other. */
  readonly version: 1;
  /** Updates so far, a whole number >= 0. */
  readonly updates: number;
  /** That of `WeightEma`, in [0, 1], which a load takes over; `WeightAverage` has none. */
  readonly decay?: number;
  /** Whether `WeightEma` corrects its bias, which a load takes over. Default false. */
  readonly debias?: boolean;
  /** By tensor: its shape and its average. */
  readonly tensors: Readonly<Record<string, SavedTensor>>;
}

const VERSION = 1;

/** What `WeightEma` and `WeightAverage` have in common; not made by itself. */
export abstract class Average<Name extends string> {
  /** {@link dispose}, for `using`; where the platform has it. */
  declare [Symbol.dispose]: () => void;

  readonly #owner: string;
  /** The parameters' name in messages, made once: a step that takes the average along allocates nothing. */
  readonly #paramsOwner: string;
  readonly #format: AverageState["format"];
  readonly #params: ParameterDict<Name>;
  readonly #copies: ParameterCopies;
  readonly #values: Readonly<Record<Name, Vector>>;
  readonly #failures: number;
  #updates = 0;
  /** Addresses by an optimizer's tensors, for steps that take the average along. */
  #stepAddresses: { readonly tensors: readonly Tensor[]; readonly addresses: Uint32Array } | undefined;
  /** The parameters themselves while the average stands in their place. */
  #kept: readonly Vector[] | undefined;
  #alive = true;

  /** @internal */
  protected constructor(owner: string, format: AverageState["format"], params: ParameterDict<Name>) {
    checkDict(owner, "params", params);
    this.#owner = owner;
    this.#paramsOwner = `${owner}'s parameters`;
    this.#format = format;
    this.#params = params;
    this.#failures = params.arena.failures;
    this.#copies = new ParameterCopies(owner, params.arena, params.tensors(owner));
    const values = Object.create(null) as Record<Name, Vector>;
    params.names.forEach((name, i) => (values[name] = this.#copies.views[i]));
    this.#values = Object.freeze(values);
  }

  /** Sets {@link nextWeight} for update `k` from 0; the first one copies. @internal */
  protected abstract setNextWeight(k: number): void;

  /** The averages by name: frozen, without a prototype; each a view, row-major. Before the first update, the parameters as they were. */
  get values(): Readonly<Record<Name, Vector>> {
    this.check();
    return this.#values;
  }

  /** Number of updates so far. */
  get updates(): number {
    this.check();
    return this.#updates;
  }

  /**
   * Takes the parameters as they are into the average: after each step, or as often as you like. The first update copies.
   * @throws Error while this average or another is applied to one of its tensors, and after a dispose.
   * @example
   * optimizer.step();
   * average.update(); // or, in one pass: optimizer.step({ average })
   */
  update(): void {
    this.check();
    refuseApplied(this.#owner, this.#copies.tensors);
    if (this.#updates === 0) this.#copies.read();
    else this.#copies.approach(this.nextWeight[0]);
    this.countUpdate();
  }

  /**
   * @internal For a step that takes the average along in its own pass: the addresses of the averages of an optimizer's
   * tensors, to none of which an average is applied, 0 where there is none; the step then says {@link countUpdate}.
   */
  addressesFor(optimizer: string, tensors: readonly Tensor[]): Uint32Array {
    this.check();
    if (this.#stepAddresses?.tensors !== tensors) {
      const at = this.#copies.addresses();
      const own = new Set(tensors);
      if (!this.#copies.tensors.every((tensor) => own.has(tensor)))
        throw wrongValue(optimizer, "average", "an average of tensors that are the optimizer's", this);
      this.#stepAddresses = { tensors, addresses: Uint32Array.from(tensors, (tensor) => at.get(tensor) ?? 0) };
    }
    return this.#stepAddresses.addresses;
  }

  /** @internal The weight of the parameters in the next update, unless it is the first, which copies: a step reads it without a box. */
  readonly nextWeight = new Float64Array(1);

  /** @internal Counts an update that a step has done. */
  countUpdate(): void {
    this.setNextWeight(++this.#updates);
  }

  /**
   * Puts the average in the parameters' place, which {@link restore} gives back: for evaluation, or for saving it alone.
   * Until then no optimizer of these tensors steps, is saved or loaded, and `assign` and `load` refuse them.
   * @throws Error before the first update, when this average or another is there already, and after a dispose.
   * @example
   * average.apply();
   * const { accuracy } = mlp.evaluate(x, y);
   * average.restore();
   */
  apply(): void {
    this.check();
    if (this.#kept) throw new Error(`${this.#owner}: apply() twice: call restore() first`);
    if (this.#updates === 0) throw new Error(`${this.#owner}: apply() without an average: call update() first`);
    refuseApplied(this.#owner, this.#copies.tensors);
    this.#kept = this.#copies.tensors.map((tensor) => tensor.data.slice());
    this.#copies.write();
    this.#mark(this.#owner);
  }

  /**
   * Gives the parameters back as they were at {@link apply}: also where a thread died meanwhile.
   * @throws Error without `apply()`, and after a dispose.
   */
  restore(): void {
    this.#checkAlive();
    const kept = this.#kept;
    if (!kept) throw new Error(`${this.#owner}: restore() without apply()`);
    this.#copies.tensors.forEach((tensor, i) => tensor.data.set(kept[i]));
    this.#kept = undefined;
    this.#mark(undefined);
  }

  /**
   * The average and the number of updates, as owned copies in a plain object. Parameters that {@link apply} put aside are
   * not in it.
   * @example
   * const saved = average.stateDict();
   */
  stateDict(): AverageState {
    this.check();
    return {
      format: this.#format,
      version: VERSION,
      updates: this.#updates,
      ...this.options(),
      tensors: this.#copies.save(),
    };
  }

  /**
   * Goes on from what {@link stateDict} gave, for the same tensors, with the same bits. All of it is checked before
   * anything is written.
   * @throws TypeError, RangeError naming what does not fit; Error between `apply()` and `restore()`. Nothing is changed then.
   */
  loadStateDict(saved: AverageState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state; what is returned writes it. */
  prepareLoad(given: unknown): () => void {
    this.check();
    const owner = this.#owner;
    if (this.#kept) throw new Error(`${owner}: loadStateDict() while the average is applied: call restore() first`);
    const saved = record(owner, "saved", given);
    same(owner, "saved.format", saved.format, this.#format);
    same(owner, "saved.version", saved.version, VERSION);
    const updates = whole.read(owner, "saved.updates", saved.updates);
    const takeOptions = this.readOptions(saved);
    const write = this.#copies.prepareLoad("saved.tensors", saved.tensors);
    return () => {
      takeOptions();
      write();
      this.#updates = updates;
      this.setNextWeight(updates);
    };
  }

  /**
   * Gives the average's memory back; each later use throws. Again: nothing. After {@link apply} the average stays in the
   * parameters for good.
   */
  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    if (this.#kept) this.#mark(undefined);
    this.#kept = undefined;
    this.#copies.dispose();
  }

  /** Options to save, and how to read them: what is returned takes them. @internal */
  protected abstract options(): { readonly decay?: number; readonly debias?: boolean };
  /** @internal */
  protected abstract readOptions(saved: Readonly<Record<string, unknown>>): () => void;

  /** @internal */
  protected check(): void {
    this.#checkAlive();
    const { arena } = this.#params;
    if (arena.failures !== this.#failures) throw new Error(`${this.#owner}: ${arena.memory.failureMessage}`);
  }

  #checkAlive(): void {
    if (!this.#alive) throw usedAfterDispose(this.#owner);
    this.#params.check(this.#paramsOwner);
  }

  /** Says of the tensors that this average stands in for them, or that none does. */
  #mark(applied: string | undefined): void {
    for (const tensor of this.#copies.tensors) tensor.applied = applied;
    this.#params.arena.applied += applied === undefined ? -1 : 1;
  }
}
defineDispose(Average);
