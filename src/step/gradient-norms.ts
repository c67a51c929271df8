import type { Tensor } from "../memory/tensor.js";
import type { Request } from "./step-request.js";
import type { Table } from "./tensor-table.js";
import type { Kernels } from "../wasm/generated/kernels.js";

/** What gradients of a norm are multiplied by so that it is at most `most`, as PyTorch has it. */
export const clipFactor = (most: number, norm: number): number =>
  most === Infinity ? 1 : Math.min(1, most / (norm + 1e-6));

/**
 * Takes the global norm of the gradients that a step uses, times |gradScale|, and its clipping into `gradScale`. Sums are in
 * the order of the tensors' addresses.
 */
export function clipByNorm(kernels: Kernels, table: Table, request: Request): void {
  const { call, rows, gradScale, clipNorm, norm } = request;
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
  gradScale[0] *= clipFactor(clipNorm[0], norm[0]);
}

/** The first gradient that a step uses and that is not finite as the rule sees it, as a tensor and the element in it. */
export function firstNonFinite(
  kernels: Kernels,
  table: Table,
  { call, rows, gradScale }: Request,
): { readonly tensor: number; readonly element: number } | undefined {
  const factor = Math.abs(Math.fround(gradScale[0]));
  for (let i = 0; i < table.step.length; i++) {
    if (table.skipped[i] === call || table.size[i] === 0) continue;
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

/** Of `count` elements from `start`, the first that is not finite, or is not when it is multiplied; or −1. */
function firstIn(kernels: Kernels, { grad, gradAt }: Tensor, start: number, count: number, factor: number): number {
  const at = gradAt + start * 4;
  const element = kernels.firstNonFinite(count, at);
  if (element >= 0 || !(factor > 1) || !overflows(kernels.maxAbs(count, at), factor)) return element;
  let first = start;
  while (!overflows(grad[first], factor)) first++;
  return first - start;
}

const overflows = (g: number, factor: number): boolean => !Number.isFinite(Math.fround(factor * g));

/** The least factor that has all its digits as a float32. */
export const LEAST_FACTOR = 1 / 2 ** 126;
/** A factor below is taken in steps, of which this is one. */
const SMALL = 1 / 2 ** 100;

/** Multiplies `count` elements of a gradient from `start` by the factor, and no others but the tensor's padding. */
export function multiply(kernels: Kernels, tensor: Tensor, start: number, count: number, factor: number): void {
  if (factor > 0 && factor < LEAST_FACTOR) {
    multiply(kernels, tensor, start, count, SMALL);
    multiply(kernels, tensor, start, count, factor / SMALL);
    return;
  }
  const { grad, gradAt, size } = tensor;
  // The kernel takes whole vectors: the end of a row, behind which another row or tensor stands, is left to the loop.
  const whole = count === size ? count : count - (count % 4);
  kernels.scale(whole, gradAt + start * 4, factor);
  const c = Math.fround(factor);
  for (let i = start + whole; i < start + count; i++) grad[i] *= c;
}

/**
 * Multiplies the gradients by their factor before a step where it would lose digits as a float32, which is where their norm is
 * about 1e38 times `clipNorm`. Returns what gives them back after the sweep, but for those that it cleared.
 */
export function multiplyBefore(kernels: Kernels, table: Table, request: Request): () => void {
  const { call, rows, clear, gradScale } = request;
  const factor = Math.abs(gradScale[0]);
  if (factor === 0) return () => undefined;
  const kept = table.tensors.map(({ grad }, i) => (clear && !rows.has(i) ? undefined : grad.slice()));
  table.tensors.forEach((tensor, i) => {
    if (table.skipped[i] !== call) multiply(kernels, tensor, 0, tensor.size, factor);
  });
  gradScale[0] = Math.sign(gradScale[0]);
  return () => table.tensors.forEach(({ grad }, i) => kept[i] && grad.set(kept[i]));
}
