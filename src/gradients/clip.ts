// Norms of gradients, and the ways to clip them.
import { atLeast0, epsilon, flag, nonNegative, number, optionsOf } from "../util/check.js";
import { LEAST_FACTOR, SMALL, multiply, multiplyByClip } from "../step/gradient-norms.js";
import { type ParameterDict, checkDict } from "../memory/parameters.js";
import type { Tensor } from "../memory/tensor.js";
import type { Kernels } from "../wasm/generated/kernels.js";

/** Options of {@link gradNorm}. */
export interface GradNormOptions {
  /** 1: the sum of absolute values. 2 (default): the root of the sum of squares. Infinity: the largest absolute value. */
  normType?: number | undefined;
}

/** Options of {@link clipGradNorm}. */
export interface ClipGradNormOptions extends GradNormOptions {
  /** Throw when the norm is NaN or infinite, changing nothing. Default false. */
  errorIfNonFinite?: boolean | undefined;
}

/** Options of {@link clipGradAdaptive}. */
export interface ClipGradAdaptiveOptions {
  /** The least norm assumed for parameters, so that those at 0 can move; >= 0. Default 1e-3. */
  eps?: number | undefined;
}

const ALIASES = { aliases: "normType=p,ord" };
const normKind = number("1, 2 or Infinity", (x) => x === 1 || x === 2 || x === Infinity);

/**
 * The norm of all gradients as one vector, in float64: large elements do not overflow, and denormals do not vanish.
 *
 * @param params The parameters whose gradients to take: a dictionary or a subset.
 * @param options Which norm. Default: the root of the sum of squares.
 * @returns The norm; NaN or Infinity when a gradient is not finite, 0 without elements.
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const norm = gradNorm(params);
 */
export function gradNorm(params: ParameterDict, options: GradNormOptions = {}): number {
  const owner = "gradNorm";
  const tensors = tensorsOf(owner, params);
  const given = optionsOf(owner, options, ["normType"], ALIASES);
  return norm(params.arena.kernels, tensors, readNormType(owner, given.normType));
}

/**
 * Scales all gradients, as one vector, by min(1, maxNorm/(norm + 1e-6)), as PyTorch does, so that their norm is at most
 * `maxNorm`. An infinite element becomes NaN and all others 0; a NaN makes all of them NaN. A `maxNorm` of Infinity changes
 * nothing.
 *
 * @param params The parameters whose gradients to take: a dictionary or a subset.
 * @param maxNorm >= 0.
 * @param options Which norm, and whether to throw when it is not finite. Default: the root of the sum of squares; no.
 * @returns The norm before clipping.
 * @see Pascanu, Mikolov, Bengio (2013), https://arxiv.org/abs/1211.5063
 * @throws TypeError, RangeError for a wrong argument; Error with `errorIfNonFinite` when the norm is not finite. Nothing is
 * changed then.
 * @example
 * const norm = clipGradNorm(params, 1);
 * optimizer.step();
 */
export function clipGradNorm(params: ParameterDict, maxNorm: number, options: ClipGradNormOptions = {}): number {
  const owner = "clipGradNorm";
  const tensors = tensorsOf(owner, params);
  const max = atLeast0.read(owner, "maxNorm", maxNorm);
  const given = optionsOf(owner, options, ["normType", "errorIfNonFinite"], ALIASES);
  const normType = readNormType(owner, given.normType);
  const strict = given.errorIfNonFinite !== undefined && flag.read(owner, "errorIfNonFinite", given.errorIfNonFinite);

  const { kernels } = params.arena;
  const total = norm(kernels, tensors, normType);
  if (strict && !Number.isFinite(total)) throw new Error(`${owner}: the norm of the gradients is ${total}`);
  const factor = Float64Array.of(1);
  multiplyByClip(factor, Float64Array.of(max), Float64Array.of(total));
  if (factor[0] !== 1) for (const tensor of tensors) multiply(kernels, tensor.gradAt, tensor.size, factor[0]);
  return total;
}

