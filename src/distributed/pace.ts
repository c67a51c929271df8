// How long tasks take, and after how long one is issued again.

/** Milliseconds. */
const FIRST = 5000;
const LEAST = 250;
const MOST_MORE = 5000;
const REMEMBERED = 101;

export class Pace {
  readonly #durations: number[] = [];
  #limit = FIRST;

  /** Notes how many milliseconds a task took from being issued to being answered. */
  add(duration: number): void {
    this.#durations.push(duration);
    if (this.#durations.length > REMEMBERED) this.#durations.shift();
    const sorted = [...this.#durations].sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1];
    this.#limit = Math.max(LEAST, Math.min(4 * median, median + MOST_MORE));
  }

  /** Milliseconds after which a task is issued again: four times the median, and not much more than it. */
  get limit(): number {
    return this.#limit;
  }
}
