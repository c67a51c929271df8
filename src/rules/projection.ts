// The projection of AdamP and SGDP: takes from an update what would only make weights longer, where they have no scale.
import type { Run } from "../optimizer/rule.js";
import { GS } from "../optimizer/rule.js";
import { epsilon, nonNegative } from "../util/check.js";
import type { Kernels } from "../wasm/generated/kernels.js";

/** The options that AdamP and SGDP have in common. */
export interface ProjectionOptions {
  /** Added to roots and norms, >= 0. Default 1e-8. */
  eps?: number | undefined;
  /**
   * Updates are projected where the cosine of gradient and weights is below delta/√n in every row, n the elements of a row;
   * >= 0. Default 0.1.
   */
  delta?: number | undefined;
  /** Factor of the weight decay of a tensor whose update is projected, >= 0. Default 0.1. */
  wdRatio?: number | undefined;
}

type Settled = Required<{ readonly [Key in keyof ProjectionOptions]: number }>;

export const projectionKinds = { eps: epsilon, delta: nonNegative, wdRatio: nonNegative };
export const projectionDefaults = { eps: 1e-8, delta: 0.1, wdRatio: 0.1 };

/** Projects the update in the scratch if the tensor's weights have no scale; returns whether it did. */
export function projectUpdate(kernels: Kernels, run: Run, options: Settled): boolean {
  const { at, size, shape, scratch } = run;
  if (shape.length < 2) return false;
  for (let rows = shape[0]; ; rows = 1) {
    if (isScaleless(kernels, run, rows, options)) {
      const n = size / rows;
      for (let from = 0; from < size * 4; from += n * 4) {
        const length = Math.sqrt(kernels.sumOfSquares(n, at[1] + from)) + options.eps;
        const along = kernels.dot(n, at[1] + from, scratch + from);
        kernels.project(n, scratch + from, at[1] + from, along / (length * length));
      }
      return true;
    }
    if (rows === 1) return false;
  }
}

/** Whether the cosine of gradient and weights is below the limit in every row. */
function isScaleless({ sumOfSquares, dot }: Kernels, { at, c, size }: Run, rows: number, o: Settled): boolean {
  const n = size / rows;
  const limit = o.delta / Math.sqrt(n);
  for (let r = 0; r < rows; r++) {
    const weights = at[1] + r * n * 4;
    const gradient = at[2] + r * n * 4;
    const along = Math.abs(c[GS] * dot(n, gradient, weights));
    const length = Math.max(Math.abs(c[GS]) * Math.sqrt(sumOfSquares(n, gradient)), o.eps);
    if (!(along / (length * Math.max(Math.sqrt(sumOfSquares(n, weights)), o.eps)) < limit)) return false;
  }
  return true;
}
