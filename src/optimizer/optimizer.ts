/// <reference lib="esnext.disposable" preserve="true" />
// The base class of all optimizers: parameter groups, ownership of tensors, state, saving and disposal.
import type { Arena } from "../memory/arena.js";
import { lookUp, record, usedAfterDispose, wrongValue } from "../util/check.js";
import { type StateFormat, formatKind } from "../state/small-formats.js";
import { describe } from "../util/describe.js";
import { EXAMPLE, FOREIGN, describeOptimizer } from "./describe-optimizer.js";
import { defaultsOf, groupOptions, knownOptions, makeGroup, readGroups } from "./groups.js";
import type { OptimizerOptions, ParamGroup, TensorName, TensorState } from "./options.js";
import { type ParameterDict, checkDict } from "../memory/parameters.js";
import { type Tensor, type Vector, owned, refuseApplied } from "../memory/tensor.js";
import {
  type CommonOptions,
  type Group,
  type NonFinitePolicy,
  type Rule,
  type Settled,
  nonFiniteKind,
} from "./rule.js";
import { Slots } from "./slots.js";
import { type OptimizerState, prepareLoad, save } from "../state/state-dict.js";
import { type Table, makeTable, stepsOf } from "../step/tensor-table.js";

/** The shared numbers of groups whose rule has none. */
const NONE = new Float64Array(0);

