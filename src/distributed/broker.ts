// A coordinator's side of the broker: streams, the model and tasks out, updates in, and the fence against older coordinators.
import type { NatsConnection, Subscription } from "@nats-io/nats-core";
import type { CoordinatorBroker } from "./interfaces.js";
import type { Incoming } from "./judge.js";
import { Fatal } from "./fatal.js";
import { ApiError, Link, WRONG_SEQUENCE, isUnanswered } from "./link.js";
import { HEADER, readHeader } from "./message.js";
import { CONSUMER, type Names, type RunInfo, type Task } from "./run.js";

/** What the coordinator does with what arrives. */
interface Receiver {
  receive(update: Incoming): void;
  trouble(): void;
  stop(reason: { error: unknown }): void;
  /** Messages of one update. */
  readonly updateMessages: number;
}

/** Milliseconds. */
const NO_JETSTREAM = 5000;
const SECOND = 1e9; // nanoseconds, which JetStream counts in
/** An unacknowledged task goes to another worker after so long; the coordinator issues it again before. */
const ACK_WAIT = 30 * SECOND;
const NAME_IN_USE = 10058;

export class NatsBroker implements CoordinatorBroker {
  /** The time of the start, so that newer coordinators have greater terms; the fraction tells those of the same time apart. */
  term = Date.now() + Math.random();
  readonly #link: Link;
  readonly #subscriptions: Subscription[] = [];
  /** Number of the last message by subject. */
  readonly #last = new Map<string, number>();
  #receiver!: Receiver;
  #isOpen = false;
  #failingSince: number | undefined;

  constructor(
    readonly owner: string,
    nc: NatsConnection,
    readonly names: Names,
  ) {
    this.#link = new Link(owner, nc);
  }

