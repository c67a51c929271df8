import { type Variable, engine, util } from "@tensorflow/tfjs-core";
import { usedAfterDispose } from "../util/check.js";
import { RESTORED } from "../optimizer/groups.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { ParameterDict } from "../memory/parameters.js";
import type { Shape, Vector } from "../memory/tensor.js";
import type { OptimizerState } from "../state/state-dict.js";
import { awaited } from "./awaited.js";
import type { Pull } from "./gradients.js";
import type { Inner } from "./rules.js";
import { assign, fingerprint, isAlive, valuesOf } from "./variables.js";
import { Waiting } from "./waiting.js";
import type { Mark, Marked } from "./weights.js";

/** A variable that has been met, and its copy. */
interface Entry {
  readonly variable: Variable;
  readonly group: number;
  /** The same for variables that were met together. */
  readonly model: number;
  readonly data: Vector;
  readonly grad: Vector;
  /** The variable's data that its copy equals. TensorFlow.js never changes data, it replaces them. */
  dataId: object | undefined;
}

/** What the mirror asks of its owner. */
export interface Plan {
  /** Begins every message. */
  readonly owner: string;
  /** Whether the parameters for evaluation are others than those for training. */
  readonly evaluates: boolean;
  /** Makes the optimizer of some tensors; `names` are those of each group but the first. */
  make(params: ParameterDict, names: readonly (readonly string[])[]): Inner;
  /** In which group a variable is that no loaded state knows. */
  groupOf(name: string): number;
  /** Parameter-sized buffers that the rule's state takes at most. */
  slots(): number;
}

/** Bytes that an arena has at least, for variables that come later: memory that no tensor has touched costs nothing. */
const ROOM = 2 ** 24;

/** Which mirror has met a variable last. */
const owners = new WeakMap<Variable, Mirror>();

/**
 * The variables that an optimizer has met, with a copy of each in an arena, and the optimizer of these copies. Since an
 * arena never grows, variables for which it has no room move everything into a new one, twice as large as they need:
 * copies, options and state, with the same bits.
 */
