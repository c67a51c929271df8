import { type Variable, engine, util } from "@tensorflow/tfjs-core";
import { usedAfterDispose } from "../util/check.js";
import { RESTORED } from "../optimizer/groups.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { ParameterDict } from "../memory/parameters.js";
import type { Shape, Vector } from "../memory/tensor.js";
import type { OptimizerState } from "../state/state-dict.js";
import { extend } from "./extend.js";
import { savedVariables } from "./saved-variables.js";
import type { Update } from "./gradients.js";
import type { Inner } from "./rules.js";
import { assign, fingerprint, isAlive, valuesOf } from "./variables.js";
import { PendingState } from "./pending-state.js";
import type { Mark, SavedState } from "./weights.js";

/** A variable that the optimizer has seen, and its copy. */
interface Entry {
  readonly variable: Variable;
  readonly group: number;
  /** A number shared by the variables that were added together. */
  readonly model: number;
  readonly data: Vector;
  readonly grad: Vector;
  /** The data that the copy was last synchronized with. TensorFlow.js replaces data and never mutates them. */
  dataId: object | undefined;
}

/** What the optimizer provides. */
export interface Hooks {
  /** The class name at the start of every message. */
  readonly owner: string;
  /** Whether evaluation uses other parameters than training. */
  readonly evaluates: boolean;
  /** Creates the optimizer of some tensors; `names` are the members of each group after the first. */
  make(params: ParameterDict, names: readonly (readonly string[])[]): Inner;
  /** The group of a variable that has no loaded state. */
  groupOf(name: string): number;
  /** The maximum number of parameter-sized buffers in the rule's state. */
  slots(): number;
}

/** The minimum size of an arena, with room for later variables. Unused capacity costs no RAM. */
const MIN_BYTES = 2 ** 24;

/** The copies that a variable was last added to. */
const owners = new WeakMap<Variable, VariableCopies>();

/**
 * Copies of the variables that an optimizer has seen, in one arena, and the optimizer that steps these copies. An arena
 * never grows: when it is full, copies, options and state move to a new one of twice the size, bit by bit.
 */
