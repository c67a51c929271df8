/// <reference lib="esnext.disposable" preserve="true" />
// What the averages of parameters, WeightEma and WeightAverage, have in common.
import { usedAfterDispose, whole, wrongValue } from "../util/check.js";
import { type Description, describe } from "../util/describe.js";
import { type ParameterDict, checkDict } from "../memory/parameters.js";
import { type Tensor, type Vector, countOf, refuseApplied } from "../memory/tensor.js";
import { type SavedTensor, readSaved } from "../state/validation.js";
import { ParameterCopies } from "./parameter-copies.js";

/** What a step keeps of an average that it updates: see src/step/step-request.ts. */
interface Joined {
  average: Average<string> | undefined;
  averages: Uint32Array | undefined;
  averageWeight: Float64Array;
}

/** What `stateDict()` of an average returns: owned and structured-cloneable. */
export interface AverageState {
  /** The kind of average; a load refuses the other. */
  readonly format: "gradstep/weight-ema" | "gradstep/weight-average";
  /** The version of this format; a load refuses any other. */
  readonly version: 1;
  /** Updates so far, a whole number >= 0. */
  readonly updates: number;
  /** `WeightEma`'s decay, in [0, 1], which a load restores; absent for `WeightAverage`. */
  readonly decay?: number;
  /** Whether `WeightEma` corrects its bias, which a load restores. Default false. */
  readonly debias?: boolean;
  /** By tensor: its shape and its average. */
  readonly tensors: Readonly<Record<string, SavedTensor>>;
}

const VERSION = 1;

/** The common base of `WeightEma` and `WeightAverage`. */
export abstract class Average<Name extends string> {
  /** {@link dispose}, for `using`, where the platform has it. */
  declare [Symbol.dispose]: () => void;

  readonly #owner: string;
  /** The parameters' name in messages; made once, since a step that updates the average must not allocate. */
  readonly #paramsOwner: string;
  readonly #format: AverageState["format"];
  readonly #params: ParameterDict<Name>;
  readonly #copies: ParameterCopies;
  readonly #values: Readonly<Record<Name, Vector>>;
  readonly #failures: number | undefined;
  #updates = 0;
  /** What `#addressesFor` last returned, and for which tensors. */
  #stepAddresses: { readonly tensors: readonly Tensor[]; readonly addresses: Uint32Array } | undefined;
  /** Copies of the parameters while the average is applied. */
  #kept: readonly Vector[] | undefined;
  #alive = true;

