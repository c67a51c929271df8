/// <reference lib="esnext.disposable" preserve="true" />
import type { Arena } from "./arena.js";
import { finite, knownOnly, nameList, record, usedAfterDispose, wrongType, wrongValue } from "./check.js";
import { defineDispose } from "./dispose.js";
import { type Group, defaultsOf, knownGroupOptions, makeGroup, settle } from "./groups.js";
import { ParameterDict, type Tensor, type Vector } from "./parameters.js";
import { type CommonOptions, GS, type Rule, type Run, type Settled, type WholeOptions } from "./rule.js";

/** Tensors with options of their own, among those an optimizer is made with. */
export type GroupOptions<Options, Name extends string = string> = Options & {
  /** Names of the tensors. */
  readonly params: readonly Name[];
};

/** What an optimizer is made with: the rule's options, for all tensors, and groups that override them. */
export type OptimizerOptions<Options, Name extends string = string> = Options &
  WholeOptions & {
    /** Tensors with options of their own. Those named nowhere are `paramGroups[0]`. */
    readonly groups?: readonly GroupOptions<Options, Name>[] | undefined;
  };

/** A parameter group: its options, which can be set while training, and the names of its tensors. */
export type ParamGroup<Options> = { -readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined> } & {
  readonly dialect: NonNullable<WholeOptions["dialect"]>;
  readonly params: readonly string[];
};

/** A tensor's state: views of the slots and numbers, under PyTorch's names in camel case. */
export type TensorState = { readonly step: number } & Readonly<Record<string, Vector | number>>;

const ABSENT = 0;
/** The slot of an empty tensor: without memory, yet not absent. */
const NOWHERE = 64;
const MAX_SLOTS = 4;

/** One of the names that are known to the type, or one that came with `addParamGroup`. */
export type TensorName<Name extends string> = Name | (string & Record<never, never>);

/** What one `step()` takes. */
export interface StepOptions<Name extends string = string> {
  /** Tensors that take no part in this step, as if PyTorch's `grad` were None: no update, no decay, no step count. */
  readonly skip?: readonly TensorName<Name>[] | undefined;
  /** Multiplies every gradient, a finite number: 1/n for gradients summed over n micro-batches, 1/scale for scaled losses. Default 1. */
  readonly gradScale?: number | undefined;
}

/**
 * The optimizer's tensors as columns: a step walks them in order and merges neighbours into runs. Plain columns, since
 * chasing 10,000 objects costs ten times the walk.
 */
interface Table {
  readonly tensors: readonly Tensor[];
  /** Elements with padding; addresses of values and gradient. */
  readonly length: Uint32Array;
  readonly data: Uint32Array;
  readonly grad: Uint32Array;
  /** Addresses, a column a slot. */
  readonly slots: readonly Uint32Array[];
  readonly group: Uint32Array;
  /** Whether the tensor and its predecessor are neighbours in every buffer and in one group. */
  readonly joined: Uint8Array;
  /** Steps that the tensor has taken. */
  readonly step: Float64Array;
  /** A column a scalar. */
  readonly scalars: readonly Float64Array[];
  /** The call of `step()` that last skipped the tensor. */
  readonly skipped: Float64Array;
}

/**
 * What all optimizers have: parameter groups, ownership of tensors, state, and its end. Base of {@link StepOptimizer};
 * not made by itself.
 */
export abstract class Optimizer<Options extends CommonOptions = CommonOptions, Name extends string = string> {
  declare [Symbol.dispose]: () => void;

  /** @internal */
  protected readonly rule: Rule<Options>;
  /** @internal */
  protected readonly arena: Arena;
  /** @internal */
  protected readonly groups: Group<Options>[] = [];
  /** @internal */
  protected table: Table;
  /** @internal */
  protected readonly indexOf = new Map<string, number>();
  readonly #slotNames: readonly string[];
  readonly #scalarNames: readonly string[];
  readonly #blocks: number[] = [];
  #faces: readonly ParamGroup<Options>[] = [];
  #views: (Vector | undefined)[][] = [];
  #alive = true;

