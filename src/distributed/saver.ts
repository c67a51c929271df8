// Saves a run now and then, without letting it wait.
import type { Clock } from "./clock.js";
import type { Saved, Store } from "./interfaces.js";

/** Milliseconds between saves. What is lost with a coordinator is computed again, to the same bits. */
const EVERY = 500;

interface Events {
  /** A round is behind what has been saved. */
  saved(round: number): void;
  failed(error: unknown): void;
}

export class Saver {
  /** Whether to save as soon as possible. */
  isUrgent = false;
  #saving: Promise<void> | undefined;
  #at = -Infinity;
  #round = 0;

  constructor(
    readonly store: Store,
    readonly clock: Clock,
    readonly events: Events,
  ) {}

  async load(): Promise<Saved | undefined> {
    const saved = await this.store.load();
    this.#round = saved?.round ?? 0;
    return saved;
  }

  /** Starts to save the state as it is now, if it is time. */
  save(state: Saved): void {
    const isDue = this.isUrgent || this.clock.now() - this.#at >= EVERY;
    if (!isDue || this.#saving !== undefined || state.round <= this.#round) return;
    this.#at = this.clock.now();
    this.isUrgent = false;
    this.#saving = this.store
      .save(state)
      .then(
        () => {
          while (this.#round < state.round) this.events.saved(++this.#round);
        },
        (error: unknown) => this.events.failed(error),
      )
      .finally(() => (this.#saving = undefined));
  }

  /** Saves the state as it is now, and waits for it. */
  async finish(state: Saved): Promise<void> {
    await this.#saving;
    this.isUrgent = true;
    this.save(state);
    await this.#saving;
  }
}
