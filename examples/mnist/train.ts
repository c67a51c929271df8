import { setImmediate } from "node:timers/promises";
import { MLP, type MLPOptions, Random } from "gradstep/nn";
import { asUsage } from "./errors.ts";
import type { Dataset, Samples } from "./idx.ts";
import { type RuleName, type RuleOptions, makeOptimizer } from "./rules.ts";

/** One training run: what is trained, how, and how long. */
export interface Settings {
  readonly rule: RuleName;
  readonly options: RuleOptions;
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[];
  readonly init: NonNullable<MLPOptions["init"]>;
  readonly batch: number;
  readonly epochs: number;
  /** Of the network's start and of the batches' order. */
  readonly seed: number;
}

export interface Epoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the samples, each as its batch met it. */
  readonly loss: number;
  /** Of the whole test set, after the epoch. */
  readonly accuracy: number;
  /** In `trainBatch` and `step` alone. */
  readonly samplesPerSecond: number;
}

export interface Run {
  readonly epochs: readonly Epoch[];
  /** The loss of every batch. */
  readonly losses: Float64Array;
  /** Spent in `trainBatch` and `step`. */
  readonly seconds: number;
  readonly testAccuracy: number;
}

/** Who is told how a run goes. */
export interface Watcher {
  /** Whether `update` is wanted. */
  readonly live: boolean;
  begin(epoch: number, samples: number): void;
  /** At most ten times a second: samples seen, and what an {@link Epoch} has, so far; the accuracy is that of {@link GLIMPSE} test images. */
  update(seen: number, loss: number, accuracy: number, samplesPerSecond: number): void;
  end(epoch: Epoch): void;
}

/** How many test images the accuracy of a running epoch is measured on. */
export const GLIMPSE = 500;
const REFRESH_MS = 100;

/** What a pixel's byte is as an input. */
const scale = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Trains a new network and tests it after every epoch. The same settings and data give the same bits. */
export async function train(data: Dataset, settings: Settings, watcher: Watcher): Promise<Run> {
  const { rule, options, hidden, init, epochs, seed } = settings;
  const { train, pixels } = data;
  const size = Math.min(settings.batch, train.count);
  const mlp = asUsage(() => new MLP([pixels, ...hidden, data.classes], { init, batchSize: size, seed }));
  const optimizer = asUsage(() => makeOptimizer(rule, mlp.params, options));
  // Another stream of the generator than the network's start.
  const random = new Random(seed + 2 ** 32);
  const order = evenly(train.count, train.count);

  const full = makeBatch(size, pixels);
  const rest = makeBatch(train.count % size, pixels);
  const test = makeBatch(data.test.count, pixels);
  fill(
    test,
    data.test,
    Uint32Array.from({ length: test.rows }, (_, i) => i),
    0,
  );
  const glimpse = { x: test.x.subarray(0, GLIMPSE * pixels), y: test.y.subarray(0, GLIMPSE) };

  const perEpoch = Math.ceil(train.count / size);
  const losses = new Float64Array(epochs * perEpoch);
  const results: Epoch[] = [];
  let seconds = 0;
  let refreshed = performance.now();
  for (let epoch = 1, n = 0; epoch <= epochs; epoch++) {
    watcher.begin(epoch, train.count);
    random.shuffle(order);
    let sum = 0;
    let busy = 0;
    for (let seen = 0; seen < train.count;) {
      const batch = train.count - seen >= size ? full : rest;
      fill(batch, train, order, seen);
      const start = performance.now();
      const loss = mlp.trainBatch(batch.x, batch.y);
      optimizer.step();
      const end = performance.now();
      busy += end - start;
      seen += batch.rows;
      sum += loss * batch.rows;
      losses[n++] = loss;
      if (end - refreshed > REFRESH_MS) {
        if (watcher.live)
          watcher.update(seen, sum / seen, mlp.evaluate(glimpse.x, glimpse.y).accuracy, perSecond(seen, busy));
        await setImmediate(); // lets Ctrl-C through
        refreshed = performance.now();
      }
    }
    seconds += busy / 1000;
    const { accuracy } = mlp.evaluate(test.x, test.y);
    const result = { epoch, loss: sum / train.count, accuracy, samplesPerSecond: perSecond(train.count, busy) };
    results.push(result);
    watcher.end(result);
  }
  optimizer.dispose();
  mlp.dispose();
  return { epochs: results, losses, seconds, testAccuracy: results[epochs - 1].accuracy };
}

/** `count` of the numbers below `all`, evenly spaced. */
const evenly = (count: number, all: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));

const perSecond = (samples: number, ms: number): number => Math.round((samples / ms) * 1000);

/** Memory for rows of pixels and their labels, used again and again. */
interface Batch {
  readonly rows: number;
  readonly x: Float32Array<ArrayBuffer>;
  readonly y: Uint8Array;
}

const makeBatch = (rows: number, pixels: number): Batch => ({
  rows,
  x: new Float32Array(rows * pixels),
  y: new Uint8Array(rows),
});

/** Gathers the samples that stand in `order` from `first` on. */
function fill({ rows, x, y }: Batch, { images, labels }: Samples, order: Uint32Array, first: number): void {
  const pixels = x.length / rows;
  for (let i = 0, to = 0; i < rows; i++) {
    const sample = order[first + i];
    y[i] = labels[sample];
    for (let from = sample * pixels, end = from + pixels; from < end;) x[to++] = scale[images[from++]];
  }
}