  /** @internal */
  protected constructor(rule: Rule<Options>, params: ParameterDict<Name>, options: OptimizerOptions<Options, Name>) {
    const { name } = rule;
    if (!(params instanceof ParameterDict)) throw wrongType(name, "params", "a ParameterDict", params);
    const tensors = params.tensors(name);
    const { groups = [], dialect, ...given } = record(name, "options", options);
    knownOnly(name, "", given, [...Object.keys(rule.kinds), "dialect", "groups"]);
    const base = settle(rule, "", defaultsOf(rule, dialect), given);

    const groupOf = new Map<Tensor, number>();
    const settled = [{ options: base, params: [] as string[] }];
    if (!Array.isArray(groups)) throw wrongType(name, "groups", "an array of groups", groups);
    groups.forEach((item: unknown, i) => {
      const prefix = `groups[${i}]`;
      const group = record(name, prefix, item);
      knownGroupOptions(rule, `${prefix}.`, group);
      const names = nameList(name, `${prefix}.params`, group.params);
      names.forEach((tensorName, k) => {
        const option = `${prefix}.params[${k}]`;
        const tensor = params.tensor(name, option, tensorName);
        if (groupOf.has(tensor)) throw wrongValue(name, option, "each tensor once, in one group", tensorName);
        groupOf.set(tensor, i + 1);
      });
      settled.push({ options: settle(rule, `${prefix}.`, base, group), params: [...names] });
    });
    for (const tensor of tensors) if (!groupOf.has(tensor)) settled[0].params.push(tensor.name);
    for (const tensor of tensors) if (tensor.owner) throw new Error(owned(name, tensor));

    this.rule = rule;
    this.arena = params.arena;
    this.#slotNames = Object.keys(rule.slots(base));
    this.#scalarNames = Object.keys(rule.scalars ?? {});
    this.table = makeTable([], this.#slotNames.length, this.#scalarNames.length);
    this.#adopt(tensors, settled, (tensor) => groupOf.get(tensor) ?? 0);
  }

  /**
   * The parameter groups; the first holds the tensors that `groups` did not name. Options are live: set one to change it.
   * @throws on setting a bad value, or an option that is settled when the optimizer is made; nothing changes then.
   * @example
   * optimizer.paramGroups[0].lr = 5e-4;
   */
  get paramGroups(): readonly ParamGroup<Options>[] {
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
    knownGroupOptions(this.rule, `${prefix}.`, given);
    const { params } = group;
    if (!(params instanceof ParameterDict)) throw wrongType(name, `${prefix}.params`, "a ParameterDict", params);
    const tensors = params.tensors(name);
    if (params.arena !== this.arena)
      throw wrongValue(name, `${prefix}.params`, "a ParameterDict in the optimizer's arena", params);
    for (const tensor of tensors) {
      if (tensor.owner) throw new RangeError(owned(name, tensor));
      if (this.indexOf.has(tensor.name))
        throw wrongValue(name, `${prefix}.params`, "names that are new to the optimizer", tensor.name);
    }
    const options = settle(this.rule, `${prefix}.`, this.groups[0].options, given);
    this.#adopt(tensors, [{ options, params: tensors.map((t) => t.name) }], () => 0);
  }

  /**
   * A tensor's state: `step` (0 before the first) and, under PyTorch's names in camel case, numbers and views of the slots.
   * @throws RangeError for a name that is not one of the optimizer's tensors.
   * @example
   * optimizer.state("fc1.weight"); // { step: 1, expAvg: Float32Array, expAvgSq: Float32Array }
   */
  state(name: TensorName<Name>): TensorState {
    this.check();
    const index = this.indexOf.get(name);
    if (index === undefined) throw wrongValue(this.rule.name, "name", "one of the optimizer's tensors", name);
    const { step, slots, scalars, tensors } = this.table;
    const state: Record<string, Vector | number> & { step: number } = { step: step[index] };
    const views = (this.#views[index] ??= []);
    this.#slotNames.forEach((slot, k) => {
      const address = slots[k][index];
      if (address !== ABSENT)
        state[slot] = views[k] ??= new Float32Array(this.arena.buffer, address, tensors[index].size);
    });
    this.#scalarNames.forEach((scalar, k) => (state[scalar] = scalars[k][index]));
    return state;
  }

