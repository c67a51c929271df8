import { type KernelBackend, type Tensor, type Variable, engine, getBackend, tensor } from "@tensorflow/tfjs-core";
import { usedAfterDispose } from "../check.js";
import { clipGradNorm, gradNorm } from "../clip.js";
import { StepOptimizer } from "../optimizer.js";
import { ParameterDict, type Shape } from "../parameters.js";
import type { OptimizerState } from "../state.js";
import type { Pull } from "./gradients.js";
import { match } from "./match.js";
import type { Inner } from "./rules.js";

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

  /** Starts over from a saved state, all of which is checked first. */
  load(saved: OptimizerState): void {
    const whole = this.#made(shapesOf(Object.entries(saved.state)), saved);
    whole.inner.dispose();
    whole.params.dispose();
    const groups = saved.groups.map((group) => ({ ...group, params: [] }));
    const { params, inner } = this.#made({}, { ...saved, groups, state: {} });
    this.#replace(params, inner, new Map());
    this.#waiting = saved;
  }

  /** Takes in the variables that have not been met; a new one under the name of another starts afresh. */
  meet(variables: readonly Variable[]): void {
    const fresh = variables.filter((variable) => this.#entries.get(variable.name)?.variable !== variable);
    if (fresh.length === 0) return;
    const waiting = this.#waiting;
    const loaded = match(this.#plan.owner, fresh, waiting?.state ?? {});
    const order = Object.keys(waiting?.state ?? {});
    const place = (variable: Variable): number => {
      const from = loaded.get(variable);
      return from === undefined ? order.length : order.indexOf(from);
    };
    const freshNames = new Set(fresh.map(({ name }) => name));

    const entries = new Map<string, Entry>();
    for (const [name, { variable, group }] of this.#entries)
      if (!variable.isDisposed && !freshNames.has(name)) entries.set(name, { variable, group, dataId: undefined });
    const old = this.inner.stateDict();
    const state = Object.fromEntries([...entries.keys()].map((name) => [name, old.state[name]]));
    for (const variable of [...fresh].sort((a, b) => place(a) - place(b))) {
      const { name } = variable;
      const from = loaded.get(variable);
      let group = this.#plan.groupOf(name);
      if (waiting !== undefined && from !== undefined) {
        state[name] = waiting.state[from];
        group = waiting.groups.findIndex(({ params }) => params.includes(from));
      }
      entries.set(name, { variable, group, dataId: undefined });
    }
    const groups = old.groups.map((group, g) => ({
      ...group,
      params: [...entries].flatMap(([name, entry]) => (entry.group === g ? [name] : [])),
    }));
    const shapes = shapesOf([...entries].map(([name, { variable }]) => [name, variable]));
    const { params, inner } = this.#made(shapes, { ...old, groups, state });
    this.#replace(params, inner, entries);
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
      const target = skip.length > 0 ? params.subset(params.names.filter((name) => names.has(name))) : params;
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
      if (entry && entry.dataId !== variable.dataId) data[name].set(valuesOf(variable));
      if (entry) entry.dataId = variable.dataId;
      if (gradient) grad[name].set(valuesOf(gradient));
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

  /** A new arena and optimizer, with the options of `saved`, and its state for the tensors that it has. */
  #made(shapes: Readonly<Record<string, Shape>>, saved: OptimizerState): { params: ParameterDict; inner: Inner } {
    const params = new ParameterDict(shapes, { slots: this.#plan.slots() });
    let inner: Inner | undefined;
    try {
      inner = this.#plan.make(
        params,
        saved.groups.slice(1).map((group) => group.params),
      );
      inner.loadStateDict({ ...saved, state: { ...inner.stateDict().state, ...saved.state } });
      return { params, inner };
    } catch (error) {
      inner?.dispose();
      params.dispose();
      throw error;
    }
  }

  #replace(params: ParameterDict, inner: Inner, entries: ReadonlyMap<string, Entry>): void {
    this.#inner.dispose();
    this.#params.dispose();
    this.#params = params;
    this.#inner = inner;
    this.#entries = entries;
  }
}

const shapesOf = (tensors: readonly (readonly [string, { readonly shape: Shape }])[]): Record<string, Shape> =>
  Object.fromEntries(tensors.map(([name, { shape }]) => [name, shape]));

/**
 * A tensor's values, to be copied at once: where they stand in the wasm backend, whose `dataSync()` would copy them twice.
 * (Data of another backend would be moved there first, and the heap may grow under the view.)
 */
function valuesOf(source: Tensor): ArrayLike<number> {
  const backend: KernelBackend & { typedArrayFromHeap?(tensor: Tensor): Float32Array } = engine().backend;
  return backend.typedArrayFromHeap !== undefined && backend.refCount(source.dataId) > 0
    ? backend.typedArrayFromHeap(source)
    : source.dataSync();
}

const empty = (): ParameterDict => new ParameterDict({}, { slots: 0 });
