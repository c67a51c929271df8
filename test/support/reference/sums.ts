// Sums over a tensor in the order of the kernels.
/** Elements that a sum accumulates before it adds up its lanes. */
export const BLOCK = 16384;

/** Σ term(i) for i < n in float64, in the order of assembly/step/reductions.ts. */
export function orderedSum(n: number, term: (i: number) => number): number {
  let total = 0;
  for (let start = 0; start < n; start += BLOCK) {
    const count = Math.min(n - start, BLOCK);
    const lane = [0, 0, 0, 0, 0, 0, 0, 0];
    let left = 0;
    for (let i = 0; i < count; i++)
      if (i < count - (count % 8)) lane[i % 8] += term(start + i);
      else left += term(start + i);
    const [l0, l1, l2, l3, l4, l5, l6, l7] = lane;
    total += l0 + l2 + (l4 + l6) + (l1 + l3 + (l5 + l7)) + left;
  }
  return total;
}

export const norm = (x: Float32Array): number => Math.sqrt(orderedSum(x.length, (i) => x[i] * x[i]));