  /** Sets the gradients of the optimizer's tensors to 0: which is not an absent one, since momentum and decay still move a parameter. */
  zeroGrad(): void {
    this.check();
    for (const tensor of this.table.tensors) tensor.grad.fill(0);
  }

  /** Ends the optimizer: its tensors are free for another, its slots' memory too, and each later use throws. Again: nothing. */
  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const tensor of this.table.tensors) tensor.owner = undefined;
    for (const block of this.#blocks) this.arena.release(block);
  }

  /** @internal */
  protected check(): void {
    if (!this.#alive || !this.arena.alive) throw usedAfterDispose(this.rule.name);
  }

  /** Takes tensors in new groups: room for their slots first, which may throw, then all the rest. */
  #adopt(
    tensors: readonly Tensor[],
    added: readonly { options: Settled<Options>; params: readonly string[] }[],
    groupOf: (tensor: Tensor) => number,
  ): void {
    const { rule, arena } = this;
    const ordered = [...tensors].sort((a, b) => a.dataAt - b.dataAt);
    const starts = added.map(({ options }) => Object.values(rule.slots(options)));
    const bytes = ordered.reduce(
      (sum, t) => sum + t.bytes * starts[groupOf(t)].filter((s) => s !== undefined).length,
      0,
    );
    let address = arena.allocate(bytes, rule.name, "its state");
    if (bytes > 0) this.#blocks.push(address);

    const from = this.table.tensors.length;
    const table = extend(this.table, ordered);
    table.slots.forEach((column, k) => {
      ordered.forEach((tensor, i) => {
        const start = starts[groupOf(tensor)][k];
        if (start === undefined) return;
        column[from + i] = bytes > 0 ? address : NOWHERE;
        if (start !== 0) arena.fill(address, tensor.bytes, start);
        address += tensor.bytes;
      });
    });
    const scalarStarts = Object.values(rule.scalars ?? {});
    ordered.forEach((tensor, k) => {
      const i = from + k;
      tensor.owner = this;
      this.indexOf.set(tensor.name, i);
      table.group[i] = this.groups.length + groupOf(tensor);
      table.scalars.forEach((column, s) => (column[i] = scalarStarts[s]));
      table.joined[i] = i > 0 && follows(table, i) ? 1 : 0;
    });
    this.table = table;
    for (const { options, params } of added)
      this.groups.push(makeGroup(rule, this.groups.length, options, params, () => this.check()));
    this.#faces = Object.freeze(this.groups.map((group) => group.face as unknown as ParamGroup<Options>));
  }
}
defineDispose(Optimizer);

/** An optimizer that updates its tensors from their gradients, one step a call. */
export abstract class StepOptimizer<
  Options extends CommonOptions = CommonOptions,
  Name extends string = string,
