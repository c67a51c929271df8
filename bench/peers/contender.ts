// What a contender is. Each runs in a process of its own, which answers the lines that child.ts describes.
import type { Batch, Model } from "./models.ts";

export const rules = ["adam", "adamw", "sgd", "momentum"] as const;
export type Rule = (typeof rules)[number];

/** What all contenders take: torch's update, with these. */
export const hyper = { lr: 1e-3, sgdLr: 1e-2, momentum: 0.9, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 };

/** `count` tensors of `length` elements. */
export interface Layout {
  readonly count: number;
  readonly length: number;
}

export interface Steps {
  /** One step of all tensors. A promise where the library needs one to have finished. */
  step(): void | Promise<void>;
  /** The first 16 parameters. */
  values(): ArrayLike<number>;
  dispose(): void;
}

/** A 784-128-10 network with ReLU and cross-entropy, trained by Adam. */
export interface Net {
  /** Trains on one batch: rows × 784 pixels from 0 to 1, and their classes. */
  train(x: Float32Array<ArrayBuffer>, y: Uint8Array): void | Promise<void>;
  /** The class of each row. */
  predict(x: Float32Array<ArrayBuffer>, rows: number): ArrayLike<number> | Promise<ArrayLike<number>>;
}

/** One of the networks of models.ts, trained by Adam. */
export interface Training {
  /** In what it differs from the others. */
  readonly note?: string;
  /** A step; returns the loss before it. */
  step(batch: Batch): number | Promise<number>;
}

/** The weights that every network starts from, as torch.nn.Linear has them: [out, in]. */
export interface Start {
  readonly w1: Float32Array<ArrayBuffer>;
  readonly b1: Float32Array<ArrayBuffer>;
  readonly w2: Float32Array<ArrayBuffer>;
  readonly b2: Float32Array<ArrayBuffer>;
}

export const sizes = [784, 128, 10] as const;
export const BATCH = 64;

export interface Contender {
  /** A text says why there is nothing to time. */
  steps(rule: Rule, layout: Layout): Steps | string;
  net(start: Start): Net | string;
  network?(model: Model): Training | string;
}

/** The largest of each row of `out` numbers. */
export function largest(rows: ArrayLike<number>, out: number): Uint8Array {
  return Uint8Array.from({ length: rows.length / out }, (_, row) => {
    let best = 0;
    for (let j = 1; j < out; j++) if (rows[row * out + j] > rows[row * out + best]) best = j;
    return best;
  });
}