export class Mirror {
  readonly #plan: Plan;
  #inner: Inner;
  #params: ParameterDict = new ParameterDict({}, { slots: 0 });
  #entries = new Map<string, Entry>();
  #models = 0;
  #evaluating = false;
  #waiting: Waiting | undefined;
  #alive = true;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#inner = plan.make(this.#params, []);
  }

  /** The optimizer of the copies: another one after {@link meet} or {@link load}. */
  get inner(): Inner {
    if (!this.#alive) throw usedAfterDispose(this.#plan.owner);
    return this.#inner;
  }

  /** The variables that have been met and are still there. */
  get variables(): readonly Variable[] {
    return [...this.#entries.values()].map(({ variable }) => variable).filter(isAlive);
  }

  /** All that the optimizer has come to, with what waits for its variables. */
  save(): Marked {
    const state = this.inner.stateDict();
    const marks: Record<string, Mark> = {};
    for (const [name, { variable, model, data, dataId }] of this.#entries) {
      const current = dataId === variable.dataId || !isAlive(variable) ? data : valuesOf(variable);
      marks[name] = { values: fingerprint(current), model };
    }
    const waiting = this.#waiting?.saved;
    if (waiting === undefined) return { state, marks };
    const groups = state.groups.map((group, g) => ({
      ...group,
      params: [...group.params, ...waiting.state.groups[g].params.filter((name) => name in waiting.state.state)],
    }));
    return {
      state: { ...state, groups, state: { ...waiting.state.state, ...state.state } },
      marks: { ...waiting.marks, ...marks },
    };
  }

  /** Starts over from a saved state, all of which is checked first. */
  load(saved: Marked): void {
    const { state } = saved;
    const whole = this.#made(shapesOf(Object.entries(state.state)), state);
    whole.inner.dispose();
    whole.params.dispose();
    const groups = state.groups.map((group) => ({ ...group, params: [] }));
    const { params, inner } = this.#made({}, { ...state, groups, state: {} });
    this.#replace(params, inner, new Map());
    this.#waiting = new Waiting(this.#plan.owner, saved);
    this.#models = Object.values(saved.marks).reduce((next, { model = 0 }) => Math.max(next, model + 1), 0);
    this.#evaluating = state.evaluating;
  }

  /** Takes in the variables that have not been met; a new one under the name of another starts afresh. */
  meet(variables: readonly Variable[]): void {
    const fresh = variables.filter((variable) => this.#entries.get(variable.name)?.variable !== variable);
    if (fresh.length === 0) return;
    const waiting = this.#waiting;
    const awaits = (name: string): boolean => {
      const variable = engine().registeredVariables[name] as Variable | undefined;
      return variable !== undefined && this.#rank(variable) > 0 && !fresh.includes(variable);
    };
    const loaded = waiting?.match(fresh, awaits) ?? new Map<Variable, string>();
    if (waiting) this.#convert(loaded, waiting.saved);
    if (loaded.size > 0 || this.#hasDead() || !this.#grow(fresh)) this.#rebuild(fresh, loaded);
    for (const variable of fresh) owners.set(variable, this);
    this.#models++;
    waiting?.take(fresh, loaded);
    if (waiting?.empty) this.#waiting = undefined;
  }

  /** Moves the variables by their gradients, and counts a step; those without one are skipped. Not for L-BFGS. */
  step(pulls: readonly Pull[], gradScale: number, clipNorm: number | undefined): void {
    const inner = this.inner as StepOptimizer<object>;
    this.copyIn(pulls);
    const names = new Set(pulls.map(({ variable }) => variable.name));
    const skip: string[] = [];
    if (names.size < this.#entries.size) for (const name of this.#entries.keys()) if (!names.has(name)) skip.push(name);
    if (inner.step(clipNorm === undefined ? { gradScale, skip } : { gradScale, skip, clipNorm }))
      this.copyOut(pulls.map(({ variable }) => variable));
  }

  /** Goes to the parameters for evaluation, or for training: also those of variables that wait for their first step. */
  swap(way: "eval" | "train"): void {
    if (this.#waiting && this.#plan.evaluates) {
      const others = (variable: Variable) => this.#entries.get(variable.name)?.variable !== variable;
      this.meet(awaited(this.#waiting.saved, others, (variable) => this.#rank(variable)));
    }
    const variables = this.#plan.evaluates ? this.variables : [];
    this.copyIn(variables.map((variable) => ({ variable })));
    this.inner[way]();
    this.#evaluating = way === "eval";
    this.copyOut(variables);
  }

  /** Copies gradients in, and the values of variables that were assigned to since. */
  copyIn(pulls: readonly Pull[]): void {
    for (const { variable, gradient } of pulls) {
      const entry = this.#entries.get(variable.name);
      if (entry === undefined) continue;
      if (entry.dataId !== variable.dataId) entry.data.set(valuesOf(variable));
      entry.dataId = variable.dataId;
      if (gradient) entry.grad.set(valuesOf(gradient));
    }
  }

  /** Gives the variables the values of their copies. */
  copyOut(variables: readonly Variable[]): void {
    for (const variable of variables) {
      const entry = this.#entries.get(variable.name);
      if (entry) assign(variable, entry.data);
      if (entry) entry.dataId = variable.dataId;
    }
  }

  dispose(): void {
    if (!this.#alive) return;
    this.#inner.dispose();
    this.#params.dispose();
    this.#alive = false;
    this.#entries = new Map();
    this.#waiting = undefined;
  }

  #hasDead(): boolean {
    const there = engine().registeredVariables;
    for (const [name, { variable }] of this.#entries) if (there[name] !== variable || variable.isDisposed) return true;
    return false;
  }

  /** How likely a variable is this optimizer's: 2 for one it has met, 0 for one that another has. */
  #rank(variable: Variable): number {
    const owner = owners.get(variable);
    if (owner === this) return 2;
    return owner !== undefined && owner.#alive ? 0 : 1;
  }

  /** Takes variables into the arena as it is. False, and nothing is changed, where it has no room. */
  #grow(fresh: readonly Variable[]): boolean {
    const inner = this.#inner;
    if (this.#entries.size === 0 || !(inner instanceof StepOptimizer)) return false;
    let more: ParameterDict | undefined;
    const groups = new Map(fresh.map(({ name }) => [name, this.#plan.groupOf(name)]));
    try {
      more = new ParameterDict(shapesOf(fresh.map((variable) => [variable.name, variable])), {
        arena: this.#params.arena,
      });
      inner.extend(more, ({ name }) => groups.get(name) ?? 0);
    } catch {
      more?.dispose(); // a new arena says what is wrong with them, if that was not the room
      return false;
    }
    for (const variable of fresh)
      this.#entries.set(variable.name, this.#entryOf(more, variable, groups.get(variable.name) ?? 0, this.#models));
    return true;
  }

  /** Moves what is still there, and new variables with their loaded state, into a new arena. */
  #rebuild(fresh: readonly Variable[], loaded: ReadonlyMap<Variable, string>): void {
    const waiting = this.#waiting?.saved.state;
    const old = this.inner.stateDict();
    const restored = this.#inner.groups.map(({ options }) => (options as { [RESTORED]?: boolean })[RESTORED]);
    const state: Record<string, OptimizerState["state"][string]> = {};
    const kept: Pick<Entry, "variable" | "group" | "model">[] = [...this.#entries.values()].filter((entry) =>
      isAlive(entry.variable),
    );
    for (const { variable } of kept) state[variable.name] = old.state[variable.name];
    const order = new Map(Object.keys(waiting?.state ?? {}).map((name, i) => [name, i]));
    const place = (variable: Variable): number => order.get(loaded.get(variable) ?? "") ?? order.size;
    // As they were saved: what sums over all tensors gives the same bits.
    for (const variable of [...fresh].sort((a, b) => place(a) - place(b))) {
      const from = loaded.get(variable);
      let group = this.#plan.groupOf(variable.name);
      if (waiting !== undefined && from !== undefined) {
        state[variable.name] = waiting.state[from];
        group = waiting.groups.findIndex(({ params }) => params.includes(from));
      }
      kept.push({ variable, group, model: this.#models });
    }
    const groups = old.groups.map((group, g) => ({
      ...group,
      params: kept.filter((entry) => entry.group === g).map(({ variable }) => variable.name),
    }));
    const shapes = shapesOf(kept.map(({ variable }) => [variable.name, variable]));
    const { params, inner } = this.#made(shapes, { ...old, groups, state }, this.#entries.size > 0);
    const entries = kept.map(({ variable, group, model }) => this.#entryOf(params, variable, group, model));
    inner.groups.forEach(({ options }, g) => Object.assign(options, { [RESTORED]: restored[g] }));
    this.#replace(params, inner, new Map(entries.map((entry) => [entry.variable.name, entry])));
  }

  #entryOf({ data, grad }: ParameterDict, variable: Variable, group: number, model: number): Entry {
    return { variable, group, model, data: data[variable.name], grad: grad[variable.name], dataId: undefined };
  }

  /** Moves variables that were saved as for evaluation, when train() has been called since, or the reverse. */
  #convert(loaded: ReadonlyMap<Variable, string>, { state }: Marked): void {
    if (loaded.size === 0 || state.evaluating === this.#evaluating) return;
    const names = new Map([...loaded].map(([variable, from]) => [from, variable]));
    const part = Object.fromEntries([...names.keys()].map((from) => [from, state.state[from]]));
    const groups = state.groups.map((group) => ({ ...group, params: group.params.filter((name) => names.has(name)) }));
    const { params, inner } = this.#made(shapesOf(Object.entries(part)), { ...state, groups, state: part });
    for (const [from, variable] of names) params.data[from].set(valuesOf(variable));
    inner[this.#evaluating ? "eval" : "train"]();
    for (const [from, variable] of names) assign(variable, params.data[from]);
    inner.dispose();
    params.dispose();
  }

  /** A new arena and optimizer, with the options of `saved`, and its state for the tensors that it has. */
  #made(
    shapes: Readonly<Record<string, Shape>>,
    saved: OptimizerState,
    growing = false,
  ): { params: ParameterDict; inner: Inner } {
    const slots = this.#plan.slots();
    const bytes = Object.values(shapes).reduce((sum, shape) => sum + 4 * util.sizeFromShape([...shape]), 64);
    const params = new ParameterDict(shapes, {
      slots: Math.max(growing ? 2 * slots + 2 : slots, Math.floor(ROOM / bytes)),
    });
    let inner: Inner | undefined;
    try {
      const [, ...others] = saved.groups.map((group) => group.params);
      inner = this.#plan.make(params, others);
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
