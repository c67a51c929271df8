// Which of the networks' kernels are divided among threads: each thread computes a part of the result, with the same bits.
import type { DividedKernels } from "../memory/arena.js";
import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";

/** What a call costs, as the number of multiplications of a product; from this the threads decide whether to divide it. */
const product = (a: number, b: number, c: number): number => a * b * c;
/** An element of a vector that goes through memory takes as long as a few multiplications of a product. */
const elements = (n: number): number => 4 * n;

/** By kernel. */
export const divided: DividedKernels<keyof NetworkKernels> = {
  dense: product,
  denseSkip: product,
  denseInput: product,
  denseInputSkip: product,
  denseWeight: product,
  denseWeightSkip: product,
  relu: elements,
  reluGradient: elements,
  tanh: elements,
  tanhGradient: elements,
  sigmoid: elements,
  sigmoidGradient: elements,
  gelu: elements,
  geluGradient: elements,
  add: elements,
};
