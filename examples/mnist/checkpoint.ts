import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ParameterDict, WeightEma } from "gradstep";
import { load, read, saveFile } from "gradstep/checkpoint";
import type { LRScheduler } from "gradstep/schedule";
import { UserError } from "./errors.ts";
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
  readonly params: ParameterDict;
  readonly optimizers: readonly AnyOptimizer[];
  readonly ema: WeightEma | undefined;
  readonly schedules: readonly LRScheduler[];
}

/** What must be the same when a run goes on, by the option that says it. */
export type Identity = Readonly<Record<string, string>>;

/** Metadata entries: the {@link Identity}, and the epochs that are done. */
const ENTRY = "mnist";
const EPOCHS = "mnist.epochs";

/** @throws UserError where no checkpoint could be written, before any time is spent on training. */
export function checkPlace(checkpoint: string | undefined): void {
  if (checkpoint === undefined) return;
  const path = resolve(checkpoint);
  const folder = dirname(path);
  const refuse = (what: string): UserError => new UserError(`cannot write ${checkpoint}: ${what}`, 1);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw refuse(`there is no folder ${folder}`);
  if (existsSync(path) && !statSync(path).isFile()) throw refuse("it is no file");
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw refuse(`nothing may be written into the folder ${folder}`);
  }
}

/** Writes a checkpoint; one that is there already stays whole until the new one is. */
export async function keep(
  path: string,
  { params, optimizers, ema, schedules }: Trained,
  identity: Identity,
  progress: Progress,
): Promise<void> {
  const losses = progress.losses.subarray(0, progress.batches);
  const schedule = schedules.map((one) => one.stateDict());
  const extra = { progress: { ...progress, losses }, ema: ema?.stateDict(), schedule };
  const metadata = { [ENTRY]: JSON.stringify(identity), [EPOCHS]: String(epochsDone(progress)) };
  try {
    await saveFile(path, params, { optimizers, extra, metadata });
  } catch (error) {
    throw new UserError(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

/** A checkpoint to go on from, found to be one of this command. */
export interface Saved {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly identity: Identity;
  /** Epochs that its run has done, a started one as a fraction; undefined in files of version 0.1. */
  readonly epochs: number | undefined;
}

/**
 * Reads a checkpoint, before anything else is read or made.
 * @throws UserError for a file that is missing, damaged, or not of this command.
 */
export function open(path: string): Saved {
  const refuse = (what: string): UserError => new UserError(`cannot resume from ${path}: ${what}`, 1);
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
  let metadata;
  try {
    ({ metadata } = read(bytes));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refuse(error.message);
  }
  const identity = identityIn(metadata[ENTRY]);
  if (!identity) throw refuse("it is no checkpoint of this command");
  return { path, bytes, identity, epochs: Object.hasOwn(metadata, EPOCHS) ? Number(metadata[EPOCHS]) : undefined };
}

function identityIn(text: string | undefined): Identity | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null ? (value as Identity) : undefined;
  } catch {
    return undefined;
  }
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
export function resume({ path, bytes, identity: saved }: Saved, trained: Trained, identity: Identity): Progress {
  const { params, optimizers, ema, schedules } = trained;
  const name = Object.keys({ ...saved, ...identity }).find((name) => saved[name] !== identity[name]);
  if (name !== undefined)
    throw new UserError(
      `cannot resume from ${path}: its run had ${saved[name] ?? `no ${name}`}, this one ${identity[name] ?? "none"}`,
      2,
    );
  try {
    const { extra } = load(bytes, params, { optimizers });
    ema?.loadStateDict(extra.ema as Parameters<WeightEma["loadStateDict"]>[0]);
    const states = [extra.schedule].flat() as Parameters<LRScheduler["loadStateDict"]>[0][]; // one in version 0.1
    schedules.forEach((schedule, i) => schedule.loadStateDict(states[i]));
    return extra.progress as Progress;
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new UserError(`cannot resume from ${path}: ${error.message}`, 1);
  }
}
