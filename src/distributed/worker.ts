// A worker's part of a task: the model, the local steps, the update. No network.
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { otherTasks } from "../util/turns.js";
import { type Header, MODEL, NONE, UPDATE, type Fingerprint, sameFingerprint } from "./message.js";
import { type Form, type Model, countOfBuffers } from "./model.js";
import { type InnerState, type RunInfo, type Task, fingerprintOf, innerFingerprint, textOfOptimizer } from "./run.js";
import { fillRows, placeOf, seedOf } from "./rows.js";
import { type Received, Workspace } from "./workspace.js";

/** What a local step is about. */
export interface LocalStep {
  /** Numbers of the rows of its batch, in [0, `samples`): valid until `step` returns. */
  readonly rows: Uint32Array;
  /** Counts from 1. */
  readonly round: number;
  /** In [0, `replicas`). */
  readonly replica: number;
  /** In [0, `localSteps`). */
  readonly step: number;
  /** A whole number in [0, 2³²) of its own, for random numbers: `new Random(seed)`. */
  readonly seed: number;
}

/** Makes a local step: fills the gradients, steps, and returns the loss, or a promise of it. */
export type StepFunction = (step: LocalStep) => number | Promise<number>;

/** Milliseconds of work after which other tasks get their turn. */
const SLICE = 12;

/** Computes tasks of one run. */
export class TaskRunner {
  readonly run: Fingerprint;
  readonly text: string;
  readonly #workspace: Workspace;
  readonly #inner: Fingerprint;
  /** The inner optimizer's state before its first step. */
  readonly #fresh: InnerState;
  readonly #rows: Uint32Array;
  readonly #form: Form;
  /** Round and checksum of the model in the workspace, and its buffers. */
  #loaded: { readonly round: number; readonly model: number; readonly buffers: Float32Array } | undefined;

  constructor(
    readonly info: RunInfo,
    readonly model: Model,
    readonly optimizer: AnyOptimizer,
    readonly step: StepFunction,
  ) {
    this.run = fingerprintOf(info);
    this.text = textOfOptimizer(optimizer);
    this.#inner = innerFingerprint(this.text);
    this.#fresh = optimizer.stateDict();
    this.#form = info.form;
    this.#workspace = new Workspace(model.numel, countOfBuffers(info.form));
    this.#rows = new Uint32Array(info.settings.batchSize);
  }

  /** Reads a message of the model; undefined if it is damaged or of another run. */
  read(message: Uint8Array): Received | undefined {
    const received = this.#workspace.unpack(message);
    if (received?.header.kind !== MODEL || !sameFingerprint(received.header.run, this.run)) return undefined;
    return received;
  }

  /** Whether the model is there already. */
  has(round: number, model: number): boolean {
    return this.#loaded?.round === round && this.#loaded.model === model;
  }

  /** Whether the model of a later round has been loaded. */
  isPast(round: number): boolean {
    return this.#loaded !== undefined && this.#loaded.round > round;
  }

  /** Takes a model's body; false if it is not the one with this checksum. */
  load(round: number, model: number, body: Uint8Array): boolean {
    if (body.length !== this.#workspace.modelBytes) return false;
    const buffers = this.#workspace.decodeModel(body, model);
    if (buffers === undefined) return false;
    this.#loaded = { round, model, buffers: buffers.slice() };
    return true;
  }

  /** Writes the loaded model into the parameters and buffers. */
  write(): void {
    const { buffers } = this.#loaded!;
    this.model.scatter(this.#workspace.before);
    this.model.scatterBuffers(this.#form, buffers);
  }

  /** Trains from the loaded model; returns the messages of the update. `tick` is called between steps and may throw. */
  async train({ round, replica, inner, model }: Task, tick: () => void): Promise<Uint8Array[]> {
    const { settings } = this.info;
    this.write();
    this.optimizer.loadStateDict(this.#fresh);
    let loss = 0;
    let last = performance.now();
    for (let step = 0; step < settings.localSteps; step++) {
      const place = placeOf(settings, round, replica, step);
      fillRows(settings, place, this.#rows);
      if (this.model.network !== undefined) this.model.network.steps = place;
      const given = this.step({ rows: this.#rows, round, replica, step, seed: seedOf(settings, place) });
      loss += typeof given === "number" ? given : await given;
      if (performance.now() - last < SLICE) continue;
      await otherTasks();
      tick();
      last = performance.now();
    }
    this.model.gather(this.#workspace.after);
    const body = this.#workspace.encodeUpdate(this.model.gatherBuffers(this.#form)) ?? new Uint8Array(0);
    const text = body.length > 0 && sameFingerprint(inner, NONE) ? new TextEncoder().encode(this.text) : undefined;
    const header: Omit<Header, "chunk" | "chunks" | "bytes"> = {
      kind: UPDATE,
      run: this.run,
      inner: this.#inner,
      round,
      replica,
      model,
      text: text?.length ?? 0,
      value: loss / settings.localSteps,
    };
    return this.#workspace.pack(text === undefined ? body : joined(body, text), header);
  }

  /** Puts the inner optimizer back into its state before the first step. */
  reset(): void {
    this.optimizer.loadStateDict(this.#fresh);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
