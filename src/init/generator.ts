// The arithmetic of seeded random numbers, without checks: `Random` is what users see of it.

/**
 * xoshiro128** (Blackman, Vigna 2018) in exact 32-bit arithmetic, so that a seed gives the same numbers on every engine. For
 * the seed = high·2³² + low, word i = 1 … 4 of the state is mix(mix(low + i·0x9E3779B9) + high), where mix is the 32-bit
 * finalizer of MurmurHash3.
 */
export class Generator {
  /** The state. */
  readonly words: Int32Array;

  /** @param seed A whole number in [0, 2⁵³). */
  constructor(seed: number) {
    this.words = Int32Array.from({ length: 4 }, (_, i) =>
      mix(mix((seed + (i + 1) * 0x9e3779b9) | 0) + Math.floor(seed / 2 ** 32)),
    );
  }

  /** The next 32 bits, as a whole number in [0, 2³²). */
  next(): number {
    const s = this.words;
    const product = Math.imul(s[1], 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** A multiple of 2⁻²⁴ in [0, 1): exact in float32. One draw. */
  uniform(): number {
    return (this.next() >>> 8) / 2 ** 24;
  }

  /** A whole number in [0, n), each equally likely, for a whole n in [1, 2³²]. One draw, rarely more. */
  below(n: number): number {
    const fair = 2 ** 32 - (2 ** 32 % n);
    let draw = this.next();
    while (draw >= fair) draw = this.next();
    return draw % n;
  }

  /** Puts the elements of a list into random order, in place (Fisher and Yates, from the end). */
  shuffle(list: { [index: number]: unknown; readonly length: number }): void {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const item = list[i];
      list[i] = list[j];
      list[j] = item;
    }
  }
}

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
