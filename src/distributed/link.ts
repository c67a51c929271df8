// Requests to NATS and its JetStream API over the user's connection, with errors that say what is wrong.
import { type Msg, type NatsConnection, type RequestOptions, headers } from "@nats-io/nats-core";
import { Fatal, Refused } from "./fatal.js";
import { wrongType } from "../util/check.js";

/** An error that the JetStream API answers with. */
export class ApiError extends Refused {
  constructor(
    readonly code: number,
    description: string,
  ) {
    super(`JetStream: ${description} (${code})`);
  }
}

/** Another message than the expected one is the last of its subject. */
export const WRONG_SEQUENCE = 10071;

/** A stored message. */
export interface Stored {
  readonly sequence: number;
  readonly subject: string;
  readonly data: Uint8Array;
}

/** Milliseconds. */
const [TIMEOUT, READ_TIMEOUT] = [2000, 1000];
/** After so many requests without an answer the connection is taken for dead. */
const MOST_TIMEOUTS = 3;
const PAUSE = 50;

const DIRECT = "$JS.API.DIRECT.GET.";

/** Reads the argument `nc`. */
export function checkConnection(owner: string, nc: unknown): NatsConnection {
  const { request, status, then } = Object(nc) as Partial<NatsConnection & PromiseLike<unknown>>;
  if (typeof then === "function") {
    const error = wrongType(owner, "nc", "a connection to NATS", nc);
    const isMissing = (globalThis as { WebSocket?: unknown }).WebSocket === undefined;
    const hint = isMissing ? "; wsconnect has no WebSocket here: Node 22 or later, or @nats-io/transport-node" : "";
    error.message += `: await it${hint}`;
    throw error;
  }
  if (typeof request !== "function" || typeof status !== "function")
    throw wrongType(owner, "nc", "a connection to NATS, as connect() of @nats-io/transport-node gives", nc);
  return nc as NatsConnection;
}

/** A connection, for one run. */
export class Link {
  #timeouts = 0;
  #isConnected = true;
  #isProbing = false;
  /** Rejects the requests that are open. */
  readonly #open = new Set<(error: Error) => void>();
  #status: { stop?(): void } | undefined;

  constructor(
    readonly owner: string,
    readonly nc: NatsConnection,
  ) {
    if (nc.isClosed()) throw this.#closed();
  }

  /** Calls back when the connection was lost and is there again, and when it is closed for good. */
  watch(reconnected: () => void, closed: (error: Fatal) => void): void {
    const status = this.nc.status();
    this.#status = status as { stop?(): void };
    void (async () => {
      for await (const { type } of status) {
        if (type === "disconnect") this.#disconnected();
        if (type !== "reconnect") continue;
        this.#isConnected = true;
        reconnected();
      }
    })();
    void this.nc.closed().then((error) => closed(this.#closed(error ?? undefined)));
  }

  /** Answers to what was asked do not come any more. */
  #disconnected(): void {
    this.#isConnected = false;
    for (const reject of this.#open) reject(new Error("disconnected"));
    this.#open.clear();
  }

  /** Ends the watch. */
  end(): void {
    this.#status?.stop?.();
  }

  async request(subject: string, payload: string | Uint8Array, given: Partial<RequestOptions> = {}): Promise<Msg> {
    const options = { timeout: TIMEOUT, ...given };
    // What is sent while there is no connection goes out before the subscription for the answer.
    if (!this.#isConnected) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (!this.#isConnected && !this.nc.isClosed()) throw new Error("disconnected");
    try {
      const message = await new Promise<Msg>((resolve, reject) => {
        this.#open.add(reject);
        const settled = this.nc.request(subject, payload, options).then(resolve, reject);
        void settled.finally(() => this.#open.delete(reject));
      });
      this.#timeouts = 0;
      return message;
    } catch (error) {
      throw this.#explained(error as Error, subject, payload.length);
    }
  }

  /** A request to the JetStream API. */
  async api<T>(subject: string, body: object = {}): Promise<T> {
    return answerOf(await this.request(`$JS.API.${subject}`, JSON.stringify(body))) as T;
  }

  /** Publishes into a stream, if the last message of the subject has the expected number; returns the new one's. */
  async publish(subject: string, data: string | Uint8Array, expected?: number): Promise<number> {
    const options: Partial<RequestOptions> = {};
    if (expected !== undefined) {
      options.headers = headers();
      options.headers.set("Nats-Expected-Last-Subject-Sequence", String(expected));
    }
    return (answerOf(await this.request(subject, data, options)) as { seq: number }).seq;
  }

  /** Reads a stored message; undefined if there is none. */
  async stored(stream: string, which: object): Promise<Stored | undefined> {
    const { data, headers } = await this.request(DIRECT + stream, JSON.stringify(which), { timeout: READ_TIMEOUT });
    if (headers === undefined || headers.code === 404) return undefined;
    if (headers.code >= 400) throw new ApiError(headers.code, headers.description);
    return { sequence: Number(headers.get("Nats-Sequence")), subject: headers.get("Nats-Subject"), data };
  }

  #closed(cause?: Error): Fatal {
    const why = cause === undefined ? "" : `: ${cause.message}`;
    return new Fatal(`${this.owner}: the connection to NATS is closed${why}`, { cause });
  }

  #explained(error: Error, subject: string, bytes: number): Error {
    const causes = [error, error.cause as Error | undefined];
    const named = (name: string): boolean => causes.some((each) => each?.name === name);
    if (this.nc.isClosed()) return this.#closed(error);
    if (named("PermissionViolationError")) {
      const violated = causes.find((each) => each?.name === "PermissionViolationError") as { operation?: string };
      const what = violated.operation === "subscription" ? "subscribe to its inbox" : `publish to "${subject}"`;
      return new Fatal(`${this.owner}: no permission to ${what}: see docs/distributed.md`, { cause: error });
    }
    if (named("InvalidArgumentError"))
      return new Fatal(
        `${this.owner}: the server takes messages of at most ${this.nc.info?.max_payload ?? 0} bytes, not ${bytes}: raise its max_payload`,
        { cause: error },
      );
    // A stream that is not there does not answer either.
    if (named("TimeoutError") && !subject.startsWith(DIRECT) && ++this.#timeouts >= MOST_TIMEOUTS) void this.#probe();
    return error;
  }

  /**
   * Makes the connection anew if it is half-open: the other side is gone, and nothing says so but that a ping is not answered.
   * A reconnection loses the answers of requests, so it must not happen without need.
   */
  async #probe(): Promise<void> {
    if (this.#isProbing || !this.#isConnected || this.nc.isClosed()) return;
    this.#isProbing = true;
    this.#timeouts = 0;
    const isAlive = await Promise.race([
      this.nc.flush().then(
        () => true,
        () => true,
      ),
      new Promise<false>((resolve) => setTimeout(resolve, TIMEOUT, false)),
    ]);
    this.#isProbing = false;
    if (!isAlive && !this.nc.isClosed()) await this.nc.reconnect().catch(() => undefined);
  }
}

/** Whether nobody answered a request: JetStream, or the stream, is not there, or not yet. */
export const isUnanswered = (error: unknown): boolean =>
  [error, (Object(error) as Error).cause].some((each) => (Object(each) as Error).name === "NoResponders");

function answerOf(message: Msg): object {
  const { error, ...answer } = message.json<{ error?: { err_code?: number; code: number; description: string } }>();
  if (error) throw new ApiError(error.err_code ?? error.code, error.description);
  return answer;
}
