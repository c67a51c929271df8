// The caller's side of the protocol: divides a job on one shared memory into blocks and runs them together with workers.
import { PAGE, makeMemory } from "../memory/arena.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import { MAX_PAGES } from "../wasm/generated/layout/memory.js";
import { PASS_BYTES } from "../wasm/generated/layout/run-list.js";
import * as layout from "../wasm/generated/layout/threads.js";
import { exportsOf, moduleOf } from "../wasm/module.js";
import { BlockRunner, type Divisible } from "./block-runner.js";
import { canSleep } from "./host.js";
import type { WorkerPool } from "./pool.js";

/** How often the caller reads the count of finished blocks before it sleeps until that changes. */
const SPINS = 3000;
/** Consecutive calls after which sleeping workers are woken for the next: more than one step makes. */
const CONSECUTIVE = 4;
/** Milliseconds that the caller sleeps at a time. */
const SLEEP = 20;
/** The most milliseconds that one sleep counts as time without progress: if the whole machine stood still, no thread is dead. */
const MAX_COUNTED = 50;

/** The threads that work on one shared memory. */
export class Team {
  readonly memory: WebAssembly.Memory;
  readonly buffer: ArrayBuffer;
  /** The kernels, each on the caller's thread alone. */
  readonly undivided: Kernels;
  /** Number of times that a thread has died inside work that writes. */
  failures = 0;
  readonly failureMessage =
    "a thread died inside a step and left it half done: make new optimizers and averages and load the last checkpoint into them";
  /** Number of blocks that workers have run. */
  helped = 0;
  readonly #pool: WorkerPool;
  readonly #id: number;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #runner: BlockRunner;
  readonly #canSleep = canSleep();
  /** The workers that are called to the next job. */
  readonly #helpers: number[] = [];
  /** Whether the memory has scratch for products on each worker. */
  readonly #hasScratch: boolean;
  #blocks = 0;
  #patience = 0;
  #lastEnd = -Infinity;
  /** Number of calls so far that each followed directly on the one before. */
  #consecutive = 0;

