/** Seeded numbers, the same on every engine: nothing but whole-number arithmetic and sums. */
export interface Random {
  /** In [0, 1). */
  readonly uniform: () => number;
  /** Mean 0, variance 1, nearly normal: the sum of twelve uniform numbers, less 6. */
  readonly normal: () => number;
  /** A whole number in [0, n). */
  readonly below: (n: number) => number;
}

/** Mulberry32, by Tommy Ettinger. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
  const normal = (): number => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += uniform();
    return sum;
  };
  return { uniform, normal, below: (n) => Math.floor(uniform() * n) };
}

/** The numbers 0 to n − 1 in random order. */
export function shuffled(n: number, source: Random): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const k = source.below(i + 1);
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}
