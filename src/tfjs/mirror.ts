import { type Tensor, type Variable, getBackend, tensor } from "@tensorflow/tfjs-core";
import { usedAfterDispose } from "../check.js";
import { clipGradNorm, gradNorm } from "../clip.js";
import { StepOptimizer } from "../optimizer.js";
import { ParameterDict } from "../parameters.js";
import type { OptimizerState, TensorStateDict } from "../state.js";
import { match } from "./match.js";
import type { Inner } from "./rules.js";

/** A variable and the gradient to move it by. */
export interface Pull {
  readonly variable: Variable;
  readonly gradient?: Tensor;
}

/** A variable that has been met. */
interface Entry {
  readonly variable: Variable;
  readonly group: number;
  /** The variable's data that its copy equals. TensorFlow.js never changes data, it replaces them. */
  dataId: object | undefined;
}

/** What the mirror asks of its owner. */
export interface Plan {
  /** Begins every message. */
  readonly owner: string;
  /** Makes the optimizer of some tensors; `names` are those of each group but the first. */
  make(params: ParameterDict, names: readonly (readonly string[])[]): Inner;
  /** In which group a variable is that no loaded state knows. */
  groupOf(name: string): number;
  /** Parameter-sized buffers that the rule's state takes at most. */
  slots(): number;
}

/**
 * The variables that an optimizer has met, with a copy of each in an arena, and the optimizer of these copies. Since an
 * arena never grows, variables met later move everything into a new one: copies, options and state, with the same bits.
 */
export class Mirror {
  readonly #plan: Plan;
  #inner: Inner;
  #params = empty();
  #entries: ReadonlyMap<string, Entry> = new Map<string, Entry>();
  /** Loaded state, of which each variable takes its part when it is met. */
  #waiting: OptimizerState | undefined;
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

