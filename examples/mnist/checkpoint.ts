import type { WeightEma } from "gradstep";
import { load, saveFile } from "gradstep/checkpoint";
import type { Network } from "gradstep/nn";
import type { LRScheduler } from "gradstep/schedule";
import {
  type CheckpointFile,
  type Identity,
  checkIdentity,
  loadInto,
  openCheckpoint,
  written,
} from "../command/checkpoint.ts";
import { UserError } from "../command/errors.ts";
import type { AnyOptimizer } from "./all-rules.ts";
import type { Epoch } from "./train.ts";

/** Which checkpoint a run goes on from, where it writes its own, and how often. */
export interface Keeping {
  readonly resume?: Saved | undefined;
  readonly checkpoint?: string | undefined;
  /** In batches; after each epoch if not given. */
  readonly every?: number | undefined;
}

/** How far a run has come: with the weights, the optimizer, the average and the schedule, all that is needed to go on. */
export interface Progress {
  /** The epoch that runs or comes next, from 1. */
  epoch: number;
  /** Samples of it so far, in this order; 0 before the order is drawn. */
  seen: number;
  readonly order: Uint32Array;
  /** The state of the generator that draws the orders. */
  random: number[];
  /** Of the running epoch: the sum of the samples' losses, and milliseconds in `trainBatch` and `step`. */
  sum: number;
  busy: number;
  /** Of the whole run. */
  seconds: number;
  batches: number;
  losses: Float64Array;
  readonly epochs: Epoch[];
}

/** What is trained. */
export interface Trained {
  readonly network: Network;
  readonly optimizers: readonly AnyOptimizer[];
  readonly ema: WeightEma | undefined;
  readonly schedules: readonly LRScheduler[];
}

/** Metadata entries: the {@link Identity}, and the epochs that are done. */
const ENTRY = "mnist";
const EPOCHS = "mnist.epochs";

/** Writes a checkpoint; one that is there already stays whole until the new one is. */
export async function keep(
  path: string,
  { network, optimizers, ema, schedules }: Trained,
  identity: Identity,
  progress: Progress,
): Promise<void> {
  const losses = progress.losses.subarray(0, progress.batches);
  const schedule = schedules.map((one) => one.stateDict());
  const extra = { progress: { ...progress, losses }, ema: ema?.stateDict(), schedule };
  const metadata = { [ENTRY]: JSON.stringify(identity), [EPOCHS]: String(epochsDone(progress)) };
  await written(path, saveFile(path, network, { optimizers, extra, metadata }));
}

/** A checkpoint to go on from, found to be one of this command. */
export interface Saved extends CheckpointFile {
  /** Epochs that its run has done, a started one as a fraction; undefined in files of version 0.1. */
  readonly epochs: number | undefined;
}

/**
 * Reads a checkpoint, before anything else is read or made.
 * @throws UserError for a file that is missing, damaged, or not of this command.
 */
export function open(path: string): Saved {
  const file = openCheckpoint(path, ENTRY);
  const identity = { model: "model mlp", ...file.identity }; // version 0.1 had no other
  return {
    ...file,
    identity,
    epochs: Object.hasOwn(file.metadata, EPOCHS) ? Number(file.metadata[EPOCHS]) : undefined,
  };
}

/** @throws UserError for a run that ends before where its checkpoint is. */
export function checkEpochs(path: string, done: number | undefined, epochs: number): void {
  if (done === undefined || done <= epochs) return;
  const shown = Number(done.toFixed(2));
  throw new UserError(`cannot resume from ${path}: its run has done ${shown} epochs, more than --epochs ${epochs}`, 2);
}

export const epochsDone = ({ epochs, seen, order }: Progress): number => epochs.length + seen / order.length;

/**
 * Loads a checkpoint into what is trained.
 * @throws UserError for a file of a run with other settings, or that does not fit.
 */
export function resume(file: Saved, trained: Trained, identity: Identity): Progress {
  const { network, optimizers, ema, schedules } = trained;
  checkIdentity(file, identity);
  return loadInto(file, () => {
    const { extra } = load(file.bytes, network, { optimizers });
    ema?.loadStateDict(extra.ema as Parameters<WeightEma["loadStateDict"]>[0]);
    const states = [extra.schedule].flat() as Parameters<LRScheduler["loadStateDict"]>[0][]; // one in version 0.1
    schedules.forEach((schedule, i) => schedule.loadStateDict(states[i]));
    return extra.progress as Progress;
  });
}
