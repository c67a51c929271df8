// A seeded random number generator.
import { Generator } from "./generator.js";
import { describe } from "../util/describe.js";
import { number, whole, wrongType, wrongValue } from "../util/check.js";

const OWNER = "Random";
const word = number("a whole number in [0, 2^32)", (n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32);
const range = number("a whole number in [1, 2^32]", (n) => Number.isSafeInteger(n) && n >= 1 && n <= 2 ** 32);

/**
 * A seeded generator: xoshiro128** (Blackman, Vigna 2018) in exact 32-bit arithmetic, so that a seed gives the same
 * numbers on every engine. For the seed = high·2³² + low, word i = 1 … 4 of the state is mix(mix(low + i·0x9E3779B9) + high),
 * where mix is the 32-bit finalizer of MurmurHash3. Not for cryptography.
 *
 * @throws TypeError, RangeError when `seed` is not a whole number >= 0.
 * @example
 * const random = new Random(1);
 * const order = random.shuffle(Uint32Array.from({ length: 60000 }, (_, i) => i));
 */
export class Random {
  readonly #generator: Generator;

  /**
   * @param seed A whole number in [0, 2⁵³).
   */
  constructor(seed: number) {
    this.#generator = new Generator(whole.read(OWNER, "seed", seed));
  }

  /**
   * A generator that continues from a {@link Random#state | state()}.
   * @throws TypeError, RangeError for anything that `state()` does not return.
   * @example
   * const random = Random.from(saved);
   */
  static from(state: readonly number[]): Random {
    const expected = "an array of four whole numbers in [0, 2^32), not all 0";
    if (!Array.isArray(state)) throw wrongType(OWNER, "state", expected, state);
    if (state.length !== 4 || state.every((x) => x === 0)) throw wrongValue(OWNER, "state", expected, state);
    const random = new Random(0);
    random.#generator.words.set(Array.from(state, (x, i) => word.read(OWNER, `state[${i}]`, x)));
    return random;
  }

  /**
   * The four words of state, for storing as JSON or in a checkpoint.
   * @example
   * const saved = random.state();
   */
  state(): number[] {
    return Array.from(this.#generator.words, (x) => x >>> 0);
  }

  /** A multiple of 2⁻²⁴ in [0, 1): exact in float32. One draw. */
  uniform(): number {
    return this.#generator.uniform();
  }

  /**
   * A whole number in [0, n), each equally likely. One draw, rarely more.
   * @throws TypeError, RangeError when `n` is not a whole number in [1, 2³²].
   */
  below(n: number): number {
    return this.#generator.below(range.read(OWNER, "n", n));
  }

  /**
   * Puts the elements of an array into random order, in place (Fisher and Yates, from the end), and returns it.
   * @throws TypeError when `items` is not an array.
   */
  shuffle<T extends ArrayLike<unknown>>(items: T): T {
    if (!Array.isArray(items) && !ArrayBuffer.isView(items)) throw wrongType(OWNER, "items", "an array", items);
    this.#generator.shuffle(items);
    return items;
  }
}

describe(Random, (random) => [OWNER, { state: random.state() }, random.state()]);