/** What all optimizers have in common. Base of {@link StepOptimizer}; has no public constructor. */
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
  /** @internal Replaced when tensors are added. */
  table: Table;
  /** @internal Index in the table by tensor name. */
  readonly indexOf = new Map<string, number>();
  /** @internal */
  readonly stateFormat: StateFormat;
  /** @internal */
  readonly slots: Slots<Options>;
  /** @internal Whether the parameters are those for evaluation. */
  evaluating = false;
  /** @internal */
  readonly scalarNames: readonly string[];
  /** @internal */
  readonly sharedNames: readonly string[];
  /** @internal */
  readonly nonFinite: NonFinitePolicy;
  readonly #failures: number | undefined;
  #paramGroups!: readonly [ParamGroup<Options>, ...ParamGroup<Options>[]];
  #alive = true;

  /** @internal */
  protected constructor(rule: Rule<Options>, params: ParameterDict<Name>, options: OptimizerOptions<Options, Name>) {
    const { name } = rule;
    checkDict(name, "params", params);
    const {
      groups = [],
      dialect,
      nonFinite = "propagate",
      stateFormat = "float32",
      ...given
    } = record(name, "options", options, EXAMPLE);
    knownOptions(rule, "", given, [...Object.keys(rule.kinds), "dialect", "nonFinite", "stateFormat", "groups"]);
    this.rule = rule;
    this.nonFinite = nonFiniteKind.read(name, "nonFinite", nonFinite);
    this.stateFormat = formatKind.read(name, "stateFormat", stateFormat);
    if (this.stateFormat !== "float32" && rule.sweepAll)
      throw wrongValue(name, "stateFormat", `"float32", which is all that rules of whole tensors have`, stateFormat);
    const base = groupOptions(rule, "", defaultsOf(rule, dialect), given);
    const { settled, groupOf } = readGroups(rule, params, base, groups);
    this.#admit(params, "params", Error);

    this.arena = params.arena;
    this.#failures = this.arena.memory.failures;
    this.slots = new Slots(rule, this.arena, this.stateFormat, base);
    this.scalarNames = Object.keys(rule.scalars ?? {});
    this.sharedNames = Object.keys(rule.shared?.start(base) ?? {});
    this.table = makeTable([], this.slots.names, [], () => 0);
    this.#addGroups(settled, groupOf);
  }

  /**
   * The parameter groups; the first holds the tensors that `groups` did not name. Options are live: set one to change it.
   * @throws on setting a bad value, or an option that is settled when the optimizer is made; nothing changes then.
   * @example
   * optimizer.paramGroups[0].lr = 5e-4;
   */
  get paramGroups(): readonly [ParamGroup<Options>, ...ParamGroup<Options>[]] {
    this.check();
    return this.#paramGroups;
  }

  /**
   * Adds a group of new tensors. Options that are not given are those of the first group now.
   * @throws RangeError unless `group.params` is a ParameterDict in the same arena, of tensors that no live optimizer
   * owns, with new names; and when the arena has no room for their state.
   * @example
   * optimizer.addParamGroup({ params: head, lr: 1e-4 });
   */
  addParamGroup(group: Options & { readonly params: ParameterDict }): void {
    this.check();
    const { name } = this.rule;
    const option = `paramGroups[${this.groups.length}]`;
    const prefix = `${option}.`;
    const given = record(name, option, group);
    knownOptions(this.rule, prefix, given);
    const { params } = group;
    checkDict(name, `${prefix}params`, params);
    const expected = "a ParameterDict in the optimizer's arena, made with { arena: params.arena }";
    if (params.arena !== this.arena) throw wrongValue(name, `${prefix}params`, expected, params);
    const tensors = this.#admit(params, `${prefix}params`, RangeError);
    const options = groupOptions(this.rule, prefix, this.groups[0].options, given);
    this.#addGroups([options], new Map(tensors.map((tensor) => [tensor, 0])));
  }

  /**
   * A tensor's state: `step` (0 before the first) and, under PyTorch's names in camel case, numbers and views of the slots.
   * Slots in a small `stateFormat` are owned float32 copies, made anew each time.
   * @throws RangeError for a name that is not one of the optimizer's tensors.
   * @example
   * optimizer.state("fc1.weight"); // { step: 1, expAvg: Float32Array, expAvgSq: Float32Array }
   */
  state(name: TensorName<Name>): State {
    this.check();
    const index = lookUp(this.rule.name, "name", this.indexOf, name);
    const { scalars, group } = this.table;
    const state: Record<string, Vector | number> = {
      step: stepsOf(this.table, index),
      ...this.slots.read(this.table, index),
    };
    this.scalarNames.forEach((scalar, k) => (state[scalar] = scalars[k][index]));
    this.sharedNames.forEach((shared, k) => (state[shared] = this.groups[group[index]].shared[k]));
    return state as TensorState as State;
  }

  /** Bytes of the state in the arena: all slots of all tensors in their formats, with scales and padding. */
  get stateBytes(): number {
    this.check();
    return this.slots.bytes;
  }

  /** Sets the gradients of the optimizer's tensors to 0. Momentum and decay still move a parameter then: to leave it, `skip` it. */
  zeroGrad(): void {
    this.check();
    for (const tensor of this.table.tensors) tensor.grad.fill(0);
  }

  /**
   * The whole state of the optimizer as owned copies in a plain object, to store, to post, or for {@link loadStateDict},
   * after which training continues with the same bits.
   * @throws Error while an average is applied to one of its tensors: the parameters are not the trained ones then.
   * @example
   * const saved = optimizer.stateDict();
   */
  stateDict(): OptimizerState {
    this.checkValues();
    return save(this);
  }

  /**
   * Loads what {@link stateDict} of an optimizer with the same rule, dialect, tensors and groups returned, options included.
   * All of it is checked before anything is written.
   * @throws TypeError, RangeError naming what does not fit; Error while an average is applied to one of its tensors. Nothing
   * is changed then.
   * @example
   * optimizer.loadStateDict(saved);
   */
  loadStateDict(saved: OptimizerState): void {
    this.prepareLoad(saved)();
  }

  /** @internal Checks a saved state and returns a function that writes it. */
  prepareLoad(saved: unknown): () => void {
    this.checkValues();
    return prepareLoad(this, saved);
  }

  /**
   * Switches the parameters back to those for training, after {@link eval}. Idempotent; only schedule-free rules have both.
   * @throws Error while an average is applied to the tensors of a schedule-free rule.
   */
  train(): void {
    this.#switch(false);
  }

  /**
   * Switches the parameters to those for evaluation: with schedule-free rules an average, which `step()` refuses to move
   * before {@link train}. (Switching there and back rounds in float32.) With all other rules it does nothing.
   * @throws Error while an average is applied to the tensors of a schedule-free rule.
   * @example
   * optimizer.eval();
   * const { accuracy } = mlp.evaluate(x, y);
   * optimizer.train();
   */
  eval(): void {
    this.#switch(true);
  }

  /** Releases the tensors and the state's memory; each later use throws. Idempotent. */
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
    if (this.arena.memory.failures !== this.#failures)
      throw new Error(`${this.rule.name}: ${this.arena.memory.failureMessage}`);
  }

  /** @internal As {@link check}; also throws while an average stands in for the values of a tensor. */
  protected checkValues(): void {
    this.check();
    if (this.arena.applied > 0) refuseApplied(this.rule.name, this.table.tensors);
  }

  #switch(evaluating: boolean): void {
    this.check();
    if (!this.rule.evaluate || evaluating === this.evaluating) return;
    this.checkValues();
    this.rule.evaluate(this, evaluating);
    this.evaluating = evaluating;
  }

  /** The tensors that the user gave in `option`, if the optimizer can take them; else throws, where another owns one an `Owned`. */
  #admit(params: ParameterDict, option: string, Owned: ErrorConstructor): readonly Tensor[] {
    const { rule } = this;
    const { name } = rule;
    const tensors = params.tensors(name);
    for (const tensor of tensors) {
      if (tensor.owner) throw new Owned(owned(name, tensor));
      if (this.indexOf.has(tensor.name))
        throw wrongValue(name, option, "names that are new to the optimizer", tensor.name);
      rule.accept?.(tensor, `${option}.${tensor.name}`);
    }
    return tensors;
  }

  /** Adds groups and their tensors. Throws when there is no room for the slots; nothing is changed then. */
  #addGroups(settled: readonly Settled<Options>[], groupOf: ReadonlyMap<Tensor, number>): void {
    const { rule, groups } = this;
    const from = groups.length;
    const added = settled.map((options) => ({ options, params: [] as string[] }));
    for (const [{ name }, g] of groupOf) added[g].params.push(name);
    this.addTensors([...groupOf.keys()], (tensor) => from + groupOf.get(tensor)!, [...groups, ...added]);
    const shared = rule.shared?.of(groups, added);
    added.forEach(({ options, params }, k) =>
      groups.push(makeGroup(rule, from + k, options, params, shared?.[k] ?? NONE, () => this.check())),
    );
    this.#paramGroups = Object.freeze(groups.map(({ view }) => view)) as unknown as typeof this.paramGroups;
  }

  /** @internal Adds tensors to the table, with slots. Throws when there is no room for these; nothing is changed then. */
  addTensors(
    tensors: readonly Tensor[],
    groupOf: (tensor: Tensor) => number,
    groups: readonly { readonly options: Settled<Options> }[],
  ): void {
    const { slots, table: before } = this;
    const from = before.tensors.length;
    const ordered = [...tensors].sort((a, b) => a.dataAt - b.dataAt);
    const starts = Object.values(this.rule.scalars ?? {});
    const table = makeTable([...before.tensors, ...ordered], slots.names, starts, groupOf, before);
    slots.add(table, from, groups);
    ordered.forEach((tensor, k) => {
      tensor.owner = this;
      this.indexOf.set(tensor.name, from + k);
    });
    this.table = table;
  }
}
describe(Optimizer, describeOptimizer, FOREIGN);
