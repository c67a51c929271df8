import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { LBFGS, WeightEma } from "gradstep";
import { type NetworkOptions, Random } from "gradstep/nn";
import { CosineAnnealingLR, type LRScheduler, LinearLR } from "gradstep/schedule";
import type { Identity } from "../command/checkpoint.ts";
import { type Keeping, type Progress, checkEpochs, epochsDone, keep, resume } from "./checkpoint.ts";
import { asUsage } from "../command/errors.ts";
import type { Dataset, Samples } from "./idx.ts";
import { type ModelName, models } from "./models.ts";
import type { RuleOptions } from "./rules.ts";
import { type AnyOptimizer, type RuleName, makeOptimizers, slotsOf } from "./all-rules.ts";

/** One training run: what is trained, how, and how long. */
export interface Settings {
  readonly rule: RuleName;
  readonly options: RuleOptions;
  readonly model: ModelName;
  /** Widths of the MLP's hidden layers. */
  readonly hidden: readonly number[];
  readonly init: NonNullable<NetworkOptions["init"]>;
  readonly batch: number;
  readonly epochs: number;
  /** Of the network's start and of the batches' order. */
  readonly seed: number;
  /** Decay of an average of the weights, which is then what is tested. */
  readonly ema?: number | undefined;
  /** How the learning rate goes down to 0 over all batches of the run; constant if not given. */
  readonly schedule?: Exclude<ScheduleName, "constant"> | undefined;
}

export const scheduleNames = ["constant", "cosine", "linear"] as const;
export type ScheduleName = (typeof scheduleNames)[number];

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
/** Training takes at least so many times as long as what is shown of it. */
const SHARE = 9;

/**
 * Trains a network and tests it after every epoch. The same settings and data give the same bits, also when the run was
 * stopped and went on from a checkpoint.
 */
export async function train(data: Dataset, settings: Settings, watcher: Watcher, keeping: Keeping = {}): Promise<Run> {
  const { rule, options, model, hidden, init, epochs, seed } = settings;
  const { train, pixels } = data;
  const size = Math.min(settings.batch, train.count);
  const network = asUsage(() =>
    models[model].make(data, hidden, { init, batchSize: size, seed, slots: slotsOf(rule) }),
  );
  const { params } = network;
  const optimizers = asUsage(() => makeOptimizers(rule, params, options));
  const [first] = optimizers;
  const { ema: decay } = settings;
  const ema = decay === undefined ? undefined : asUsage(() => new WeightEma(params, { decay }));
  const identity = identify(data, settings, first.paramGroups[0]);
  const perEpoch = Math.ceil(train.count / size);
  const schedules = optimizers.flatMap((optimizer) => makeSchedule(settings.schedule, optimizer, epochs * perEpoch));
  const trained = { network, optimizers, ema, schedules };

  const full = makeBatch(size, pixels);
  const rest = makeBatch(train.count % size, pixels);
  const test = { x: data.test.images, y: data.test.labels };
  const glimpse = { x: test.x.subarray(0, GLIMPSE * pixels), y: test.y.subarray(0, GLIMPSE) };

  const p = keeping.resume === undefined ? start(train.count, seed) : resume(keeping.resume, trained, identity);
  if (keeping.resume !== undefined) checkEpochs(keeping.resume.path, epochsDone(p), epochs);
  const random = Random.from(p.random);
  const losses = new Float64Array(epochs * perEpoch);
  losses.set(p.losses.subarray(0, p.batches));
  p.losses = losses;
  const accuracyOn = (set: { x: Uint8Array; y: Uint8Array }): number => {
    const kept = rule.startsWith("schedulefree") ? params.copy() : undefined;
    if (ema) ema.apply();
    else first.eval();
    const { accuracy } = network.evaluate(set.x, set.y);
    if (ema) ema.restore();
    else first.train();
    if (kept) params.assign(kept); // eval() and train() may round
    return accuracy;
  };

  /** One batch; its loss is that before the step. */
  const step = ({ x, y }: Batch): number => {
    if (first instanceof LBFGS) return first.step(() => network.trainBatch(x, y));
    const loss = network.trainBatch(x, y);
    for (const optimizer of optimizers) if (!(optimizer instanceof LBFGS)) optimizer.step();
    return loss;
  };

  const { checkpoint, every } = keeping;
  let refreshed = performance.now();
  let pause = REFRESH_MS;
  for (; p.epoch <= epochs; p.epoch++) {
    watcher.begin(p.epoch, train.count);
    if (p.seen === 0) random.shuffle(p.order);
    p.random = random.state();
    while (p.seen < train.count) {
      const batch = train.count - p.seen >= size ? full : rest;
      fill(batch, train, p.order, p.seen);
      const start = performance.now();
      const loss = asUsage(() => step(batch)); // one image alone may be too few for batch normalization
      ema?.update();
      for (const schedule of schedules) schedule.step();
      const end = performance.now();
      p.busy += end - start;
      p.seen += batch.rows;
      p.sum += loss * batch.rows;
      losses[p.batches++] = loss;
      if (checkpoint !== undefined && every !== undefined && p.batches % every === 0)
        await keep(checkpoint, trained, identity, p);
      if (end - refreshed > pause) {
        if (watcher.live) watcher.update(p.seen, p.sum / p.seen, accuracyOn(glimpse), perSecond(p.seen, p.busy));
        await setImmediate(); // lets Ctrl-C through
        refreshed = performance.now();
        pause = Math.max(REFRESH_MS, SHARE * (refreshed - end));
      }
    }
    const { epoch, sum, busy } = p;
    const samplesPerSecond = perSecond(train.count, busy);
    const result = { epoch, loss: sum / train.count, accuracy: accuracyOn(test), samplesPerSecond };
    p.epochs.push(result);
    watcher.end(result);
    p.seconds += busy / 1000;
    p.seen = p.sum = p.busy = 0;
    if (checkpoint !== undefined && (every === undefined || epoch === epochs))
      await keep(checkpoint, trained, identity, { ...p, epoch: epoch + 1 });
  }
  ema?.dispose();
  for (const optimizer of optimizers) optimizer.dispose();
  network.dispose();
  return { epochs: p.epochs, losses, seconds: p.seconds, testAccuracy: p.epochs[epochs - 1].accuracy };
}

