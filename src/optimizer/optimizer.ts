/// <reference lib="esnext.disposable" preserve="true" />
import type { Arena } from "../memory/arena.js";
import { record, usedAfterDispose, wrongValue } from "../util/check.js";
import { defineDispose } from "../util/dispose.js";
import { FLOAT32, type StateFormat, formatKind, readSmall, toFloat32 } from "../state/small-formats.js";
import { type Group, defaultsOf, knownOptions, makeGroup, readGroups, settle } from "./groups.js";
import type { OptimizerOptions, ParamGroup, TensorName, TensorState } from "./options.js";
import { type ParameterDict, checkDict } from "../memory/parameters.js";
import { type Tensor, type Vector, owned, refuseApplied } from "../memory/tensor.js";
import { type CommonOptions, type NonFinitePolicy, type Rule, type Settled, nonFiniteKind } from "./rule.js";
import { Slots } from "./slots.js";
import { type OptimizerState, prepareLoad, save } from "../state/state-dict.js";
import { ABSENT, type Table, isAdjacentToPrevious, makeTable, stepsOf } from "../step/tensor-table.js";

/**
 * What all optimizers have: parameter groups, ownership of tensors, state, and its end. Base of {@link StepOptimizer};
 * not made by itself.
 */
export abstract class Optimizer<
  Options extends CommonOptions = CommonOptions,
  Name extends string = string,
  State extends TensorState = TensorState,
