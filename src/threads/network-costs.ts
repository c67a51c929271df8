// Which of the networks' kernels are divided among threads: each thread computes a part of the result, with the same bits.

import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";

/**
 * What a call costs, as the number of multiplications of a product; from this the threads decide whether to divide it. A number
 * that goes through memory takes as long as a few multiplications.
 */
export type Cost = (args: readonly number[], words: Int32Array) => number;
const PER_NUMBER = 4;

const product: Cost = ([a, b, c]) => a * b * c;
const numbers: Cost = ([n]) => PER_NUMBER * n;
/** Rows of a number of elements. */
const rows: Cost = ([count, size]) => 2 * PER_NUMBER * count * size;
/** Images of so many positions and channels. */
const images: Cost = ([count, positions, channels]) => 2 * PER_NUMBER * count * positions * channels;
/** Images, a kind, height, width and channels. */
const pooled: Cost = ([count, , height, width, channels]) => PER_NUMBER * count * height * width * channels;
/** Rows, tokens and width. */
const attention: Cost = ([count, tokens, width]) => 2 * count * tokens * tokens * width;
/** Images, and the address of a geometry (assembly/nn/geometry.ts). */
const convolution: Cost = ([count, at], words) => count * words[at / 4];

/** By kernel. */
export const networkCosts: Partial<Record<keyof NetworkKernels, Cost>> = {
  dense: product,
  denseInput: product,
  denseWeight: product,
  relu: numbers,
  reluGradient: numbers,
  leakyRelu: numbers,
  leakyReluGradient: numbers,
  tanh: numbers,
  tanhGradient: numbers,
  sigmoid: numbers,
  sigmoidGradient: numbers,
  gelu: numbers,
  multiply: numbers,
  silu: numbers,
  siluGradient: numbers,
  add: numbers,
  copy: numbers,
  dropout: images,
  convolve: convolution,
  convolveGradient: ([count, , at], words) => count * words[at / 4],
  pool: pooled,
  channelStatistics: images,
  channelGradients: images,
  normalizeChannels: images,
  normalizeChannelsGradient: images,
  layerNorm: rows,
  layerNormInput: rows,
  layerNormWeight: rows,
  embed: rows,
  addRows: ([count, , width]) => PER_NUMBER * count * width,
  sumRows: ([count, , width]) => PER_NUMBER * count * width,
  attend: attention,
  attendGradient: attention,
};
