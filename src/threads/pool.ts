/// <reference lib="esnext.disposable" preserve="true" />
import type { Arena } from "../memory/arena.js";
import { knownOnly, number, record, wrongType } from "../util/check.js";
import { defineDispose } from "../util/dispose.js";
import { ThreadPool } from "../memory/memory-options.js";
import { text } from "../wasm/generated/shared.js";
import { decode } from "../wasm/text.js";
import { SharedArena } from "./arena.js";
import { type WorkerThread, obstacle, processors, startWorker } from "./host.js";
import { ASLEEP, CALL, LINE, MAX_THREADS, MEMORY, SENT } from "../wasm/generated/layout/threads.js";
import type { Message } from "./messages.js";

const OWNER = "Threads";
const count = number(
  `a whole number in [1, ${MAX_THREADS}]`,
  (x) => Number.isSafeInteger(x) && x >= 1 && x <= MAX_THREADS,
);

/** Options of {@link Threads.create}. */
export interface ThreadsOptions {
  /**
   * The URL of `gradstep/threads/worker.js`, for a bundler that does not find it by itself (esbuild): build that file as an
   * entry of its own, and say where it is served. Default: found beside the package's other files.
   */
  script?:
    | string
    | {
        /** The URL as text: a `URL` has it. */
        readonly href: string;
      }
    | undefined;
}

/** @internal What the tests set to other values. */
export interface Tuning {
  /** Elements from which work is divided, among threads that are awake, and among those that must be woken first. */
  readonly hot: number;
  readonly cold: number;
  /** Milliseconds that a worker watches for more work before it sleeps. */
  readonly spin: number;
  /** Milliseconds without a finished block after which a thread counts as dead. */
  readonly patience: number;
  /** The most calls that are not divided after the caller has waited long for a thread. */
  readonly backOff: number;
  /** Milliseconds in which every worker must have started. */
  readonly start: number;
}

// Measured with bench/threads.ts.
const tuned: Tuning = { hot: 65536, cold: 524288, spin: 0.1, patience: 2000, backOff: 63, start: 8000 };

let compiled: WebAssembly.Module | undefined;

/**
 * Threads that optimizers, norms and the MLP run on: the one that makes them, and workers. They work together inside a call
 * and sleep between calls; to the caller, `step()` is as synchronous as ever, and gives the same bits for any number of
 * threads. Work that is too small to gain from it stays on the caller's thread.
 *
 * In a browser the page must be cross-origin isolated.
 *
 * @example
 * const threads = await Threads.create();
 * const params = new SharedParameterDict({ w: [4096, 1024] }, { threads });
 * const optimizer = new AdamW(params);
 * optimizer.step();
 * await threads.dispose();
 */
export class Threads extends ThreadPool {
  /** {@link dispose}, for `using`; where the platform has it. */
  declare [Symbol.dispose]: () => void;

  /** Threads in all, the one that made them included. */
  readonly size: number;
  /** @internal */
  readonly tuning: Tuning;
  readonly #workers: (WorkerThread | undefined)[];
  readonly #words: Int32Array<ArrayBuffer>;
  #memories = 0;
  readonly #forgotten = new FinalizationRegistry<number>((id) => this.drop(id));

  /** @internal */
  constructor(workers: readonly WorkerThread[], tuning: Tuning) {
    super();
    this.size = workers.length + 1;
    this.tuning = tuning;
    this.#workers = [undefined, ...workers];
    // Typed as what it is not, since messages take it either way.
    this.#words = new Int32Array(new SharedArrayBuffer(this.size * LINE * 4) as unknown as ArrayBuffer);
  }

  /**
   * Starts threads.
   *
   * @param size How many in all, the calling one included: a whole number in [1, 32]. Default: one for each processor.
   * @throws TypeError, RangeError for a wrong argument; Error where there can be no threads (a page that is not
   * cross-origin isolated, a runtime without workers), or when a worker does not start within 8 seconds.
   * @example
   * const threads = await Threads.create(2);
   */
  static create(size?: number, options?: ThreadsOptions): Promise<Threads>;
  /** @internal */
  static create(size: number | undefined, options: ThreadsOptions, tuning: Partial<Tuning>): Promise<Threads>;
  static async create(size?: number, options: ThreadsOptions = {}, tuning: Partial<Tuning> = {}): Promise<Threads> {
    const given = record(OWNER, "options", options);
    knownOnly(OWNER, "", given, ["script"]);
    const script = readScript(given.script);
    const threads = size === undefined ? Math.min(processors(), MAX_THREADS) : count.read(OWNER, "size", size);
    const reason = threads > 1 ? obstacle() : undefined;
    if (reason !== undefined) throw new Error(`${OWNER}: ${reason}`);
    const workers = Array.from({ length: threads - 1 }, () => startWorker(script));
    const pool = new Threads(workers, { ...tuned, ...tuning });
    try {
      await pool.#start();
    } catch (error) {
      void pool.dispose(); // not awaited: that would be to wait for a script that did not start
      throw error;
    }
    return pool;
  }

