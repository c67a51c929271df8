// Norms, finiteness and factors of the gradients that a step uses.
import type { Tensor } from "../memory/tensor.js";
import type { NonFinitePolicy } from "../optimizer/rule.js";
import { clip } from "../util/check.js";
import type { StepRequest } from "./step-request.js";
import type { Table } from "./tensor-table.js";
import type { Kernels } from "../wasm/generated/kernels.js";

/** The factor that clips gradients of a norm to `maxNorm`, as PyTorch computes it. */
export const clipFactor = (maxNorm: number, norm: number): number =>
  maxNorm === Infinity ? 1 : Math.min(1, maxNorm / (norm + 1e-6));

/**
 * Sets `norm` to the global norm of the gradients that a step uses, times |gradScale|, and multiplies `gradScale` by the
 * factor that clips it. Sums are in the order of the tensors' addresses.
 */
export function clipByNorm(kernels: Kernels, table: Table, request: StepRequest): void {
  const { skipped, rows, gradScale, clipNorm, norm } = request;
  let sum = 0;
  for (let i = 0; i < skipped.length; i++) {
    if (skipped[i] === 1) continue;
    const chosen = rows.size > 0 ? rows.get(i) : undefined;
    if (chosen === undefined) {
      sum += kernels.sumOfSquares(table.size[i], table.grad[i]);
      continue;
    }
    const width = table.size[i] / table.tensors[i].shape[0];
    for (const row of chosen) sum += kernels.sumOfSquares(width, table.grad[i] + row * width * 4);
  }
  norm[0] = Math.sqrt(sum) * Math.abs(gradScale[0]);
  gradScale[0] *= clipFactor(clipNorm[0], norm[0]);
}

/**
 * Whether the gradients that a step uses are finite as the rule sees them.
 * @throws Error under the policy "throw" when they are not.
 */
export function areFinite(
  kernels: Kernels,
  table: Table,
  request: StepRequest,
  owner: string,
  policy: NonFinitePolicy,
): boolean {
  if (request.norm[0] < 3.4e38) return true; // an element that float32 cannot hold would make it larger
  const found = firstNonFinite(kernels, table, request);
  if (found === undefined) return true;
  if (policy === "skip") return false;
  const { name, grad } = table.tensors[found.tensor];
  const value = grad[found.element];
  const scaled = Number.isFinite(value) ? `, which times "gradScale" is infinite` : "";
  throw new Error(`${owner}: the gradient of "${clip(name, 100)}" is ${value} at element ${found.element}${scaled}`);
}

/** The first gradient that is not finite: its tensor, and the element in that. */
function firstNonFinite(
  kernels: Kernels,
  table: Table,
  { skipped, rows, gradScale }: StepRequest,
): { readonly tensor: number; readonly element: number } | undefined {
  const factor = Math.abs(Math.fround(gradScale[0]));
  for (let i = 0; i < skipped.length; i++) {
    if (skipped[i] === 1 || table.size[i] === 0) continue;
    const chosen = rows.size > 0 ? rows.get(i) : undefined;
    if (chosen === undefined) {
      const element = firstIn(kernels, table.tensors[i], 0, table.size[i], factor);
      if (element >= 0) return { tensor: i, element };
      continue;
    }
    const width = table.size[i] / table.tensors[i].shape[0];
    for (const row of chosen) {
      const element = firstIn(kernels, table.tensors[i], row * width, width, factor);
      if (element >= 0) return { tensor: i, element: row * width + element };
    }
  }
  return undefined;
}

/** The first of `count` elements from `start` that is not finite or overflows when multiplied by `factor`; or −1. */
function firstIn(kernels: Kernels, { grad, gradAt }: Tensor, start: number, count: number, factor: number): number {
  const at = gradAt + start * 4;
  const element = kernels.firstNonFinite(count, at);
  if (element >= 0 || !(factor > 1) || !overflows(kernels.maxAbs(count, at), factor)) return element;
  let first = start;
  while (!overflows(grad[first], factor)) first++;
  return first - start;
}

const overflows = (g: number, factor: number): boolean => !Number.isFinite(Math.fround(factor * g));

/** Below this factor, which is the smallest normal float32, a float32 loses digits. */
export const LEAST_FACTOR = 1 / 2 ** 126;
/** Smaller factors are applied in steps, of which this is one. */
export const SMALL = 1 / 2 ** 100;

/** Multiplies `count` elements at an address, and padding up to a whole vector, by the factor. */
export function multiply(kernels: Kernels, address: number, count: number, factor: number): void {
  for (; factor > 0 && factor < LEAST_FACTOR; factor /= SMALL) kernels.scale(count, address, SMALL);
  kernels.scale(count, address, factor);
}

/**
 * Multiplies the gradients before the sweep where `gradScale` would lose digits as a float32: their norm is then about 1e38
 * times `clipNorm`. Returns a function that restores them after the sweep, except those that it clears.
 */
export function multiplyBefore(kernels: Kernels, table: Table, request: StepRequest): () => void {
  const { skipped, rows, zeroGrad, gradScale } = request;
  const factor = Math.abs(gradScale[0]);
  const kept = table.tensors.map(({ grad }, i) => (zeroGrad && !rows.has(i) ? undefined : grad.slice()));
  for (let i = 0; i < skipped.length; i++) if (!skipped[i]) multiply(kernels, table.grad[i], table.size[i], factor);
  gradScale[0] = Math.sign(gradScale[0]);
  return () => table.tensors.forEach(({ grad }, i) => kept[i] && grad.set(kept[i]));
}
