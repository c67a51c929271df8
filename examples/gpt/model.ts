// The model: a decoder-only transformer with normalization before each part, as GPT-2 is, and its optimizer.
import { AdamW } from "gradstep";
import {
  type Layer,
  Network,
  embedding,
  gelu,
  layerNorm,
  linear,
  positionEmbedding,
  residual,
  selfAttention,
} from "gradstep/nn";
import { CosineAnnealingLR, LinearLR, SequentialLR } from "gradstep/schedule";
import type { Threads } from "gradstep/threads";

/** What the network is. */
export interface Sizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Characters that it sees at a time. */
  readonly context: number;
}

/** Most steps of the warm-up. */
const WARMUP = 100;

/**
 * The network: [rows, context] numbers of characters to [rows, context, characters] outputs, one for each character that may
 * come next.
 */
export function makeModel(
  { layers, width, heads, context }: Sizes,
  characters: number,
  options: { batchSize: number; seed?: number; threads?: Threads | undefined; slots?: number | undefined },
): Network {
  const block = (): Layer[] => [
    residual([layerNorm(), selfAttention({ heads, causal: true })]),
    residual([layerNorm(), linear(4 * width), gelu(), linear(width)]),
  ];
  const blocks = Array.from({ length: layers }, block).flat();
  const parts = [
    embedding(characters, width),
    positionEmbedding(),
    ...blocks,
    layerNorm(),
    linear(characters, { bias: false }),
  ];
  return new Network([context], parts, { init: "gpt", slots: 2, ...options });
}

/** AdamW, with decay for matrices and tables alone. */
export const makeOptimizer = (model: Network, lr: number): AdamW =>
  new AdamW(model.params, {
    lr,
    betas: [0.9, 0.99],
    weightDecay: 0.1,
    groups: [{ params: (_, shape) => shape.length < 2, weightDecay: 0 }],
  });

/** A linear warm-up of 100 steps, or a tenth of a short run, then a cosine down to a tenth of the rate. */
export function makeSchedule(optimizer: AdamW, lr: number, steps: number): SequentialLR {
  const rising = Math.min(WARMUP, Math.ceil(steps / 10));
  const warmUp = new LinearLR(optimizer, { startFactor: 1 / rising, totalIters: rising });
  const cosine = new CosineAnnealingLR(optimizer, { tMax: Math.max(steps - rising, 1), etaMin: lr / 10 });
  return new SequentialLR(optimizer, { schedulers: [warmUp, cosine], milestones: [rising] });
}