  /** Begins to hand over what arrives. */
  connect(receiver: Receiver): void {
    this.#receiver = receiver;
    const { nc } = this.#link;
    const subscribe = (subject: string, take: (data: Uint8Array, subject: string) => void): void => {
      const callback = (error: Error | null, message: { data: Uint8Array; subject: string }): void => {
        if (error === null) take(message.data, message.subject);
        else receiver.stop({ error: new Fatal(`${this.owner}: cannot subscribe to "${subject}": ${error.message}`) });
      };
      this.#subscriptions.push(nc.subscribe(subject, { callback }));
    };
    subscribe(`${this.names.prefix}.up.*.*.*`, (data, subject) => this.#take(data, subject, false));
    subscribe(this.names.info, (data) => {
      const term = termOfInfo(data);
      if (this.#isOpen && term > this.term) receiver.stop({ error: this.#fenced() });
    });
    this.#link.watch(
      () => receiver.trouble(),
      (error) => receiver.stop({ error }),
    );
  }

  /** Stops to hand over. */
  end(): void {
    for (const subscription of this.#subscriptions) if (!subscription.isClosed()) subscription.unsubscribe();
    this.#link.end();
  }

  async open(): Promise<void> {
    try {
      await this.#assertStreams();
      this.#failingSince = undefined;
    } catch (error) {
      this.#failingSince ??= performance.now();
      const seconds = performance.now() - this.#failingSince;
      if (!this.#isOpen && isUnanswered(error) && seconds > NO_JETSTREAM)
        throw new Fatal(`${this.owner}: the server has no JetStream: start it with -js`, { cause: error });
      throw error;
    }
    this.#last.clear();
    if (this.#isOpen) return;
    const last = await this.#link.stored(this.names.model, { last_by_subj: this.names.info });
    // A clock may be behind another.
    if (last !== undefined) this.term = Math.max(this.term, termOfInfo(last.data) + 1);
    this.#isOpen = true;
  }

  async publishInfo(info: RunInfo): Promise<void> {
    await this.#publishFenced(this.names.info, JSON.stringify(info), termOfInfo);
  }

  async publishModel(messages: readonly Uint8Array[]): Promise<void> {
    await Promise.all(
      messages.map((message, chunk) => this.#publishFenced(this.names.chunk(chunk), message, termOfChunk)),
    );
  }

  async publishTask(task: Task, sure: boolean): Promise<void> {
    const subject = this.names.task(task.round, task.replica, task.check);
    const text = JSON.stringify(task);
    if (sure) await this.#link.publish(subject, text);
    else this.#link.nc.publish(subject, text);
  }

  async readUpdates(round: number): Promise<void> {
    const filter = `${this.names.prefix}.up.${round}.>`;
    for (let from = 1; ;) {
      const update = await this.#link.stored(this.names.updates, { seq: from, next_by_subj: filter });
      if (update === undefined) return;
      this.#take(update.data, update.subject, true);
      from = update.sequence + 1;
    }
  }

  async purge(what: "updates" | "tasks", round?: number): Promise<void> {
    const [stream, part] = what === "tasks" ? [this.names.tasks, "task"] : [this.names.updates, "up"];
    const filter = round === undefined ? {} : { filter: `${this.names.prefix}.${part}.${round}.>` };
    await this.#link.api(`STREAM.PURGE.${stream}`, filter);
  }

  #take(data: Uint8Array, subject: string, isRepeated: boolean): void {
    const [, , , round, replica, worker] = subject.split(".");
    this.#receiver.receive({ round: Number(round), replica: Number(replica), worker, data, isRepeated });
  }

  async #assertStreams(): Promise<void> {
    const { names } = this;
    const { prefix } = names;
    const common = { discard: "old", allow_direct: true };
    await Promise.all([
      this.#assertStream(names.model, {
        ...common,
        subjects: [`${prefix}.model.*`],
        retention: "limits",
        max_msgs_per_subject: 1,
      }),
      this.#assertStream(names.updates, {
        ...common,
        subjects: [`${prefix}.up.*.*.*`],
        retention: "limits",
        max_msgs_per_subject: this.#receiver.updateMessages,
      }),
      this.#assertStream(names.tasks, {
        ...common,
        subjects: [`${prefix}.task.>`],
        retention: "workqueue",
        max_msgs_per_subject: 1,
      }),
    ]);
    await this.#link.api(`CONSUMER.DURABLE.CREATE.${names.tasks}.${CONSUMER}`, {
      stream_name: names.tasks,
      config: {
        durable_name: CONSUMER,
        ack_policy: "explicit",
        ack_wait: ACK_WAIT,
        deliver_policy: "all",
        replay_policy: "instant",
        max_ack_pending: -1,
        max_waiting: 16384,
      },
    });
  }

  /** Makes a stream; if there is one of other settings, changes those that matter. */
  async #assertStream(name: string, config: object): Promise<void> {
    try {
      await this.#link.api(`STREAM.CREATE.${name}`, { name, storage: "file", num_replicas: 1, ...config });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== NAME_IN_USE) throw error;
      const { config: old } = await this.#link.api<{ config: object }>(`STREAM.INFO.${name}`);
      await this.#link.api(`STREAM.UPDATE.${name}`, { ...old, ...config });
    }
  }

  /** Publishes, if no other coordinator has published since. */
  async #publishFenced(subject: string, data: string | Uint8Array, termOf: (data: Uint8Array) => number) {
    for (;;) {
      let expected = this.#last.get(subject);
      if (expected === undefined) {
        const last = await this.#link.stored(this.names.model, { last_by_subj: subject });
        if (last !== undefined && termOf(last.data) > this.term) throw this.#fenced();
        expected = last?.sequence ?? 0;
      }
      try {
        this.#last.set(subject, await this.#link.publish(subject, data, expected));
        return;
      } catch (error) {
        // Also after a publication whose acknowledgment was lost.
        this.#last.delete(subject);
        if (!(error instanceof ApiError) || error.code !== WRONG_SEQUENCE) throw error;
      }
    }
  }

  #fenced(): Fatal {
    return new Fatal(`${this.owner}: another coordinator holds "${this.names.run}"`);
  }
}

function termOfInfo(data: Uint8Array): number {
  try {
    const { term } = JSON.parse(new TextDecoder().decode(data)) as { term?: unknown };
    return typeof term === "number" ? term : 0;
  } catch {
    return 0;
  }
}

const termOfChunk = (data: Uint8Array): number =>
  data.length < HEADER ? 0 : readHeader(new DataView(data.buffer, data.byteOffset, data.length)).value;