  async #start(): Promise<void> {
    const { size: threads, tuning } = this;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const started = this.#workers.flatMap((worker, thread) => {
      if (worker === undefined) return [];
      return new Promise<void>((resolve, reject) => {
        worker.listen(resolve, (reason) => {
          this.#workers[thread] = undefined;
          reject(new Error(`${OWNER}: a worker did not start: ${reason}`));
        });
        const { module } = this;
        this.#send(thread, { kind: "start", words: this.#words, module, thread, threads, spin: tuning.spin });
      });
    });
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const cause = `its script said nothing for ${tuning.start / 1000} s: is it gradstep/threads/worker.js?`;
        reject(new Error(`${OWNER}: a worker did not start: ${cause}`));
      }, tuning.start);
    });
    await Promise.race([Promise.all(started), late]).finally(() => clearTimeout(timer));
    for (const worker of this.#workers) worker?.release();
  }

  /**
   * Ends the workers. What has been made on them goes on, on the caller's thread alone, with the same bits. Again: nothing.
   * @returns when all have ended; there is no need to wait. (A process that forgets to dispose exits all the same.)
   * @example
   * await threads.dispose();
   */
  async dispose(): Promise<void> {
    await Promise.all(this.#workers.splice(1).flatMap((worker) => worker?.end() ?? []));
  }

  /** Workers that live. */
  get workers(): number {
    return this.#workers.reduce((sum, worker) => (worker ? sum + 1 : sum), 0);
  }

  /** @internal */
  makeArena(capacity: number, owner: string, remedy: string): Arena {
    return new SharedArena({ capacity, threads: this }, owner, remedy);
  }

  /** @internal The kernels' module over shared memories. */
  get module(): WebAssembly.Module {
    return (compiled ??= new WebAssembly.Module(decode(text)));
  }

  /** @internal Gives the workers a memory; returns its number. They drop it with `drop`, or once `holder` is garbage. */
  share(memory: WebAssembly.Memory, holder: object): number {
    const id = ++this.#memories;
    for (let thread = 1; thread < this.#workers.length; thread++) this.#send(thread, { kind: "memory", id, memory });
    this.#forgotten.register(holder, id, holder);
    return id;
  }

  /** @internal */
  drop(id: number): void {
    for (let thread = 1; thread < this.#workers.length; thread++) this.#send(thread, { kind: "drop", id });
  }

  /** @internal Whether a worker lives, and whether it would have to be woken. */
  lives(thread: number): boolean {
    return this.#workers[thread] !== undefined;
  }

  /** @internal */
  sleeps(thread: number): boolean {
    return Atomics.load(this.#words, thread * LINE + ASLEEP) === 1;
  }

  /** @internal Calls a worker to the blocks of a memory. */
  call(thread: number, memory: number): void {
    Atomics.store(this.#words, thread * LINE + MEMORY, memory);
    this.#wake(thread);
  }

  #wake(thread: number): void {
    Atomics.add(this.#words, thread * LINE + CALL, 1);
    if (this.sleeps(thread)) Atomics.notify(this.#words, thread * LINE + CALL);
  }

  /** The count comes first: a worker that sees it goes to where the message will come. */
  #send(thread: number, message: Message): void {
    const worker = this.#workers[thread];
    if (worker === undefined) return;
    Atomics.add(this.#words, thread * LINE + SENT, 1);
    worker.post(message);
    this.#wake(thread);
  }
}
defineDispose(Threads);

function readScript(script: unknown): string | undefined {
  if (script === undefined || typeof script === "string") return script;
  const href = typeof script === "object" && script !== null ? (script as { href?: unknown }).href : undefined;
  if (typeof href !== "string") throw wrongType(OWNER, "script", "a URL", script);
  return href;
}
