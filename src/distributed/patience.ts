// How long a coordinator goes on asking a broker that refuses.
import { Fatal, Refused } from "./fatal.js";

/** Milliseconds. A broker that refuses for so long will go on refusing. */
const PATIENCE = 10_000;

export class Patience {
  #first = 0;
  #last = -Infinity;

  /**
   * Takes note of what an attempt threw, and says whether the broker refused it.
   * @throws Fatal when it has refused for too long; what is thrown, if it is a Fatal.
   */
  failed(error: unknown, now: number): boolean {
    if (error instanceof Fatal) throw error;
    if (!(error instanceof Refused)) return false;
    // An action may run for a whole round: what was refused long before has passed.
    if (now - this.#last > PATIENCE / 2) this.#first = now;
    this.#last = now;
    if (now - this.#first > PATIENCE)
      throw new Fatal(`coordinate: ${error.message}, for ${PATIENCE / 1000} seconds`, { cause: error });
    return true;
  }
}