/** The progress of a run that has made none. */
const start = (count: number, seed: number): Progress => ({
  ...{ epoch: 1, seen: 0, sum: 0, busy: 0, seconds: 0, batches: 0, epochs: [], losses: new Float64Array() },
  order: evenly(count, count),
  // Another stream of the generator than the network's start.
  random: new Random(seed + 2 ** 32).state(),
});

function makeSchedule(name: Settings["schedule"], optimizer: AnyOptimizer, batches: number): LRScheduler[] {
  if (name === "cosine") return [new CosineAnnealingLR(optimizer, { tMax: batches })];
  if (name === "linear") return [new LinearLR(optimizer, { startFactor: 1, endFactor: 0, totalIters: batches })];
  return [];
}

/** What must be the same for a run to go on, as a text by option. The number of epochs is free without a schedule. */
function identify({ train, test }: Dataset, settings: Settings, settled: object): Identity {
  const { rule, model, hidden, init, batch, epochs, seed, ema, schedule } = settings;
  const hash = createHash("sha256");
  for (const { images, labels } of [train, test]) hash.update(images).update(labels);
  const values = {
    ...{ model, rule, ...settled, ...(model === "mlp" ? { hidden } : {}), init, batch, seed },
    ...(ema === undefined ? {} : { ema }),
    ...(schedule === undefined ? {} : { schedule: `${schedule} over ${epochs} epochs` }),
  };
  const texts = Object.entries(values)
    .filter(([name]) => name !== "params")
    .map(([name, value]): [string, string] => [name, `${name} ${String(value)}`]);
  return { ...Object.fromEntries(texts), data: `data with the hash ${hash.digest("hex").slice(0, 12)}` };
}

/** `count` of the numbers below `all`, evenly spaced. */
const evenly = (count: number, all: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));

const perSecond = (samples: number, ms: number): number => Math.round((samples / ms) * 1000);

/** Memory for rows of pixels and their labels, used again and again. */
interface Batch {
  readonly rows: number;
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

const makeBatch = (rows: number, pixels: number): Batch => ({
  rows,
  x: new Uint8Array(rows * pixels),
  y: new Uint8Array(rows),
});

/** Gathers the samples that stand in `order` from `first` on. */
function fill({ rows, x, y }: Batch, { images, labels }: Samples, order: Uint32Array, first: number): void {
  const pixels = x.length / rows;
  for (let i = 0; i < rows; i++) {
    const sample = order[first + i];
    y[i] = labels[sample];
    x.set(images.subarray(sample * pixels, (sample + 1) * pixels), i * pixels);
  }
}
