import type { Variable } from "@tensorflow/tfjs-core";
import { match } from "./match.js";
import { listNames } from "./names.js";
import type { Marked } from "./weights.js";

/** Loaded state, of which each variable takes its part when it is met. */
export class Waiting {
  readonly #owner: string;
  #saved: Marked;
  #told = false;

  constructor(owner: string, saved: Marked) {
    this.#owner = owner;
    this.#saved = saved;
  }

  /** What no variable has taken yet. */
  get saved(): Marked {
    return this.#saved;
  }

  /** Whether all of it has been taken. */
  get empty(): boolean {
    return Object.keys(this.#saved.state.state).length === 0;
  }

  /** Which part is whose: see {@link match}. */
  match(fresh: readonly Variable[], awaits: (name: string) => boolean): Map<Variable, string> {
    return match(this.#owner, fresh, this.#saved, awaits);
  }

  /** Leaves out what variables have taken, and warns once of what did not fit. */
  take(fresh: readonly Variable[], loaded: ReadonlyMap<Variable, string>): void {
    const { state, marks } = this.#saved;
    const taken = new Set(loaded.values());
    const left = Object.entries(state.state).filter(([name]) => !taken.has(name));
    this.#saved = { state: { ...state, state: Object.fromEntries(left) }, marks };
    if (this.#told) return;
    const without = fresh.filter((variable) => !loaded.has(variable)).map(({ name }) => name);
    // Where all variables have theirs, that of other models may wait.
    const models = new Set([...taken].map((name) => marks[name].model));
    const unused = left.map(([name]) => name).filter((name) => without.length > 0 || models.has(marks[name].model));
    const parts: string[] = [];
    if (without.length > 0) parts.push(`no saved state was found for ${listNames(without)}, which start from none`);
    if (unused.length > 0) parts.push(`no variable has taken the saved state of ${listNames(unused)} yet`);
    if (parts.length === 0) return;
    this.#told = true;
    console.warn(`${this.#owner}: ${parts.join("; ")}`);
  }
}
