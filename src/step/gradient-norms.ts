// Norms, finiteness and factors of the gradients that a step uses.
import type { NonFinitePolicy } from "../optimizer/rule.js";
import { clip } from "../util/check.js";
import type { StepRequest } from "./step-request.js";
import type { Table } from "./tensor-table.js";
import type { Kernels } from "../wasm/generated/kernels.js";

/**
 * Multiplies `factor` by what clips gradients of a norm to `maxNorm`, as PyTorch computes it. Each is an array of one number,
 * since a step allocates nothing and an engine may box a number that is passed on.
 */
export function multiplyByClip(factor: Float64Array, maxNorm: Float64Array, norm: Float64Array): void {
  if (maxNorm[0] !== Infinity) factor[0] *= Math.min(1, maxNorm[0] / (norm[0] + 1e-6));
}

/**
 * Reads the gradients that a step uses, times |gradScale|, in the order of the tensors' addresses: whole tensors, and of some
 * the chosen rows. Sets `norm` to their global norm and returns 0; or, with `checks`, returns the address of the first that
 * is not finite, and 0 if all are.
 */
function walk(
  kernels: Kernels,
  { tensors, size, grad }: Table,
  { skipped, rows, gradScale, norm }: StepRequest,
  checks: boolean,
): number {
  if (!checks) norm[0] = 0;
  for (let i = 0; i < skipped.length; i++) {
    if (skipped[i] === 1) continue;
    const chosen = rows.length > 0 ? rows[i] : undefined;
    const count = chosen ? size[i] / tensors[i].shape[0] : size[i];
    for (let r = 0; r < (chosen?.length ?? 1); r++) {
      const at = grad[i] + (chosen?.[r] ?? 0) * count * 4;
      const first = checks ? kernels.firstNonFinite(count, at, Math.abs(gradScale[0])) : -1;
      if (first >= 0) return at + first * 4;
      if (!checks) norm[0] += kernels.sumOfSquares(count, at);
    }
  }
  if (!checks) norm[0] = Math.sqrt(norm[0]) * Math.abs(gradScale[0]);
  return 0;
}

/** Sets `norm` to the global norm of the gradients that a step uses, and multiplies `gradScale` by the factor that clips it. */
export function clipByNorm(kernels: Kernels, table: Table, request: StepRequest): void {
  const { gradScale, clipNorm, norm } = request;
  walk(kernels, table, request, false);
  multiplyByClip(gradScale, clipNorm, norm);
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
  const at = walk(kernels, table, request, true);
  if (at === 0 || policy === "skip") return at === 0;
  const { name, grad, gradAt } = table.tensors.find((t) => t.gradAt <= at && at < t.gradAt + t.bytes)!;
  const element = (at - gradAt) / 4;
  const value = grad[element];
  const scaled = Number.isFinite(value) ? `, which times "gradScale" is infinite` : "";
  throw new Error(`${owner}: the gradient of "${clip(name, 100)}" is ${value} at element ${element}${scaled}`);
}

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
export function multiplyBefore(
  kernels: Kernels,
  { tensors }: Table,
  { skipped, rows, zeroGrad, gradScale }: StepRequest,
): () => void {
  const restores = tensors.map(({ grad, gradAt, size }, i) => {
    const kept = grad.slice();
    if (skipped[i] === 0) multiply(kernels, gradAt, size, Math.abs(gradScale[0]));
    return () => (!zeroGrad || rows[i]) && grad.set(kept);
  });
  gradScale[0] = Math.sign(gradScale[0]);
  return () => restores.forEach((restore) => restore());
}
