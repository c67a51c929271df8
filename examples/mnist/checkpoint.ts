import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ParameterDict, StepOptimizer, WeightEma } from "gradstep";
import { load, saveFile } from "gradstep/checkpoint";
import type { LRScheduler } from "gradstep/schedule";
import { UserError } from "./errors.ts";
import type { Epoch } from "./train.ts";

/** Which checkpoint a run goes on from, where it writes its own, and how often. */
export interface Keeping {
  readonly resume?: string | undefined;
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
  readonly optimizer: StepOptimizer;
  readonly ema: WeightEma | undefined;
  readonly schedule: LRScheduler | undefined;
}

/** What must be the same when a run goes on, by the option that says it. */
export type Identity = Readonly<Record<string, string>>;

/** The metadata entry that has the {@link Identity}. */
const ENTRY = "mnist";

/** @throws UserError where no checkpoint could be written, before any time is spent on training. */
export function checkPlace({ checkpoint }: Keeping): void {
  if (checkpoint === undefined) return;
  const path = resolve(checkpoint);
  if (!existsSync(dirname(path)))
    throw new UserError(`cannot write ${checkpoint}: there is no folder ${dirname(path)}`, 1);
  if (existsSync(path) && !statSync(path).isFile()) throw new UserError(`cannot write ${checkpoint}: it is no file`, 1);
}

/** Writes a checkpoint; one that is there already stays whole until the new one is. */
export async function keep(
  path: string,
  { params, optimizer, ema, schedule }: Trained,
  identity: Identity,
  progress: Progress,
): Promise<void> {
  const losses = progress.losses.subarray(0, progress.batches);
  const extra = { progress: { ...progress, losses }, ema: ema?.stateDict(), schedule: schedule?.stateDict() };
  try {
    await saveFile(path, params, { optimizers: [optimizer], extra, metadata: { [ENTRY]: JSON.stringify(identity) } });
  } catch (error) {
    throw new UserError(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

/**
 * Reads a checkpoint into what is trained.
 * @throws UserError for a file that is missing, damaged, or of a run with other settings.
 */
export function resume(path: string, { params, optimizer, ema, schedule }: Trained, identity: Identity): Progress {
  const bytes = read(path);
  const saved = identityIn(bytes);
  if (saved !== undefined) {
    const name = Object.keys({ ...saved, ...identity }).find((name) => saved[name] !== identity[name]);
    if (name !== undefined)
      throw new UserError(
        `cannot resume from ${path}: its run had ${saved[name] ?? `no ${name}`}, this one ${identity[name] ?? "none"}`,
        2,
      );
  }
  try {
    const { extra } = load(bytes, params, { optimizers: [optimizer] });
    if (saved === undefined) throw new RangeError("it is no checkpoint of this command");
    ema?.loadStateDict(extra.ema as Parameters<WeightEma["loadStateDict"]>[0]);
    schedule?.loadStateDict(extra.schedule as Parameters<LRScheduler["loadStateDict"]>[0]);
    return extra.progress as Progress;
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new UserError(`cannot resume from ${path}: ${error.message}`, 1);
  }
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

/** The metadata entry, before all of the file is checked: settings that differ say more than tensors that do not fit. */
function identityIn(bytes: Uint8Array): Identity | undefined {
  try {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as {
      __metadata__: Record<string, string>;
    };
    return JSON.parse(header.__metadata__[ENTRY]) as Identity;
  } catch {
    return undefined;
  }
}