/**
 * Clamps every element of the gradients to [−limit, limit]. NaN stays.
 *
 * @param params The parameters whose gradients to take: a dictionary or a subset.
 * @param limit >= 0, rounded to float32; Infinity changes nothing.
 * @throws TypeError, RangeError for a wrong argument; nothing is changed then.
 * @example
 * clipGradValue(params, 0.5);
 */
export function clipGradValue(params: ParameterDict, limit: number): void {
  const owner = "clipGradValue";
  const tensors = tensorsOf(owner, params);
  const most = atLeast0.read(owner, "limit", limit);
  const { kernels } = params.arena;
  for (const { size, gradAt } of tensors) kernels.clamp(size, gradAt, most);
}

/**
 * Adaptive clipping: scales each unit's gradient down to a norm of at most `ratio` times that of its parameters. A unit
 * is a row of a tensor [out, …], or all of a vector or scalar.
 *
 * @param params The parameters whose gradients to take: a dictionary or a subset.
 * @param ratio >= 0; the paper uses 0.01.
 * @param options Default: `{ eps: 1e-3 }`.
 * @see Brock et al. (2021), https://arxiv.org/abs/2102.06171
 * @throws TypeError, RangeError for a wrong argument; nothing is changed then.
 * @example
 * clipGradAdaptive(params, 0.01);
 */
export function clipGradAdaptive(params: ParameterDict, ratio: number, options: ClipGradAdaptiveOptions = {}): void {
  const owner = "clipGradAdaptive";
  const tensors = tensorsOf(owner, params);
  const factor = nonNegative.read(owner, "ratio", ratio);
  const given = optionsOf(owner, options, ["eps"]);
  const eps = given.eps === undefined ? 1e-3 : epsilon.read(owner, "eps", given.eps);

  const { kernels } = params.arena;
  for (const tensor of tensors) {
    if (tensor.size === 0) continue;
    const width = tensor.shape.length > 1 ? tensor.size / tensor.shape[0] : tensor.size;
    for (let start = 0; start < tensor.size; start += width) {
      const parameters = Math.sqrt(kernels.sumOfSquares(width, tensor.dataAt + start * 4));
      const gradient = Math.sqrt(kernels.sumOfSquares(width, tensor.gradAt + start * 4));
      const limit = factor * Math.max(parameters, eps);
      if (!(gradient < limit)) multiplyRow(kernels, tensor, start, width, limit / Math.max(gradient, 1e-6));
    }
  }
}

function tensorsOf(owner: string, params: unknown): readonly Tensor[] {
  checkDict(owner, "params", params);
  return params.tensors(owner);
}

const readNormType = (owner: string, value: unknown): number =>
  value === undefined ? 2 : normKind.read(owner, "normType", value);

/** Sums in the order of the tensors. */
function norm(kernels: Kernels, tensors: readonly Tensor[], normType: number): number {
  let total = 0;
  for (const { size, gradAt } of tensors) {
    if (normType === 2) total += kernels.sumOfSquares(size, gradAt);
    else if (normType === 1) total += kernels.sumOfAbs(size, gradAt);
    else total = Math.max(total, kernels.maxAbs(size, gradAt));
  }
  return normType === 2 ? Math.sqrt(total) : total;
}

/** Multiplies one row of a gradient by the factor: the kernel takes whole vectors, and another row may begin in the last. */
function multiplyRow(
  kernels: Kernels,
  { grad, gradAt, size }: Tensor,
  start: number,
  count: number,
  factor: number,
): void {
  const whole = count === size ? count : count - (count % 4);
  multiply(kernels, gradAt + start * 4, whole, factor);
  for (let i = start + whole; i < start + count; i++) {
    let rest = factor;
    for (; rest > 0 && rest < LEAST_FACTOR; rest /= SMALL) grad[i] *= SMALL;
    grad[i] *= Math.fround(rest);
  }
}