export class VariableCopies {
  readonly #hooks: Hooks;
  #inner: Inner;
  #params: ParameterDict = new ParameterDict({}, { slots: 0 });
  #entries = new Map<string, Entry>();
  #models = 0;
  #evaluating = false;
  #pending: PendingState | undefined;
  #alive = true;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
    this.#inner = hooks.make(this.#params, []);
  }

  /** The optimizer of the copies. {@link add} and {@link load} may replace it. */
  get inner(): Inner {
    if (!this.#alive) throw usedAfterDispose(this.#hooks.owner);
    return this.#inner;
  }

  /** The variables that have been added and still exist. */
  get variables(): readonly Variable[] {
    return [...this.#entries.values()].map(({ variable }) => variable).filter(isAlive);
  }

  /** The whole state, including loaded state that no variable has taken yet. */
  save(): SavedState {
    const state = this.inner.stateDict();
    const marks: Record<string, Mark> = {};
    for (const [name, { variable, model, data, dataId }] of this.#entries) {
      const current = dataId === variable.dataId || !isAlive(variable) ? data : valuesOf(variable);
      marks[name] = { values: fingerprint(current), model };
    }
    const pending = this.#pending?.saved;
    if (pending === undefined) return { state, marks };
    const groups = state.groups.map((group, g) => ({
      ...group,
      params: [...group.params, ...pending.state.groups[g].params.filter((name) => name in pending.state.state)],
    }));
    return {
      state: { ...state, groups, state: { ...pending.state.state, ...state.state } },
      marks: { ...pending.marks, ...marks },
    };
  }

  /** Replaces everything by a saved state, after validating all of it. */
  load(saved: SavedState): void {
    const { state } = saved;
    const whole = this.#create(shapesOf(Object.entries(state.state)), state);
    whole.inner.dispose();
    whole.params.dispose();
    const groups = state.groups.map((group) => ({ ...group, params: [] }));
    const { params, inner } = this.#create({}, { ...state, groups, state: {} });
    this.#replace(params, inner, new Map());
    this.#pending = new PendingState(this.#hooks.owner, saved);
    this.#models = Object.values(saved.marks).reduce((next, { model = 0 }) => Math.max(next, model + 1), 0);
    this.#evaluating = state.evaluating;
  }

  /** Adds the variables that are new. A new variable with the name of an old one starts without state. */
  add(variables: readonly Variable[]): void {
    const added = variables.filter((variable) => this.#isNew(variable));
    if (added.length === 0) return;
    const pending = this.#pending;
    const isPending = (name: string): boolean => {
      const variable = engine().registeredVariables[name] as Variable | undefined;
      return variable !== undefined && this.#rank(variable) > 0 && !added.includes(variable);
    };
    const loaded = pending?.match(added, isPending) ?? new Map<Variable, string>();
    if (pending) this.#convert(loaded, pending.saved);
    const removed = ![...this.#entries.values()].every(({ variable }) => isAlive(variable));
    if (loaded.size > 0 || removed || !this.#grow(added)) this.#rebuild(added, loaded);
    for (const variable of added) owners.set(variable, this);
    this.#models++;
    pending?.take(added, loaded);
    if (pending?.empty) this.#pending = undefined;
  }

  /** Takes one step. Variables without a gradient are skipped. Not for L-BFGS. */
  step(updates: readonly Update[], gradScale: number, clipNorm: number | undefined): void {
    const inner = this.inner as StepOptimizer<object>;
    this.copyIn(updates);
    const names = new Set(updates.map(({ variable }) => variable.name));
    const skip: string[] = [];
    if (names.size < this.#entries.size) for (const name of this.#entries.keys()) if (!names.has(name)) skip.push(name);
    if (inner.step(clipNorm === undefined ? { gradScale, skip } : { gradScale, skip, clipNorm }))
      this.copyOut(updates.map(({ variable }) => variable));
  }

  /** Switches to the parameters for evaluation or training, also for variables that have state but no step yet. */
  setMode(mode: "eval" | "train"): void {
    const { evaluates } = this.#hooks;
    const accepts = (variable: Variable) => this.#isNew(variable);
    if (this.#pending && evaluates)
      this.add(savedVariables(this.#pending.saved, accepts, (variable) => this.#rank(variable)));
    const variables = evaluates ? this.variables : [];
    this.copyIn(variables.map((variable) => ({ variable })));
    this.inner[mode]();
    this.#evaluating = mode === "eval";
    this.copyOut(variables);
  }

  /** Copies in the gradients, and the values of variables that were assigned to since the last step. */
  copyIn(updates: readonly Update[]): void {
    for (const { variable, gradient } of updates) {
      const entry = this.#entries.get(variable.name);
      if (entry === undefined) continue;
      if (entry.dataId !== variable.dataId) entry.data.set(valuesOf(variable));
      entry.dataId = variable.dataId;
      if (gradient) entry.grad.set(valuesOf(gradient));
    }
  }

  /** Assigns the values of their copies to the variables. */
  copyOut(variables: readonly Variable[]): void {
    for (const variable of variables) {
      const entry = this.#entries.get(variable.name);
      if (entry) assign(variable, entry.data);
      if (entry) entry.dataId = variable.dataId;
    }
  }

  /** Releases the copies and the state. Idempotent. */
  dispose(): void {
    if (!this.#alive) return;
    this.#inner.dispose();
    this.#params.dispose();
    this.#alive = false;
    this.#entries = new Map();
    this.#pending = undefined;
  }

  #isNew(variable: Variable): boolean {
    return this.#entries.get(variable.name)?.variable !== variable;
  }

  /** How likely it is that this optimizer trains a variable: 2 if it has, 0 if another one has, else 1. */
  #rank(variable: Variable): number {
    const owner = owners.get(variable);
    if (owner === this) return 2;
    return owner !== undefined && owner.#alive ? 0 : 1;
  }

  /** Adds variables to the current arena. Returns false, with nothing changed, if it is full. */
  #grow(added: readonly Variable[]): boolean {
    const inner = this.#inner;
    if (this.#entries.size === 0 || !(inner instanceof StepOptimizer)) return false;
    const { arena } = this.#params;
    let more: ParameterDict | undefined;
    const groups = new Map(added.map(({ name }) => [name, this.#hooks.groupOf(name)]));
    try {
      more = new ParameterDict(shapesOf(added.map((variable) => [variable.name, variable])), { arena });
      extend(inner, more, ({ name }) => groups.get(name) ?? 0);
    } catch {
      more?.dispose(); // if the arena was not full, the rebuild throws the error
      return false;
    }
    for (const variable of added)
      this.#entries.set(variable.name, this.#entryOf(more, variable, groups.get(variable.name) ?? 0, this.#models));
    return true;
  }

  /** Moves existing variables, and new ones with their loaded state, to a new arena. */
  #rebuild(added: readonly Variable[], loaded: ReadonlyMap<Variable, string>): void {
    const pending = this.#pending?.saved.state;
    const old = this.inner.stateDict();
    const restored = this.#inner.groups.map(({ options }) => (options as { [RESTORED]?: boolean })[RESTORED]);
    const state: Record<string, OptimizerState["state"][string]> = {};
    const kept: Pick<Entry, "variable" | "group" | "model">[] = [];
    for (const entry of this.#entries.values()) if (isAlive(entry.variable)) kept.push(entry);
    for (const { variable } of kept) state[variable.name] = old.state[variable.name];
    const order = new Map(Object.keys(pending?.state ?? {}).map((name, i) => [name, i]));
    const place = (variable: Variable): number => order.get(loaded.get(variable) ?? "") ?? order.size;
    // In the order of saving, so that sums over all tensors give the same bits.
    for (const variable of [...added].sort((a, b) => place(a) - place(b))) {
      const from = loaded.get(variable);
      let group = this.#hooks.groupOf(variable.name);
      if (pending !== undefined && from !== undefined) {
        state[variable.name] = pending.state[from];
        group = pending.groups.findIndex(({ params }) => params.includes(from));
      }
      kept.push({ variable, group, model: this.#models });
    }
    const groups = old.groups.map((group, g) => ({
      ...group,
      params: kept.filter((entry) => entry.group === g).map(({ variable }) => variable.name),
    }));
    const shapes = shapesOf(kept.map(({ variable }) => [variable.name, variable]));
    const { params, inner } = this.#create(shapes, { ...old, groups, state }, this.#entries.size > 0);
    const entries = kept.map(({ variable, group, model }) => this.#entryOf(params, variable, group, model));
    inner.groups.forEach(({ options }, g) => Object.assign(options, { [RESTORED]: restored[g] }));
    this.#replace(params, inner, new Map(entries.map((entry) => [entry.variable.name, entry])));
  }

  #entryOf({ data, grad }: ParameterDict, variable: Variable, group: number, model: number): Entry {
    return { variable, group, model, data: data[variable.name], grad: grad[variable.name], dataId: undefined };
  }

  /** Converts variables saved in evaluation mode if the mode is now training, or the reverse. */
  #convert(loaded: ReadonlyMap<Variable, string>, { state }: SavedState): void {
    if (loaded.size === 0 || state.evaluating === this.#evaluating) return;
    const names = new Map([...loaded].map(([variable, from]) => [from, variable]));
    const part = Object.fromEntries([...names.keys()].map((from) => [from, state.state[from]]));
    const groups = state.groups.map((group) => ({ ...group, params: group.params.filter((name) => names.has(name)) }));
    const { params, inner } = this.#create(shapesOf(Object.entries(part)), { ...state, groups, state: part });
    for (const [from, variable] of names) params.data[from].set(valuesOf(variable));
    inner[this.#evaluating ? "eval" : "train"]();
    for (const [from, variable] of names) assign(variable, params.data[from]);
    inner.dispose();
    params.dispose();
  }

  /** Creates an arena and optimizer with the options and the state of `saved`. */
  #create(
    shapes: Readonly<Record<string, Shape>>,
    saved: OptimizerState,
    growing = false,
  ): { params: ParameterDict; inner: Inner } {
    const slots = this.#hooks.slots();
    const bytes = Object.values(shapes).reduce((sum, shape) => sum + 4 * util.sizeFromShape([...shape]), 64);
    const params = new ParameterDict(shapes, {
      slots: Math.max(growing ? 2 * slots + 2 : slots, Math.floor(MIN_BYTES / bytes)),
    });
    let inner: Inner | undefined;
    try {
      const [, ...others] = saved.groups.map((group) => group.params);
      inner = this.#hooks.make(params, others);
      inner.loadStateDict({ ...saved, state: { ...inner.stateDict().state, ...saved.state } });
      return { params, inner };
    } catch (error) {
      inner?.dispose();
      params.dispose();
      throw error;
    }
  }

  #replace(params: ParameterDict, inner: Inner, entries: Map<string, Entry>): void {
    this.#inner.dispose();
    this.#params.arena.dispose();
    this.#params = params;
    this.#inner = inner;
    this.#entries = entries;
  }
}

const shapesOf = (tensors: Iterable<readonly [string, { readonly shape: Shape }]>): Record<string, Shape> =>
  Object.fromEntries(Array.from(tensors, ([name, { shape }]) => [name, shape]));