> {
  /** {@link dispose}, for `using`; where the platform has it. */
  declare [Symbol.dispose]: () => void;

  /** @internal */
  readonly rule: Rule<Options>;
  /** @internal */
  readonly arena: Arena;
  /** @internal */
  readonly groups: Group<Options>[] = [];
  /** @internal */
  table: Table;
  /** @internal */
  readonly indexOf = new Map<string, number>();
  /** @internal */
  protected readonly nonFinite: NonFinitePolicy;
  /** @internal */
  readonly stateFormat: StateFormat;
  /** @internal */
  protected readonly slots: Slots<Options>;
  /** @internal Whether the parameters are those for evaluation. */
  protected evaluating = false;
  readonly #scalarNames: readonly string[];
  readonly #sharedNames: readonly string[];
  readonly #failures: number;
  #faces!: readonly [ParamGroup<Options>, ...ParamGroup<Options>[]];
  #views: (Vector | undefined)[][] = [];
  #alive = true;

  /** @internal */
  protected constructor(rule: Rule<Options>, params: ParameterDict<Name>, options: OptimizerOptions<Options, Name>) {
    const { name } = rule;
    checkDict(name, "params", params);
    const tensors = params.tensors(name);
    const {
      groups = [],
      dialect,
      nonFinite = "propagate",
      stateFormat = "float32",
      ...given
    } = record(name, "options", options);
    knownOptions(rule, "", given, [...Object.keys(rule.kinds), "dialect", "nonFinite", "stateFormat", "groups"]);
    this.nonFinite = nonFiniteKind.read(name, "nonFinite", nonFinite);
    this.stateFormat = formatKind.read(name, "stateFormat", stateFormat);
    if (this.stateFormat !== "float32" && rule.scope === "tensor")
      throw wrongValue(name, "stateFormat", `"float32", which is all that rules of whole tensors have`, stateFormat);
    const base = settle(rule, "", defaultsOf(rule, dialect), given);
    const { settled, groupOf } = readGroups(rule, params, base, groups);
    for (const tensor of tensors) {
      if (tensor.owner) throw new Error(owned(name, tensor));
      rule.accept?.(tensor, `params.${tensor.name}`);
    }

    this.rule = rule;
    this.arena = params.arena;
    this.#failures = this.arena.failures;
    this.slots = new Slots(rule, this.arena, this.stateFormat, base);
    this.#scalarNames = Object.keys(rule.scalars ?? {});
    this.#sharedNames = Object.keys(rule.shared?.start(base) ?? {});
    this.table = makeTable([], this.slots.names.length, this.#scalarNames.length);
    this.#adopt(tensors, settled, (tensor) => groupOf.get(tensor) ?? 0);
  }

  /**
   * The parameter groups; the first holds the tensors that `groups` did not name. Options are live: set one to change it.
   * @throws on setting a bad value, or an option that is settled when the optimizer is made; nothing changes then.
   * @example
   * optimizer.paramGroups[0].lr = 5e-4;
   */
  get paramGroups(): readonly [ParamGroup<Options>, ...ParamGroup<Options>[]] {
    this.check();
    return this.#faces;
  }

  /**
   * Adds a group with tensors of its own. Options not given are those the optimizer was made with, as its first group
   * has them now.
   * @throws RangeError unless `group.params` is a ParameterDict in the same arena, of tensors that no live optimizer
   * owns, with new names; and when the arena has no room for their state.
   * @example
   * optimizer.addParamGroup({ params: head, lr: 1e-4 });
   */
  addParamGroup(group: Options & { readonly params: ParameterDict }): void {
    this.check();
    const { name } = this.rule;
    const prefix = `paramGroups[${this.groups.length}]`;
    const given = record(name, prefix, group);
    knownOptions(this.rule, `${prefix}.`, given);
    const { params } = group;
    checkDict(name, `${prefix}.params`, params);
    const tensors = params.tensors(name);
    if (params.arena !== this.arena)
      throw wrongValue(
        name,
        `${prefix}.params`,
        "a ParameterDict in the optimizer's arena, made with { arena: params.arena }",
        params,
      );
    for (const tensor of tensors) {
      if (tensor.owner) throw new RangeError(owned(name, tensor));
      if (this.indexOf.has(tensor.name))
        throw wrongValue(name, `${prefix}.params`, "names that are new to the optimizer", tensor.name);
      this.rule.accept?.(tensor, `${prefix}.params.${tensor.name}`);
    }
    const options = settle(this.rule, `${prefix}.`, this.groups[0].options, given);
    this.#adopt(tensors, [{ options, params: tensors.map((t) => t.name) }], () => 0);
  }

  /** @internal Takes more tensors of the same arena into the groups that `groupOf` says. Throws when there is no room; nothing is changed then. */
  extend(params: ParameterDict, groupOf: (tensor: Tensor) => number): void {
    this.check();
    const { name } = this.rule;
    const tensors = params.tensors(name);
    for (const tensor of tensors) this.rule.accept?.(tensor, `params.${tensor.name}`);
    this.#place(tensors, groupOf, (tensor) => this.groups[groupOf(tensor)].options);
    for (const tensor of tensors) this.groups[groupOf(tensor)].join(tensor.name);
  }

  /**
   * A tensor's state: `step` (0 before the first) and, under PyTorch's names in camel case, numbers and views of the slots;
   * of slots that `stateFormat` keeps small, owned copies in float32 instead, made anew each time.
   * @throws RangeError for a name that is not one of the optimizer's tensors.
   * @example
   * optimizer.state("fc1.weight"); // { step: 1, expAvg: Float32Array, expAvgSq: Float32Array }
   */
  state(name: TensorName<Name>): State {
    this.check();
    const index = this.indexOf.get(name);
    if (index === undefined) throw wrongValue(this.rule.name, "name", "one of the optimizer's tensors", name);
    const { slots, slotSizes, formats, scalars, group } = this.table;
    const state: Record<string, Vector | number> & { step: number } = { step: stepsOf(this.table, index) };
    const views = (this.#views[index] ??= []);
    this.slots.names.forEach((slot, k) => {
      const address = slots[k][index];
      if (address === ABSENT) return;
      if (formats[k][index] === FLOAT32)
        state[slot] = views[k] ??= new Float32Array(this.arena.buffer, address, slotSizes[k][index]);
      else state[slot] = toFloat32(readSmall(this.arena, this.table, index, k));
    });
    this.#scalarNames.forEach((scalar, k) => (state[scalar] = scalars[k][index]));
    this.#sharedNames.forEach((shared, k) => (state[shared] = this.groups[group[index]].shared[k]));
    return state as TensorState as State;
  }

  /** Bytes that the state takes in the arena: all slots of all tensors in their formats, scales and padding included. */
  get stateBytes(): number {
    this.check();
    return this.slots.bytes;
  }

  /** Sets the gradients of the optimizer's tensors to 0: which is not an absent one, since momentum and decay still move a parameter. */
  zeroGrad(): void {
    this.check();
    for (const tensor of this.table.tensors) tensor.grad.fill(0);
  }

  /**
   * All that the optimizer has come to, as owned copies in a plain object: store it, post it, or give it to
   * {@link loadStateDict}, after which training goes on with the same bits.
   * @throws Error while an average is applied to one of its tensors: the weights that are trained would not be beside it.
   * @example
   * const saved = optimizer.stateDict();
   */
  stateDict(): OptimizerState {
    this.checkValues();
    return save(this.#internals());
  }

  /**
   * Goes on from what {@link stateDict} gave: an optimizer of the same rule, dialect, tensors and groups. Options come from
   * it too. All of it is checked before anything is written.
   * @throws TypeError, RangeError naming what does not fit; Error while an average is applied to one of its tensors, whose
   * `restore()` would undo what is loaded beside it. Nothing is changed then.
   * @example
   * optimizer.loadStateDict(saved);
   */
  loadStateDict(saved: OptimizerState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state; what is returned writes it. */
  prepareLoad(saved: unknown): () => void {
    this.checkValues();
    const write = prepareLoad(this.#internals(), saved);
    return () => {
      this.evaluating = write();
    };
  }

  /**
   * The parameters for training again. For all but the schedule-free rules, and when they are there already: nothing.
   * @throws Error while an average is applied to those of a schedule-free rule.
   */
  train(): void {
    this.check();
    if (this.evaluating) this.#swap("toTrain");
    this.evaluating = false;
  }

  /**
   * The parameters for evaluation: those of the schedule-free rules are an average, which `step()` does not move, so that
   * {@link train} must come before it. (Back and forth is no identity in float32.) For all other rules: nothing.
   * @throws Error while an average is applied to those of a schedule-free rule.
   * @example
   * optimizer.eval();
   * const { accuracy } = mlp.evaluate(x, y);
   * optimizer.train();
   */
  eval(): void {
    this.check();
    if (!this.rule.evaluation) return;
    if (!this.evaluating) this.#swap("toEval");
    this.evaluating = true;
  }

  /** Ends the optimizer: its tensors are free for another, its slots' memory too, and each later use throws. Again: nothing. */
  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const tensor of this.table.tensors) tensor.owner = undefined;
    this.slots.release();
  }

  /** @internal The tensors in order of address. */
  get tensors(): readonly Tensor[] {
    this.check();
    return this.table.tensors;
  }

  /** @internal */
  protected check(): void {
    if (!this.#alive || !this.arena.alive) throw usedAfterDispose(this.rule.name);
    if (this.arena.failures !== this.#failures)
      throw new Error(`${this.rule.name}: ${this.arena.memory.failureMessage}`);
  }

  /** @internal As {@link check}; and the tensors' values must be those that are trained. */
  protected checkValues(): void {
    this.check();
    if (this.arena.applied > 0) refuseApplied(this.rule.name, this.table.tensors);
  }

  #internals() {
    const { rule, table, groups, arena, evaluating, slots } = this;
    return {
      rule,
      table,
      groups,
      arena,
      evaluating,
      slots,
      scalarNames: this.#scalarNames,
      sharedNames: this.#sharedNames,
    };
  }

  /** p ← p + w(z − p) for every tensor that has taken a step. */
  #swap(way: "toEval" | "toTrain"): void {
    const { table, groups, rule } = this;
    if (!rule.evaluation) return;
    this.checkValues();
    const z = table.slots[this.slots.names.indexOf(rule.evaluation.slot)];
    for (let i = 0; i < table.tensors.length; i++) {
      const w = rule.evaluation[way](groups[table.group[i]].options);
      if (stepsOf(table, i) > 0) this.arena.kernels.approach(table.length[i], table.data[i], z[i], w);
    }
  }

  /** Takes tensors in new groups: room for their slots first, which may throw, then all the rest. */
  #adopt(
    tensors: readonly Tensor[],
    added: readonly { options: Settled<Options>; params: readonly string[] }[],
    groupOf: (tensor: Tensor) => number,
  ): void {
    const { rule } = this;
    const from = this.groups.length;
    this.#place(
      tensors,
      (tensor) => from + groupOf(tensor),
      (tensor) => added[groupOf(tensor)].options,
    );
    const { options: first } = added.find(({ params }) => params.length > 0) ?? added[0];
    const start = Object.values(rule.shared?.start(first) ?? {});
    if (rule.shared?.by === "optimizer" && !this.groups.some(({ occupied }) => occupied))
      this.groups.at(0)?.shared.set(start);
    for (const { options, params } of added) {
      const common = rule.shared?.by === "optimizer" ? this.groups.at(0)?.shared : undefined;
      const shared = common ?? Float64Array.from(start);
      this.groups.push(makeGroup(rule, this.groups.length, options, params, shared, () => this.check()));
    }
    this.#faces = Object.freeze(this.groups.map(({ face }) => face)) as unknown as typeof this.paramGroups;
  }

  /** Takes tensors into the table, with slots, which may throw. */
  #place(
    tensors: readonly Tensor[],
    groupOf: (tensor: Tensor) => number,
    optionsOf: (tensor: Tensor) => Settled<Options>,
  ): void {
    const ordered = [...tensors].sort((a, b) => a.dataAt - b.dataAt);
    const from = this.table.tensors.length;
    const table = this.slots.add(this.table, ordered, optionsOf);
    const scalarStarts = Object.values(this.rule.scalars ?? {});
    ordered.forEach((tensor, k) => {
      const i = from + k;
      tensor.owner = this;
      this.indexOf.set(tensor.name, i);
      table.group[i] = groupOf(tensor);
      table.scalars.forEach((column, s) => (column[i] = scalarStarts[s]));
      table.adjacent[i] = isAdjacentToPrevious(table, i) ? 1 : 0;
    });
    this.table = table;
  }
}
defineDispose(Optimizer);
