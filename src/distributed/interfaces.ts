// What a coordinator is given and gives: options, a broker, a store, and progress.
import type { Model } from "./model.js";
import type { RowSettings } from "./rows.js";
import type { InnerOptimizer, RunInfo, Task } from "./run.js";

/** What has happened in a round. */
export interface Progress {
  /** Counts from 1. */
  readonly round: number;
  /** The mean over replicas and local steps of what `step` returned. */
  readonly loss: number;
  /** Names of the workers whose updates were used, each once, in order of replica. */
  readonly workers: readonly string[];
  /** How long the round took. */
  readonly seconds: number;
  /** Tasks of the round that were issued again. */
  readonly reissued: number;
  /** Updates that were refused since the last round ended. */
  readonly refused: number;
  /** How many of them by reason, such as `{ damaged: 1 }`. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Names of the workers that lied, since the run began; their updates are refused. */
  readonly liars: readonly string[];
}

/** What a checkpoint keeps beside the parameters and the outer optimizer. */
export interface Saved {
  readonly round: number;
  readonly loss: number;
  readonly inner: string | null;
  readonly liars: readonly string[];
}

/** Where a run is saved. */
export interface Store {
  /** Loads what was saved into the model and the optimizer; undefined if nothing was. Throws for what is of another run. */
  load(): Promise<Saved | undefined>;
  /** Takes the state at the time of the call. */
  save(saved: Saved): Promise<void>;
}

/** What a coordinator needs of a message broker. Methods may fail and are then repeated, after `open`. */
export interface CoordinatorBroker {
  /** Of two coordinators the one with the greater term is the newer. Known after the first `open`. */
  readonly term: number;
  /** Makes what is missing at the server. */
  open(): Promise<void>;
  publishInfo(info: RunInfo): Promise<void>;
  publishModel(messages: readonly Uint8Array[]): Promise<void>;
  /** `sure`: whether to wait until the server has it. */
  publishTask(task: Task, sure: boolean): Promise<void>;
  /** Hands over the stored updates of a round again. */
  readUpdates(round: number): Promise<void>;
  /** Forgets updates, or tasks, of a round; of all rounds without one. */
  purge(what: "updates" | "tasks", round?: number): Promise<void>;
}

export interface CoordinatorOptions {
  readonly run: string;
  readonly model: Model;
  readonly optimizer: { step(options: { gradScale: number }): unknown };
  readonly settings: RowSettings;
  readonly rounds: number;
  readonly inner: InnerOptimizer | null;
  readonly verify: number;
  /** A number in [0, 1) that nobody can foresee. */
  readonly draw: () => number;
}
