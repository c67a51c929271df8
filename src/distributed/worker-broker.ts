// A worker's side of the broker: tasks and the model in, updates out.
import type { NatsConnection, Subscription } from "@nats-io/nats-core";
import type { Waker } from "./clock.js";
import { Fatal } from "./fatal.js";
import { Link } from "./link.js";
import { CHUNK } from "./message.js";
import { CONSUMER, type Names, type RunInfo, type Task } from "./run.js";
import type { Received } from "./workspace.js";

/** A task, and what to tell the server about it. */
export interface TaskMessage {
  readonly task: Task;
  /** It is done: its update is stored. */
  done(): void;
  /** Another worker should do it. */
  leave(): void;
  /** It is being done; says so once a second at most. */
  working(): void;
}

interface Listener {
  info(info: RunInfo): void;
  reconnected(): void;
  stop(reason: { error: unknown }): void;
}

/** Milliseconds. */
const PULL = 5000;
const BEAT = 1000;
const LEAVE = 50;
const SLACK = 1000;
const RETRY = 200;

export class WorkerBroker {
  readonly #link: Link;
  #subscription: Subscription | undefined;
  /** The open request for a task that the server surely knows. */
  #asked: object | undefined;
  #isWaiting = false;
  #task: TaskMessage | undefined;
  #isEnded = false;
  #listener!: Listener;

  constructor(
    readonly owner: string,
    nc: NatsConnection,
    readonly names: Names,
    readonly name: string,
  ) {
    this.#link = new Link(owner, nc);
  }

  connect(listener: Listener): void {
    this.#listener = listener;
    this.#subscription = this.#link.nc.subscribe(this.names.info, {
      callback: (error, message) => {
        if (error !== null) {
          const why = `${this.owner}: no permission to subscribe to "${this.names.info}": see docs/distributed.md`;
          listener.stop({ error: new Fatal(why, { cause: error }) });
          return;
        }
        const info = readInfo(message.data);
        if (info === undefined) return;
        this.#asked = undefined; // streams may have been made anew
        listener.info(info);
      },
    });
    this.#link.watch(
      () => {
        this.#asked = undefined;
        listener.reconnected();
      },
      (error) => listener.stop({ error }),
    );
  }

  end(): void {
    this.#isEnded = true;
    this.#task?.leave();
    if (this.#subscription?.isClosed() === false) this.#subscription.unsubscribe();
    this.#link.end();
  }

  /** What the run is; undefined if there is none. */
  async info(): Promise<RunInfo | undefined> {
    const last = await this.#link.stored(this.names.model, { last_by_subj: this.names.info });
    return last && readInfo(last.data);
  }

  /** The next task; undefined when there was none for a while, or the waker woke. */
  async pull(waker: Waker): Promise<TaskMessage | undefined> {
    if (this.#asked === undefined) this.#ask(waker);
    this.#isWaiting = true;
    await waker.wait(PULL + SLACK);
    this.#isWaiting = false;
    const task = this.#task;
    this.#task = undefined;
    return task;
  }

  /** Asks for a task, beside requests that a server may have forgotten. An answer to one of these is a task, too. */
  #ask(waker: Waker): void {
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.names.tasks}.${CONSUMER}`;
    const asked = (this.#asked = {});
    this.#link
      // A task arrives under its own subject, which the shared inbox of requests does not know.
      .request(subject, JSON.stringify({ batch: 1, expires: PULL * 1e6 }), { timeout: PULL + SLACK, noMux: true })
      .then((message) => {
        if ((message.headers?.code ?? 0) !== 0 || message.reply === undefined) return;
        const task = this.#taskOf(message.json<Task>(), message.reply);
        if (!this.#isWaiting || this.#isEnded || this.#task !== undefined) task.leave();
        else this.#task = task;
      })
      .catch(async (error: unknown) => {
        if (error instanceof Fatal) this.#listener.stop({ error });
        else await new Promise((resolve) => setTimeout(resolve, RETRY));
      })
      .finally(() => {
        if (this.#asked === asked) this.#asked = undefined;
        waker.wake();
      });
  }

  #taskOf(task: Task, reply: string): TaskMessage {
    const say = (what: string): void => {
      if (!this.#link.nc.isClosed()) this.#link.nc.publish(reply, what);
    };
    let beat = performance.now();
    return {
      task,
      done: () => say("+ACK"),
      leave: () => say(`-NAK {"delay": ${LEAVE * 1e6}}`),
      working: () => {
        if (performance.now() - beat < BEAT) return;
        beat = performance.now();
        say("+WPI");
      },
    };
  }

  /** The body of the stored model and its round; undefined while it is damaged, incomplete or not of this checksum. */
  async model(
    read: (message: Uint8Array) => Received | undefined,
    model: number,
  ): Promise<{ round: number; bytes: Uint8Array } | undefined> {
    const chunk = async (i: number): Promise<Received | undefined> => {
      const last = await this.#link.stored(this.names.model, { last_by_subj: this.names.chunk(i) });
      return last && read(last.data);
    };
    const first = await chunk(0);
    if (first === undefined) return undefined;
    const { round, chunks, bytes } = first.header;
    if (first.header.model !== model || chunks === 1) return { round, bytes: first.body };
    const body = new Uint8Array(bytes);
    /** Copies a part at once, since it is a view; false if it is of another model. */
    const copy = (part: Received | undefined): boolean => {
      if (part?.header.model !== model || part.body.length > bytes - part.header.chunk * CHUNK) return false;
      body.set(part.body, part.header.chunk * CHUNK);
      return true;
    };
    copy(first);
    const rest = Array.from({ length: chunks - 1 }, async (_, i) => copy(await chunk(i + 1)));
    if ((await Promise.all(rest)).includes(false)) return undefined;
    return { round, bytes: body };
  }

  /** Sends an update and waits until it is stored. */
  async send({ round, replica }: Task, messages: readonly Uint8Array[]): Promise<void> {
    const subject = this.names.update(round, replica, this.name);
    await Promise.all(messages.map((message) => this.#link.publish(subject, message)));
  }
}

/** Reads what a coordinator tells; undefined for what is not of this version. */
function readInfo(data: Uint8Array): RunInfo | undefined {
  const info = JSON.parse(new TextDecoder().decode(data)) as Omit<RunInfo, "version"> & { version: number };
  return info.version === 1 ? (info as RunInfo) : undefined;
}
