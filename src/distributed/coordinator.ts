// What a coordinator does, whatever carries its messages: begins rounds, judges updates, steps, saves, recovers.
import { type Clock, Waker } from "./clock.js";
import { Fatal } from "./fatal.js";
import { type Incoming, type Judge, makeJudge } from "./judge.js";
import type { CoordinatorBroker, CoordinatorOptions, Progress, Saved, Store } from "./interfaces.js";
import { CHUNK, MODEL } from "./message.js";
import { resolve } from "./disputes.js";
import { Patience } from "./patience.js";
import { Pace } from "./pace.js";
import { Round } from "./round.js";
import { type RunInfo, fingerprintOf } from "./run.js";
import { Saver } from "./saver.js";
import { Workspace } from "./workspace.js";

/** Milliseconds. */
const RETRY = 100;

export class Coordinator {
  readonly #waker: Waker;
  readonly #workspace: Workspace;
  readonly #judge: Judge;
  readonly #saver: Saver;
  #round: Round;
  #model = 0;
  #messages: readonly Uint8Array[] = [];
  #finished = 0;
  #loss = NaN;
  /** Why the run stops: closed, or an error. */
  #stop: { error?: unknown } | undefined;
  /** Whether streams may be missing, or messages have been missed. */
  #isStale = true;
  #begun = 0;
  #reissued = 0;
  readonly #pace = new Pace();

