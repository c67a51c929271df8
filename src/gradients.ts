import type { Request } from "./request.js";
import type { Table } from "./table.js";
import type { Kernels } from "./wasm/generated/kernels.js";

/**
 * The global norm of the gradients that a step uses, times |gradScale|, into `norm[0]`: a returned float64 may be boxed.
 * Sums are in the order of the tensors' addresses.
 */
export function globalNorm(norm: Float64Array, kernels: Kernels, table: Table, request: Request): void {
  const { call, rows, gradScale } = request;
  let sum = 0;
  for (let i = 0; i < table.step.length; i++) {
    if (table.skipped[i] === call) continue;
    const chosen = rows.size > 0 ? rows.get(i) : undefined;
    if (chosen === undefined) {
      sum += kernels.sumOfSquares(table.size[i], table.grad[i]);
      continue;
    }
    const width = table.size[i] / table.tensors[i].shape[0];
    for (const row of chosen) sum += kernels.sumOfSquares(width, table.grad[i] + row * width * 4);
  }
  norm[0] = Math.sqrt(sum) * Math.abs(gradScale[0]);
}

/** The first gradient that a step uses and that is not finite, as a tensor and the element in it. */
export function firstNonFinite(
  kernels: Kernels,
  table: Table,
  { call, rows }: Request,
): { readonly tensor: number; readonly element: number } | undefined {
  for (let i = 0; i < table.step.length; i++) {
    if (table.skipped[i] === call || table.size[i] === 0) continue;
    const chosen = rows.size > 0 ? rows.get(i) : undefined;
    if (chosen === undefined) {
      const element = kernels.firstNonFinite(table.size[i], table.grad[i]);
      if (element >= 0) return { tensor: i, element };
      continue;
    }
    const width = table.size[i] / table.tensors[i].shape[0];
    for (const row of chosen) {
      const element = kernels.firstNonFinite(width, table.grad[i] + row * width * 4);
      if (element >= 0) return { tensor: i, element: row * width + element };
    }
  }
  return undefined;
}