  /** The variables that have been met and are not disposed of. */
  get variables(): readonly Variable[] {
    return [...this.#entries.values()].map(({ variable }) => variable).filter((variable) => !variable.isDisposed);
  }

  /** All that the optimizer has come to, with what waits for its variables. */
  save(): OptimizerState {
    const state = this.inner.stateDict();
    const waiting = this.#waiting;
    if (waiting === undefined) return state;
    const groups = state.groups.map((group, g) => ({
      ...group,
      params: [...group.params, ...waiting.groups[g].params.filter((name) => name in waiting.state)],
    }));
    return { ...state, groups, state: { ...state.state, ...waiting.state } };
  }

  /** Starts over from a saved state. */
  load(saved: OptimizerState): void {
    const params = empty();
    const inner = this.#plan.make(params, []);
    inner.loadStateDict({ ...saved, state: {}, groups: saved.groups.map((group) => ({ ...group, params: [] })) });
    this.#replace(params, inner, new Map());
    this.#waiting = saved;
  }

  /** Takes in the variables that have not been met; a new one under the name of another starts afresh. */
  meet(variables: readonly Variable[]): void {
    const fresh = variables.filter((variable) => this.#entries.get(variable.name)?.variable !== variable);
    if (fresh.length === 0) return;
    const waiting = this.#waiting;
    const loaded = match(this.#plan.owner, fresh, waiting?.state ?? {});
    const order = new Map(Object.keys(waiting?.state ?? {}).map((name, i) => [name, i]));
    const place = (variable: Variable): number => order.get(loaded.get(variable) ?? "") ?? Infinity;
    const freshNames = new Set(fresh.map(({ name }) => name));

    const entries = new Map<string, Entry>();
    for (const [name, { variable, group }] of this.#entries)
      if (!variable.isDisposed && !freshNames.has(name)) entries.set(name, { variable, group, dataId: undefined });
    const old = this.inner.stateDict();
    const state = Object.fromEntries([...entries.keys()].map((name) => [name, old.state[name]]));
    for (const variable of [...fresh].sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0))) {
      const { name } = variable;
      const from = loaded.get(variable);
      let group = this.#plan.groupOf(name);
      if (waiting !== undefined && from !== undefined) {
        state[name] = waiting.state[from];
        group = waiting.groups.findIndex(({ params }) => params.includes(from));
      }
      entries.set(name, { variable, group, dataId: undefined });
    }
    this.#move(entries, old, state);
    if (waiting === undefined) return;
    const taken = new Set(loaded.values());
    const left = Object.entries(waiting.state).filter(([name]) => !taken.has(name));
    this.#waiting = left.length > 0 ? { ...waiting, state: Object.fromEntries(left) } : undefined;
  }

  /** Moves the variables by their gradients, and counts a step; those without one are skipped. */
  step(pulls: readonly Pull[], gradScale: number, clipNorm: number | undefined): void {
    const { inner } = this;
    if (!(inner instanceof StepOptimizer)) throw new TypeError(`${this.#plan.owner}: has no step of its own`);
    this.copyIn(pulls);
    const params = this.#params;
    const names = new Set(pulls.map(({ variable }) => variable.name));
    const skip = params.names.filter((name) => !names.has(name));
    let scale = gradScale;
    if (clipNorm !== undefined && names.size > 0) {
      const target = skip.length > 0 ? params.subset([...names]) : params;
      const norm = gradNorm(target) * Math.abs(gradScale);
      // The factor of clipGradNorm, at the cost of no pass of its own.
      if (Number.isFinite(norm)) scale *= Math.min(1, clipNorm / (norm + 1e-6));
      else clipGradNorm(target, clipNorm);
    }
    if (inner.step({ gradScale: scale, skip })) this.copyOut(pulls.map(({ variable }) => variable));
  }

  /** Copies gradients in, and the values of variables that were assigned to since. */
  copyIn(pulls: readonly Pull[]): void {
    const { data, grad } = this.#params;
    for (const { variable, gradient } of pulls) {
      const { name } = variable;
      const entry = this.#entries.get(name);
      if (entry && entry.dataId !== variable.dataId) data[name].set(variable.dataSync());
      if (entry) entry.dataId = variable.dataId;
      if (gradient) grad[name].set(gradient.dataSync());
    }
  }

  /** Gives the variables the values of their copies: as new data, since other tensors may share those they have. */
  copyOut(variables: readonly Variable[]): void {
    const { data } = this.#params;
    const copies = getBackend() === "wasm"; // the others keep the array that they are given
    for (const variable of variables) {
      const values = data[variable.name];
      const value = tensor(copies ? values : values.slice(), variable.shape, "float32");
      variable.assign(value);
      value.dispose();
      const entry = this.#entries.get(variable.name);
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

  /** A new arena for these variables, with the options of `old` and, for those not afresh, this state. */
  #move(
    entries: ReadonlyMap<string, Entry>,
    old: OptimizerState,
    state: Readonly<Record<string, TensorStateDict>>,
  ): void {
    const shapes = Object.fromEntries([...entries].map(([name, { variable }]) => [name, variable.shape]));
    const params = new ParameterDict(shapes, { slots: this.#plan.slots() });
    let inner: Inner | undefined;
    try {
      const names = old.groups.map((_, g) => [...entries].flatMap(([name, { group }]) => (group === g ? [name] : [])));
      inner = this.#plan.make(params, names.slice(1));
      const groups = old.groups.map((group, g) => ({ ...group, params: names[g] }));
      inner.loadStateDict({ ...old, groups, state: { ...inner.stateDict().state, ...state } });
    } catch (error) {
      inner?.dispose();
      params.dispose();
      throw error;
    }
    this.#replace(params, inner, entries);
  }

  #replace(params: ParameterDict, inner: Inner, entries: ReadonlyMap<string, Entry>): void {
    this.#inner.dispose();
    this.#params.dispose();
    this.#params = params;
    this.#inner = inner;
    this.#entries = entries;
  }
}

const empty = (): ParameterDict => new ParameterDict({}, { slots: 0 });
