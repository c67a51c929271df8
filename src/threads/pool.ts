// The pool of workers: starts and ends them, sends them the memories, and calls them to work.
import { compileShared } from "#binary";
import { ASLEEP, CALLS, MEMORY, MESSAGES, THREAD_WORDS } from "../wasm/generated/layout/threads.js";
import { type WorkerThread, startWorker } from "./host.js";
import type { Message } from "./messages.js";

const OWNER = "Threads";

/** Limits, which the tests set to other values. */
export interface Tuning {
  /** Elements from which work is divided among threads that are awake, and from which sleeping threads are woken for it. */
  readonly hot: number;
  readonly cold: number;
  /** Milliseconds that a worker waits for more work before it sleeps. */
  readonly spin: number;
  /** Milliseconds without a finished block after which a thread counts as dead. */
  readonly patience: number;
  /** Milliseconds in which every worker must have started. */
  readonly start: number;
}

// Measured with bench/threads.ts.
const tuned: Tuning = { hot: 65536, cold: 524288, spin: 0.1, patience: 2000, start: 8000 };

let compiled: WebAssembly.Module | undefined;

export class WorkerPool {
  /** Number of threads, the caller included. */
  readonly size: number;
  readonly tuning: Tuning;
  /** By thread: none at 0, which is the caller, nor for those that have died. */
  readonly #workers: (WorkerThread | undefined)[];
  readonly #words: Int32Array<ArrayBuffer>;
  #memories = 0;
  readonly #finalizers = new FinalizationRegistry<number>((id) => this.drop(id));

  private constructor(workers: readonly WorkerThread[], tuning: Tuning) {
    this.size = workers.length + 1;
    this.tuning = tuning;
    this.#workers = [undefined, ...workers];
    // A SharedArrayBuffer typed as an ArrayBuffer: messages take both.
    this.#words = new Int32Array(new SharedArrayBuffer(this.size * THREAD_WORDS * 4) as unknown as ArrayBuffer);
  }

  /** Starts a pool of `size` threads; rejects when a worker does not start. */
  static async start(size: number, script: string | undefined, tuning: Partial<Tuning>): Promise<WorkerPool> {
    const workers = Array.from({ length: size - 1 }, () => startWorker(script));
    const pool = new WorkerPool(workers, { ...tuned, ...tuning });
    try {
      await pool.#start();
    } catch (error) {
      void pool.end(); // not awaited, since that could wait for a script that did not start
      throw error;
    }
    return pool;
  }

  async #start(): Promise<void> {
    const { size: threads, tuning, module } = this;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const started = this.#workers.flatMap((worker, thread) => {
      if (worker === undefined) return [];
      return new Promise<void>((resolve, reject) => {
        worker.listen(resolve, (reason) => {
          this.#workers[thread] = undefined;
          reject(new Error(`${OWNER}: a worker did not start: ${reason}`));
        });
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

  /** Ends the workers. Idempotent. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.splice(1).flatMap((worker) => worker?.end() ?? []));
  }

  /** Number of live workers. */
  get workers(): number {
    return this.#workers.reduce((sum, worker) => (worker ? sum + 1 : sum), 0);
  }

  /** The kernels' module for shared memories. */
  get module(): WebAssembly.Module {
    return (compiled ??= compileShared());
  }

  /** Sends the workers a memory; returns its id. They drop it after `drop`, or once `holder` has been collected. */
  share(memory: WebAssembly.Memory, holder: object): number {
    const id = ++this.#memories;
    for (let thread = 1; thread < this.#workers.length; thread++) this.#send(thread, { kind: "memory", id, memory });
    this.#finalizers.register(holder, id, holder);
    return id;
  }

  /** Has the workers instantiate another binary on a memory. */
  load(id: number, binary: WebAssembly.Module): void {
    for (let thread = 1; thread < this.#workers.length; thread++) this.#send(thread, { kind: "load", id, binary });
  }

  drop(id: number): void {
    for (let thread = 1; thread < this.#workers.length; thread++) this.#send(thread, { kind: "drop", id });
  }

  isAlive(thread: number): boolean {
    return this.#workers[thread] !== undefined;
  }

  isAsleep(thread: number): boolean {
    return Atomics.load(this.#words, thread * THREAD_WORDS + ASLEEP) === 1;
  }

  /** Calls a worker to work on the job in a memory. */
  call(thread: number, memory: number): void {
    Atomics.store(this.#words, thread * THREAD_WORDS + MEMORY, memory);
    this.#wake(thread);
  }

  #wake(thread: number): void {
    Atomics.add(this.#words, thread * THREAD_WORDS + CALLS, 1);
    if (this.isAsleep(thread)) Atomics.notify(this.#words, thread * THREAD_WORDS + CALLS);
  }

  /** Counts the message before it is posted: a worker that sees the count returns to its event loop to receive it. */
  #send(thread: number, message: Message): void {
    const worker = this.#workers[thread];
    if (worker === undefined) return;
    Atomics.add(this.#words, thread * THREAD_WORDS + MESSAGES, 1);
    worker.post(message);
    this.#wake(thread);
  }
}