> extends Optimizer<Options, Name> {
  readonly #run: Run = { at: new Uint32Array(3 + MAX_SLOTS), c: new Float64Array(0) };
  readonly #gradScale = new Float64Array(1);
  #call = 0;

  /**
   * Updates every tensor from its gradient, once. Allocates nothing.
   * @returns true.
   * @throws RangeError for a name in `skip` that is unknown or there twice, or a `gradScale` that is not finite;
   * TypeError for a wrong type. Nothing is changed then.
   * @example
   * optimizer.step();
   * optimizer.step({ skip: ["fc1.bias"], gradScale: 1 / 4 });
   */
  step(options?: StepOptions<Name>): boolean {
    this.check();
    const call = ++this.#call;
    this.#gradScale[0] = 1;
    if (options !== undefined) this.#read(options, call);
    const { length, step, joined, skipped, scalars } = this.table;
    const count = length.length;
    for (let i = 0; i < count;) {
      if (skipped[i] === call) {
        i++;
        continue;
      }
      const first = i;
      const t = step[first] + 1;
      let elements = 0;
      do {
        elements += length[i];
        step[i] = t;
        i++;
      } while (
        i < count &&
        joined[i] === 1 &&
        step[i] + 1 === t &&
        skipped[i] !== call &&
        sameScalars(scalars, i, first)
      );
      this.#sweep(first, i, elements, t, call);
    }
    return true;
  }

  /** One run: the tensors from `first` to before `end`, at their step `t`. */
  #sweep(first: number, end: number, elements: number, t: number, call: number): void {
    const { table, rule } = this;
    const run = this.#run;
    const group = this.groups[table.group[first]];
    const { options, computed, before, after } = group;
    let fresh = computed[0] === call && computed[1] === t;
    for (let k = 0; fresh && k < before.length; k++) fresh = before[k] === table.scalars[k][first];
    if (!fresh) {
      for (let k = 0; k < before.length; k++) before[k] = after[k] = table.scalars[k][first];
      rule.coefficients(group.c, options, t, after);
      computed[0] = call;
      computed[1] = t;
    }
    for (let k = 0; k < after.length; k++) for (let i = first; i < end; i++) table.scalars[k][i] = after[k];
    if (elements === 0) return;
    run.c = group.c;
    run.c[GS] = options.maximize ? -this.#gradScale[0] : this.#gradScale[0];
    run.at[0] = elements;
    run.at[1] = table.data[first];
    run.at[2] = table.grad[first];
    for (let k = 0; k < table.slots.length; k++) run.at[3 + k] = table.slots[k][first];
    rule.sweep(this.arena.kernels, run, options);
  }

  /** Checks the options of a step, marks what it skips, and keeps its `gradScale`. */
  #read(options: StepOptions<Name>, call: number): void {
    const { name } = this.rule;
    record(name, "step options", options);
    for (const key in options)
      if (key !== "skip" && key !== "gradScale") knownOnly(`${name}.step`, "", options, ["skip", "gradScale"]);
    const { skip, gradScale } = options;
    if (gradScale !== undefined) this.#gradScale[0] = finite.read(name, "gradScale", gradScale);
    if (skip === undefined) return;
    nameList(name, "skip", skip);
    const { skipped } = this.table;
    for (let k = 0; k < skip.length; k++) {
      const index = this.indexOf.get(skip[k]);
      if (index === undefined) throw wrongValue(name, `skip[${k}]`, "one of the optimizer's tensors", skip[k]);
      if (skipped[index] === call) throw wrongValue(name, `skip[${k}]`, "each tensor once", skip[k]);
      skipped[index] = call;
    }
  }
}

const owned = (name: string, tensor: Tensor): string =>
  `${name}: "${tensor.name}" belongs to a live ${tensor.owner?.constructor.name}; dispose that first`;

function makeTable(tensors: readonly Tensor[], slots: number, scalars: number): Table {
  const { length } = tensors;
  const columns = <T>(count: number, make: (length: number) => T): T[] =>
    Array.from({ length: count }, () => make(length));
  return {
    tensors,
    length: Uint32Array.from(tensors, (t) => t.bytes / 4),
    data: Uint32Array.from(tensors, (t) => t.dataAt),
    grad: Uint32Array.from(tensors, (t) => t.gradAt),
    slots: columns(slots, (n) => new Uint32Array(n)),
    group: new Uint32Array(length),
    joined: new Uint8Array(length),
    step: new Float64Array(length),
    scalars: columns(scalars, (n) => new Float64Array(n)),
    skipped: new Float64Array(length),
  };
}

/** The table with more tensors at its end, which have no slots yet. */
function extend(table: Table, tensors: readonly Tensor[]): Table {
  const next = makeTable([...table.tensors, ...tensors], table.slots.length, table.scalars.length);
  for (const column of ["group", "joined", "step", "skipped"] as const) next[column].set(table[column]);
  next.slots.forEach((column, k) => column.set(table.slots[k]));
  next.scalars.forEach((column, k) => column.set(table.scalars[k]));
  return next;
}

/** Whether tensor i comes right after tensor i − 1 in every buffer, and in the same group. */
function follows({ group, length, data, grad, slots }: Table, i: number): boolean {
  const bytes = length[i - 1] * 4;
  const adjoin = (column: Uint32Array): boolean => column[i] === column[i - 1] + bytes;
  const absent = (column: Uint32Array): boolean => column[i] === ABSENT && column[i - 1] === ABSENT;
  return group[i] === group[i - 1] && adjoin(data) && adjoin(grad) && slots.every((s) => absent(s) || adjoin(s));
}

function sameScalars(scalars: readonly Float64Array[], i: number, j: number): boolean {
  for (let k = 0; k < scalars.length; k++) if (scalars[k][i] !== scalars[k][j]) return false;
  return true;
}