  constructor(
    readonly options: CoordinatorOptions,
    readonly broker: CoordinatorBroker,
    readonly clock: Clock,
    store: Store,
  ) {
    const { model, settings } = options;
    this.#waker = new Waker(clock);
    this.#workspace = new Workspace(model.numel, model.bufferCount);
    this.#saver = new Saver(store, clock, {
      saved: (round) => {
        if (!this.#stop) this.#background(this.broker.purge("updates", round));
      },
      failed: (error) => this.stop({ error }),
    });
    this.#round = new Round(0, 0, () => false);
    this.#judge = makeJudge(this.#workspace, fingerprintOf({ settings, form: model.form }), options.inner, {
      now: () => clock.now(),
      accepted: (replica) => this.#accepted(replica),
      settled: () => {
        this.#saver.isUrgent = true;
        this.#background(this.broker.publishInfo(this.#info("running")));
      },
    });
  }

  /** Takes an update. */
  receive(update: Incoming): void {
    this.#judge.receive(this.#round, this.#model, update);
    this.#waker.wake();
  }

  /** The size of an update in messages. */
  get updateMessages(): number {
    return Math.ceil(this.#workspace.updateBytes / CHUNK);
  }

  /** Says that messages may have been missed, or streams lost. */
  trouble(): void {
    this.#isStale = true;
    this.#waker.wake();
  }

  /** Ends the run after what is being done: with an error, or without. */
  stop(reason: { error?: unknown } = {}): void {
    this.#stop ??= reason;
    this.#waker.wake();
  }

  /** The rounds, one after another. The tasks of the next round are issued before one is yielded. */
  async *rounds(): AsyncGenerator<Progress, void, undefined> {
    const { rounds } = this.options;
    let conducting: Promise<void> | undefined;
    try {
      const saved = await this.#saver.load();
      this.#finished = saved?.round ?? 0;
      this.#loss = saved?.loss ?? NaN;
      this.#judge.restore(saved?.inner ?? null, saved?.liars ?? []);
      await this.#persist(() => this.broker.open());
      if (this.#finished >= rounds) {
        await this.#end();
        yield this.#progress(this.#finished, []);
        return;
      }
      conducting = this.#begin();
      while (this.#finished < rounds) {
        await conducting;
        if (this.#isStopped) break;
        const workers = this.#step();
        const progress = this.#progress(this.#finished, workers);
        this.#saver.save(this.#state);
        if (this.#finished < rounds) conducting = this.#begin();
        else await this.#end();
        yield progress;
      }
    } finally {
      this.#stop ??= {};
      this.#waker.wake();
      await conducting?.catch(() => undefined);
      if (!(this.#stop.error instanceof Fatal)) await this.#saver.finish(this.#state);
    }
    if ("error" in this.#stop) throw this.#stop.error;
  }

  /** Prepares the next round and starts to conduct it. */
  #begin(): Promise<void> {
    const { verify, draw, settings } = this.options;
    this.#encode();
    this.#round = new Round(this.#finished + 1, settings.replicas, () => verify > 0 && draw() < verify);
    this.#begun = this.clock.now();
    this.#reissued = 0;
    const conducting = this.#conduct(this.#round);
    conducting.catch(() => undefined); // whoever awaits it gets the error
    return conducting;
  }

  /** Makes the messages of the model as it is. */
  #encode(): void {
    const { model } = this.options;
    model.gather(this.#workspace.before);
    const body = this.#workspace.encodeModel(model.gatherBuffers(model.form));
    this.#model = this.#workspace.checksum(body);
    this.#messages = this.#workspace.pack(body, {
      kind: MODEL,
      run: this.#judge.run,
      inner: this.#judge.print,
      round: this.#finished + 1,
      replica: 0,
      model: this.#model,
      text: 0,
      value: this.broker.term,
    });
  }

  /** Issues the tasks of a round, and again those that are not answered, until all are. */
  async #conduct(round: Round): Promise<void> {
    await this.#persist(async () => {
      if (this.#isStale) await this.#recover(round);
      else {
        const tasks = this.#issue(round, round.open, false);
        await Promise.all([this.broker.publishModel(this.#messages), ...tasks]);
      }
      while (!round.complete && !this.#stop) {
        if (this.#isStale) await this.#recover(round);
        const limit = this.#pace.limit;
        const now = this.clock.now();
        for (const replica of round.open) resolve(round, replica, this.#judge, limit, now);
        const due = round.open.filter((replica) => round.entries[replica].lastIssued + limit <= now);
        await Promise.all(this.#issue(round, due, true));
        const { open } = round;
        if (open.length === 0) continue;
        const next = Math.min(...open.map((replica) => round.entries[replica].lastIssued)) + limit;
        await this.#waker.wait(next - this.clock.now());
      }
    });
  }

  /** Repeats an action until it succeeds, the run stops, or the broker has refused it for too long. */
  async #persist(action: () => Promise<void>): Promise<void> {
    const patience = new Patience();
    while (!this.#stop) {
      try {
        await action();
        return;
      } catch (error) {
        const isRefused = patience.failed(error, this.clock.now());
        // Where the store is full, late or hostile updates have filled it. Those of the round are asked for again.
        if (isRefused) await this.broker.purge("updates").catch(() => undefined);
        this.#isStale = true;
        await this.#waker.wait(RETRY);
      }
    }
  }

  /** Makes again at the broker what is missing there, and reads what is there. */
  async #recover(round: Round): Promise<void> {
    this.#isStale = false;
    await this.broker.open();
    await this.broker.publishInfo(this.#info("running"));
    await this.broker.publishModel(this.#messages);
    await this.broker.readUpdates(round.number);
    await Promise.all(this.#issue(round, round.open, true));
  }

  /** Issues tasks; to two workers where an answer is to be checked. */
  #issue(round: Round, replicas: readonly number[], sure: boolean): Promise<void>[] {
    const { run, print } = this.#judge;
    return replicas.flatMap((replica) => {
      const entry = round.entries[replica];
      entry.issued ??= this.clock.now();
      entry.lastIssued = this.clock.now();
      if (entry.times++ > 0) this.#reissued++;
      const not = entry.answers.map(({ worker }) => worker);
      const task = { round: round.number, replica, run, inner: print, model: this.#model, not };
      const first = not.length === 0 ? [this.broker.publishTask({ ...task, check: false }, sure)] : [];
      const second = entry.needed > 1 ? [this.broker.publishTask({ ...task, check: true }, sure)] : [];
      return [...first, ...second];
    });
  }

  #accepted(replica: number): void {
    const { issued } = this.#round.entries[replica];
    if (issued !== undefined) this.#pace.add(this.clock.now() - issued);
  }

  /** Steps by the mean of the updates; returns the workers that made them. */
  #step(): string[] {
    const { model, optimizer, settings } = this.options;
    const workspace = this.#workspace;
    const { accepted } = this.#round;
    const buffers = new Float64Array(model.bufferCount);
    workspace.after.fill(0);
    for (const { body } of accepted) workspace.subtractUpdate(body).forEach((x, i) => (buffers[i] += x));
    model.scatter(workspace.after, "grad");
    optimizer.step({ gradScale: 1 / settings.replicas });
    model.scatterBuffers(
      model.form,
      Float32Array.from(buffers, (sum) => sum / settings.replicas),
    );
    this.#finished = this.#round.number;
    // What was issued twice may not have been taken; late updates stay where their round has been forgotten.
    if (this.#reissued > 0 || this.#round.entries.some(({ needed }) => needed > 1))
      this.#background(this.broker.purge("tasks", this.#finished));
    for (const round of this.#judge.takeLate())
      if (round !== this.#finished + 1) this.#background(this.broker.purge("updates", round));
    this.#loss = accepted.reduce((sum, { loss }) => sum + loss, 0) / settings.replicas;
    return [...new Set(accepted.map(({ worker }) => worker))];
  }

  #progress(round: number, workers: string[]): Progress {
    return {
      round,
      loss: this.#loss,
      workers,
      seconds: workers.length === 0 ? 0 : (this.clock.now() - this.#begun) / 1000,
      reissued: this.#reissued,
      ...this.#judge.takeCounts(),
    };
  }

  /** Saves the last state and tells all workers that the run has ended. */
  async #end(): Promise<void> {
    await this.#saver.finish(this.#state);
    this.#encode();
    await this.#persist(async () => {
      await this.broker.open();
      await this.broker.publishModel(this.#messages);
      await this.broker.publishInfo(this.#info("ended"));
      await this.broker.purge("tasks");
      await this.broker.purge("updates");
    });
  }

  #info(state: RunInfo["state"]): RunInfo {
    const { model, rounds, settings, inner } = this.options;
    return {
      version: 1,
      term: this.broker.term,
      state,
      rounds,
      settings,
      form: model.form,
      demanded: inner,
      inner: this.#judge.inner,
      model: this.#model,
    };
  }

  get #isStopped(): boolean {
    return this.#stop !== undefined;
  }

  get #state(): Saved {
    const { inner, liars } = this.#judge;
    return { round: this.#finished, loss: this.#loss, inner, liars };
  }

  /** What may fail: the run goes on, and repeats it if that is necessary. */
  #background(action: Promise<void>): void {
    action.catch((error: unknown) => {
      if (error instanceof Fatal) this.stop({ error });
      else this.trouble();
    });
  }
}
