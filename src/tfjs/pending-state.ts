import type { Variable } from "@tensorflow/tfjs-core";
import { match } from "./match-state.js";
import { listNames } from "./names.js";
import type { SavedState } from "./weights.js";

/** Loaded state that no variable has taken yet. Variables take their part when the optimizer first sees them. */
export class PendingState {
  readonly #owner: string;
  #saved: SavedState;
  #warned = false;

  constructor(owner: string, saved: SavedState) {
    this.#owner = owner;
    this.#saved = saved;
  }

  /** The rest of the loaded state. */
  get saved(): SavedState {
    return this.#saved;
  }

  get empty(): boolean {
    return Object.keys(this.#saved.state.state).length === 0;
  }

  /** Which saved tensor each variable takes: see {@link match}. */
  match(added: readonly Variable[], isPending: (name: string) => boolean): Map<Variable, string> {
    return match(this.#owner, added, this.#saved, isPending);
  }

  /** Removes what variables have taken, and warns once about variables and saved tensors without a counterpart. */
  take(added: readonly Variable[], loaded: ReadonlyMap<Variable, string>): void {
    const { state, marks } = this.#saved;
    const taken = new Set(loaded.values());
    const left = Object.entries(state.state).filter(([name]) => !taken.has(name));
    this.#saved = { state: { ...state, state: Object.fromEntries(left) }, marks };
    if (this.#warned) return;
    const without = added.filter((variable) => !loaded.has(variable)).map(({ name }) => name);
    // If every variable has its state, the rest may belong to models that are added later.
    const models = new Set([...taken].map((name) => marks[name].model));
    const unused = left.map(([name]) => name).filter((name) => without.length > 0 || models.has(marks[name].model));
    const parts: string[] = [];
    if (without.length > 0) parts.push(`no saved state was found for ${listNames(without)}, which start from none`);
    if (unused.length > 0) parts.push(`no variable has taken the saved state of ${listNames(unused)} yet`);
    if (parts.length === 0) return;
    this.#warned = true;
    console.warn(`${this.#owner}: ${parts.join("; ")}`);
  }
}
