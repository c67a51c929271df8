// Time and waiting, which tests replace by a time of their own.

/** Tells the time and calls back later. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Calls back after so many milliseconds, unless the returned function is called before. */
  after(ms: number, callback: () => void): () => void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Something that a loop waits for, for a limited time. */
export class Waker {
  #isAwake = false;
  #resolve: (() => void) | undefined;

  constructor(readonly clock: Clock) {}

  /** Ends the wait, or the next one if there is none. */
  wake(): void {
    this.#isAwake = true;
    this.#resolve?.();
  }

  /** Waits until it is woken, at most so many milliseconds. */
  async wait(ms: number): Promise<void> {
    if (!this.#isAwake) {
      let cancel: (() => void) | undefined;
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
        if (ms < Infinity) cancel = this.clock.after(Math.max(0, ms), resolve);
      });
      cancel?.();
    }
    this.#isAwake = false;
    this.#resolve = undefined;
  }
}