  /** @internal */
  protected constructor(owner: string, format: AverageState["format"], params: ParameterDict<Name>) {
    checkDict(owner, "params", params);
    this.#owner = owner;
    this.#paramsOwner = `${owner}'s parameters`;
    this.#format = format;
    this.#params = params;
    this.#failures = params.arena.memory.failures;
    this.#copies = new ParameterCopies(owner, params.arena, params.tensors(owner));
    const values = Object.create(null) as Record<Name, Vector>;
    params.names.forEach((name, i) => (values[name] = this.#copies.views[i]));
    this.#values = Object.freeze(values);
  }

  /** Sets {@link nextWeight} for update `k`, counted from 0. @internal */
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
   * Adds the parameters' current values to the average. Call it after each step, or less often. The first update copies.
   * @throws Error while this average or another is applied to one of its tensors, and after dispose().
   * @example
   * optimizer.step();
   * average.update(); // or, in one pass: optimizer.step({ average })
   */
  update(): void {
    this.check();
    refuseApplied(this.#owner, this.#copies.tensors);
    if (this.#updates === 0) this.#copies.read();
    else this.#copies.approach(this.nextWeight[0]);
    this.#countUpdate();
  }

  /** @internal Whether steps only check that they could update the average, which the caller does. */
  waits = false;

  /** @internal Has a step update the average, in its own pass, but for the first update, which copies. */
  joinStep(request: Joined, optimizer: string, tensors: readonly Tensor[]): void {
    const addresses = this.#addressesFor(optimizer, tensors);
    if (this.waits) return;
    if (this.#updates > 0) request.averages = addresses;
    request.average = this;
    request.averageWeight = this.nextWeight;
  }

  /** @internal Ends a step that has joined: `done` says whether its pass has updated the average. */
  finish(done: boolean): void {
    if (done) this.#countUpdate();
    else this.update();
  }

  /**
   * The addresses of the averages of an optimizer's tensors, 0 for a tensor without one. The step has checked that no average
   * is applied.
   */
  #addressesFor(optimizer: string, tensors: readonly Tensor[]): Uint32Array {
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

  /** @internal The weight of the parameters in the next update; an array, since a field might be boxed. */
  readonly nextWeight = new Float64Array(1);

  #countUpdate(): void {
    this.setNextWeight(++this.#updates);
  }

  /**
   * Replaces the parameters' values by the average until {@link restore}: for evaluation, or to save the average alone.
   * Meanwhile optimizers of these tensors cannot step, save or load, and `assign` and `load` refuse them.
   * @throws Error before the first update, while this average or another is applied, and after dispose().
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
    this.#mark({
      message: (name) => `a ${this.#owner} is applied to "${name}": call its restore() first`,
      isResult: true,
    });
  }

  /**
   * Restores the parameters' values from before {@link apply}, even if a thread died meanwhile.
   * @throws Error without `apply()`, and after dispose().
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
   * The average, its options and the number of updates, as owned copies in a plain object. The parameters' own values are
   * not included, not even while the average is applied.
   * @example
   * const saved = average.stateDict();
   */
  stateDict(): AverageState {
    this.check();
    return {
      format: this.#format,
      version: VERSION,
      updates: this.#updates,
      ...this.options?.(),
      tensors: this.#copies.save(),
    };
  }

  /**
   * Loads what {@link stateDict} returned, for the same tensors; the average then continues with the same bits.
   * @throws TypeError, RangeError naming what does not fit; Error between `apply()` and `restore()`. Nothing is changed then.
   */
  loadStateDict(saved: AverageState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state and returns a function that writes it. */
  prepareLoad(given: unknown): () => void {
    this.check();
    const owner = this.#owner;
    if (this.#kept) throw new Error(`${owner}: loadStateDict() while the average is applied: call restore() first`);
    const saved = readSaved(owner, given, { format: this.#format, version: VERSION });
    const updates = whole.read(owner, "saved.updates", saved.updates);
    const setOptions = this.readOptions?.(saved);
    const write = this.#copies.prepareLoad("saved.tensors", saved.tensors);
    return () => {
      setOptions?.();
      write();
      this.#updates = updates;
      this.setNextWeight(updates);
    };
  }

  /**
   * Frees the average's memory; later use throws. Idempotent. While the average is applied, the parameters keep its values
   * for good.
   */
  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    if (this.#kept) this.#mark(undefined);
    this.#kept = undefined;
    this.#copies.dispose();
  }

  /** @internal */
  describe(): Description {
    const { updates } = this;
    const applied = this.#kept && true;
    return [this.#owner, { ...this.options?.(), updates, applied, ...countOf(this.#copies.tensors) }];
  }

  /** The options to save. @internal */
  protected options?(): Pick<AverageState, "decay" | "debias">;
  /** Checks saved options and returns a function that sets them. @internal */
  protected readOptions?(saved: Readonly<Record<string, unknown>>): () => void;

  /** @internal */
  protected check(): void {
    this.#checkAlive();
    const { arena } = this.#params;
    if (arena.memory.failures !== this.#failures) throw new Error(`${this.#owner}: ${arena.memory.failureMessage}`);
  }

  #checkAlive(): void {
    if (!this.#alive) throw usedAfterDispose(this.#owner);
    this.#params.check(this.#paramsOwner);
  }

  /** Marks the tensors as holding this average, or their own values. */
  #mark(applied: Tensor["applied"]): void {
    for (const tensor of this.#copies.tensors) tensor.applied = applied;
    this.#params.arena.applied += applied === undefined ? -1 : 1;
  }
}
describe(
  Average<string>,
  (average) => average.describe(),
  "update_parameters=update() module,shadow=values copy_to=apply() state_dict load_state_dict",
);
