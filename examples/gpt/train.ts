// Trains the model on pieces of the text, and keeps checkpoints.
import { setImmediate } from "node:timers/promises";
import type { AdamW } from "gradstep";
import { load, saveFile } from "gradstep/checkpoint";
import { type Network, Random } from "gradstep/nn";
import type { SequentialLR } from "gradstep/schedule";
import { type CheckpointFile, checkIdentity, loadInto, written } from "../command/checkpoint.ts";
import type { Text } from "./book.ts";
import { ENTRY, type Settings, identify, savedSettings } from "./settings.ts";

/** A part of the run, after which it is validated. */
export interface Leg {
  /** Steps so far. */
  readonly step: number;
  /** The mean over the leg's steps, each before its update. */
  readonly loss: number;
  /** On some rows of the validation text, after the leg. */
  readonly validation: number;
  /** In `trainBatch` and `step` alone. */
  readonly tokensPerSecond: number;
}

/** Who is told how the run goes. */
export interface Watcher {
  /** Whether `update` is wanted. */
  readonly live: boolean;
  /** A leg begins after `done` steps, and ends after `end`. */
  begin(done: number, end: number): void;
  /** At most ten times a second. */
  update(done: number, loss: number, tokensPerSecond: number): void;
  end(leg: Leg): void;
}

/** Where and how often to write a checkpoint, and how far to go. */
export interface Keeping {
  readonly checkpoint?: string | undefined;
  /** Steps of a leg; a checkpoint is written after each. */
  readonly every: number;
  /** Stop after so many steps. */
  readonly until: number;
}

/** How far a run has come. */
export interface Progress {
  step: number;
  /** The state of the generator that chooses the pieces of the text. */
  random: number[];
  /** Of every step so far. */
  losses: Float64Array;
  readonly legs: Leg[];
  /** Spent in `trainBatch` and `step`. */
  seconds: number;
}

/** What is trained. */
export interface Trained {
  readonly model: Network;
  readonly optimizer: AdamW;
  readonly schedule: SequentialLR;
}

/** Rows of the validation after a leg. */
const GLIMPSE = 128;
const REFRESH_MS = 100;

/** The progress of a run that has made none. */
export const begin = (seed: number): Progress => ({
  step: 0,
  random: new Random(seed + 2 ** 32).state(), // another stream of the generator than the network's start
  losses: new Float64Array(),
  legs: [],
  seconds: 0,
});

/**
 * Loads a checkpoint into what is trained.
 * @throws UserError if it is of another run, or further on than `until`.
 */
export function goOn(file: CheckpointFile, trained: Trained, settings: Settings, text: Text, until: number): Progress {
  const saved = savedSettings(file);
  checkIdentity({ ...file, identity: identify(saved, saved.text) }, identify(settings, text.hash));
  const progress = loadInto(file, () => {
    const { extra } = load(file.bytes, trained.model, { optimizers: [trained.optimizer] });
    trained.schedule.loadStateDict(extra.schedule as Parameters<SequentialLR["loadStateDict"]>[0]);
    return extra.progress as Progress;
  });
  if (progress.step > until)
    throw file.refuse(`its run has done ${progress.step} steps, more than --until ${until}`, 2);
  return progress;
}

/** Trains, and returns what happened. A run that goes on from a checkpoint has the bits of one that was never stopped. */
export async function train(
  { model, optimizer, schedule }: Trained,
  settings: Settings,
  text: Text,
  p: Progress,
  watcher: Watcher,
  { checkpoint, every, until }: Keeping,
): Promise<Pick<Progress, "legs" | "losses" | "seconds">> {
  const { batch, context, steps } = settings;
  const { alphabet, hash } = text;
  const losses = new Float64Array(steps);
  losses.set(p.losses);
  const random = Random.from(p.random);
  const metadata = { [ENTRY]: JSON.stringify({ ...settings, alphabet: alphabet.characters.join(""), text: hash }) };
  const keep = async (path: string): Promise<void> => {
    const progress = { ...p, random: random.state(), losses: losses.subarray(0, p.step) };
    const extra = { progress, schedule: schedule.stateDict() };
    await written(path, saveFile(path, model, { optimizers: [optimizer], extra, metadata }));
  };

  const [x, y] = [new Int32Array(batch * context), new Int32Array(batch * context)];
  let refreshed = performance.now();
  while (p.step < until) {
    const first = p.step;
    const end = Math.min(until, (Math.floor(first / every) + 1) * every);
    watcher.begin(first, end);
    let busy = 0;
    let sum = 0;
    const speed = (): number => Math.round(((p.step - first) * batch * context * 1000) / busy);
    while (p.step < end) {
      for (let row = 0; row < batch; row++)
        copyPiece(text.train, random.below(text.train.length - context), context, row, x, y);
      const start = performance.now();
      const loss = model.trainBatch(x, y);
      optimizer.step({ clipNorm: 1 });
      schedule.step();
      const now = performance.now();
      busy += now - start;
      sum += loss;
      losses[p.step++] = loss;
      if (now - refreshed > REFRESH_MS) {
        if (watcher.live) watcher.update(p.step, sum / (p.step - first), speed());
        await setImmediate(); // lets Ctrl-C through
        refreshed = performance.now();
      }
    }
    const validation = validate(model, text.validation, context, GLIMPSE).loss;
    const leg = { step: p.step, loss: sum / (p.step - first), validation, tokensPerSecond: speed() };
    p.legs.push(leg);
    p.seconds += busy / 1000;
    watcher.end(leg);
    if (checkpoint !== undefined) await keep(checkpoint);
  }
  return { legs: p.legs, losses: losses.subarray(0, p.step), seconds: p.seconds };
}

/** Mean loss and accuracy over rows of `context` characters, side by side from the start: at most `most`, evenly spaced. */
export function validate(
  model: Network,
  numbers: Int32Array,
  context: number,
  most = Infinity,
): { loss: number; accuracy: number; characters: number } {
  const all = Math.floor((numbers.length - 1) / context);
  const rows = Math.min(all, most);
  const [x, y] = [new Int32Array(rows * context), new Int32Array(rows * context)];
  for (let row = 0; row < rows; row++) copyPiece(numbers, Math.floor((row * all) / rows) * context, context, row, x, y);
  return { ...model.evaluate(x, y), characters: rows * context };
}

/** Copies the piece from `start` on into a row of x, and the characters that follow each of its into y. */
export function copyPiece(
  from: Int32Array,
  start: number,
  context: number,
  row: number,
  x: Int32Array,
  y: Int32Array,
): void {
  x.set(from.subarray(start, start + context), row * context);
  y.set(from.subarray(start + 1, start + 1 + context), row * context);
}