  constructor(owner: string, pool: WorkerPool, pages: number) {
    const scratch = ((pool.size - 1) * layout.SCRATCH_BYTES) / PAGE;
    this.#hasScratch = pages + scratch <= MAX_PAGES;
    const memory = makeMemory(owner, this.#hasScratch ? pages + scratch : pages, true);
    this.memory = memory;
    this.buffer = memory.buffer; // a SharedArrayBuffer, typed as an ArrayBuffer so that dictionaries need no other types
    this.undivided = exportsOf(moduleOf(owner, pool.module), memory) as Kernels;
    this.#pool = pool;
    this.#words = new Int32Array(memory.buffer);
    this.#numbers = new Float64Array(memory.buffer, 0, PAGE / 8);
    this.#runner = new BlockRunner(memory.buffer, this.undivided, 0, pool.size);
    this.#id = pool.share(memory, this);
  }

  /** Number of threads, the caller included. */
  get threads(): number {
    return this.#pool.size;
  }

  /** Instantiates another binary on the memory, for all threads, and returns the caller's instance. */
  instantiate(binary: WebAssembly.Module): Divisible {
    const { exports } = new WebAssembly.Instance(binary, { env: { memory: this.memory } });
    this.#runner.add(exports as unknown as Divisible);
    this.#pool.load(this.#id, binary);
    return exports as unknown as Divisible;
  }

  /** Elements from which work may be divided. */
  get least(): number {
    return this.#pool.tuning.hot;
  }

  /** Elements from which workers are woken for it. */
  get most(): number {
    return this.#pool.tuning.cold;
  }

  /** Number of threads of the job, the caller included. */
  get gathered(): number {
    return this.#helpers.length + 1;
  }

  /** The same, or 1 if workers have no scratch for products. */
  get productThreads(): number {
    return this.#hasScratch ? this.#helpers.length + 1 : 1;
  }

  /** Records that work which writes was left half done. */
  fail(): never {
    this.failures++;
    throw new Error(`Threads: ${this.failureMessage}`);
  }

  release(): void {
    this.#pool.drop(this.#id);
  }

  /**
   * Chooses the workers for a job of so many elements; false if the caller should do it alone. Sleeping workers are woken for
   * a large job, and for the later ones of consecutive calls, so that they are awake for those that follow. `binaries`: how
   * many binaries a worker must have.
   */
  gather(elements: number, binaries = 1): boolean {
    const { hot, cold, spin } = this.#pool.tuning;
    this.#helpers.length = 0;
    if (elements < hot) return false;
    this.#consecutive = performance.now() - this.#lastEnd < spin ? this.#consecutive + 1 : 0;
    const wakes = elements >= cold || this.#consecutive >= CONSECUTIVE;
    for (let thread = 1; thread < this.#pool.size; thread++)
      if (this.ready(thread, binaries) && (wakes || !this.#pool.isAsleep(thread))) this.#helpers.push(thread);
    return this.#helpers.length > 0;
  }

  /** To be called at the end of each job that was large enough to divide, divided or not. */
  end(): void {
    this.#lastEnd = performance.now();
  }

  /** Whether a worker is alive and has so many binaries on the memory. */
  ready(thread: number, binaries = 1): boolean {
    return this.#pool.isAlive(thread) && Atomics.load(this.#words, word(thread, layout.READY)) >= binaries;
  }

  /**
   * Begins a job: the kernel, as its index among the exports, and its arguments, of which the first `fromRecord` are read from
   * records. `longest`: milliseconds that a block may take in addition to the usual.
   */
  begin(kernel: number, args: readonly number[], fromRecord: number, longest = 0): void {
    this.#patience = this.#pool.tuning.patience + longest;
    const words = this.#words;
    words[layout.KERNEL / 4] = kernel;
    words[layout.ARITY / 4] = args.length;
    words[layout.FROM_RECORD / 4] = fromRecord;
    words[layout.HAS_PASS / 4] = 0;
    for (let k = 0; k < args.length; k++) this.#numbers[layout.ARGUMENTS / 8 + k] = args[k];
  }

  /** Gives each thread a copy of the pass at an address, unless that is 0. */
  copyPass(pass: number): void {
    if (pass === 0) return;
    const words = this.#words;
    words[layout.HAS_PASS / 4] = 1;
    for (let thread = 0; thread < this.#pool.size; thread++)
      words.copyWithin(
        (layout.WORKSPACE + thread * layout.WORKSPACE_BYTES + layout.PASS) / 4,
        pass / 4,
        (pass + PASS_BYTES) / 4,
      );
  }

  /** Adds a block: whole records, or `elements` of one from element `first` on. False if no other block fits. */
  add(record: number, records: number, first: number, elements: number): boolean {
    const entry = (layout.BLOCKS + this.#blocks * layout.BLOCK_BYTES) / 4;
    this.#words[entry] = record;
    this.#words[entry + 1] = records;
    this.#words[entry + 2] = first;
    this.#words[entry + 3] = elements;
    return ++this.#blocks < layout.MAX_BLOCKS;
  }

  /** Runs the blocks together with the workers that were gathered; false if one of them died. */
  run(): boolean {
    const words = this.#words;
    const blocks = this.#blocks;
    this.#blocks = 0;
    if (blocks === 0) return true;
    Atomics.store(words, layout.DONE / 4, 0);
    const helpers = Math.min(this.#helpers.length, blocks - 1);
    let first = 0;
    for (let k = 0; k <= helpers; k++) {
      const next = Math.floor((blocks * (k + 1)) / (helpers + 1));
      const thread = k === 0 ? 0 : this.#helpers[k - 1];
      words[word(thread, layout.FIRST)] = first;
      Atomics.store(words, word(thread, 0), next - first);
      first = next;
    }
    for (let k = 0; k < helpers; k++) this.#pool.call(this.#helpers[k], this.#id);
    this.helped += blocks - this.#runner.run();
    return this.#join(blocks);
  }

  /** Waits for the blocks that workers have claimed; those that nobody has claimed, the caller has run. False if a worker died. */
  #join(blocks: number): boolean {
    const words = this.#words;
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(words, layout.DONE / 4) === blocks) return true;
    let left = this.#patience;
    let seen = -1;
    let time = performance.now();
    for (;;) {
      const done = Atomics.load(words, layout.DONE / 4);
      if (done === blocks) return true;
      if (done !== seen) left = this.#patience;
      seen = done;
      if (this.#canSleep) {
        Atomics.store(words, layout.CALLER_ASLEEP / 4, 1);
        Atomics.wait(words, layout.DONE / 4, done, SLEEP);
        Atomics.store(words, layout.CALLER_ASLEEP / 4, 0);
      }
      const now = performance.now();
      left -= Math.min(now - time, MAX_COUNTED);
      time = now;
      if (left > 0) continue;
      void this.#pool.end();
      return false;
    }
  }
}

const word = (thread: number, field: number): number => (layout.QUEUE + thread * layout.QUEUE_BYTES + field) / 4;
