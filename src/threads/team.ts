import { type ArenaMemory, PAGE, giveMemory } from "../memory/arena.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import { instantiateKernels } from "../wasm/module.js";
import { canSleep } from "./host.js";
import { divided } from "./kernels.js";
import {
  ARGUMENTS,
  ARITY,
  BLOCKS,
  BLOCK_BYTES,
  CALLER_ASLEEP,
  DONE,
  FIRST,
  KERNEL,
  MAX_BLOCKS,
  MOVING,
  PASS,
  QUEUE,
  QUEUE_BYTES,
  READY,
  RIDES,
  ROOM,
  ROOM_BYTES,
  SCRATCH_BYTES,
} from "../wasm/generated/layout/threads.js";
import { PASS_BYTES } from "../wasm/generated/layout/run-list.js";
import type { Threads } from "./pool.js";
import { Share } from "./share.js";

/** Looks at the count before the caller sleeps until it changes. */
const LOOKS = 3000;
/** Calls that follow on each other before sleepers are woken for the next: more than one step makes. */
const ROW = 4;
/** Milliseconds: longer than any block takes. */
const LONG = 0.1;
/** Milliseconds of such a sleep; and the most that one adds to the time without progress: a machine that stood still is no dead thread. */
const NAP = 20;
const MOST = 50;

/** The threads at one memory: what an arena has for its memory, and the caller's side of the protocol. */
export class Team implements ArenaMemory {
  readonly buffer: ArrayBuffer;
  readonly kernels: Kernels;
  /** Times that a thread has died inside work that writes. */
  failures = 0;
  readonly failureMessage =
    "a thread died inside a step and left it half done: make new optimizers and averages and load the last checkpoint into them";
  /** Blocks that others than the caller have done. */
  helped = 0;
  readonly #threads: Threads;
  readonly #id: number;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #share: Share;
  readonly #sleeps = canSleep();
  readonly #invited: number[] = [];
  readonly #hasPanels: boolean;
  #blocks = 0;
  #patience = 0;
  /** Calls for which the caller goes on alone, and for how many it last did. */
  #alone = 0;
  #caution = 0;
  #ended = -Infinity;
  /** Calls before, each right behind the other. */
  #row = 0;

  constructor(owner: string, threads: Threads, pages: number) {
    const panels = ((threads.size - 1) * SCRATCH_BYTES) / PAGE;
    this.#hasPanels = pages + panels <= 65536;
    const memory = giveMemory(owner, this.#hasPanels ? pages + panels : pages, true);
    const kernels = instantiateKernels(owner, memory, threads.module);
    this.buffer = memory.buffer; // typed as what it is not: a dictionary in it is one like any other
    this.#threads = threads;
    this.#words = new Int32Array(memory.buffer);
    this.#numbers = new Float64Array(memory.buffer, 0, PAGE / 8);
    this.#share = new Share(memory.buffer, kernels, 0, threads.size);
    this.kernels = divided(kernels, this);
    this.#id = threads.share(memory, this);
  }

  /** Elements from which work may be divided, and from which it is in any case. */
  get least(): number {
    return this.#threads.tuning.hot;
  }

  get most(): number {
    return this.#threads.tuning.cold;
  }

  /** Threads that were gathered, the caller included, where each of them has room for a product's panels; else 1. */
  get hands(): number {
    return this.#hasPanels ? this.#invited.length + 1 : 1;
  }

  /** Says that work which writes was left undone. */
  tear(): never {
    this.failures++;
    throw new Error(`Threads: ${this.failureMessage}`);
  }

  release(): void {
    this.#threads.drop(this.#id);
  }

  /**
   * Chooses who is to help with so many elements: false when it is better done alone. Sleepers are woken for much work, and
   * when calls follow on each other, so that they are awake for the next ones.
   */
  gather(elements: number): boolean {
    const { hot, cold, spin } = this.#threads.tuning;
    this.#invited.length = 0;
    if (elements < hot || this.#alone-- > 0) return false;
    this.#alone = 0;
    this.#row = performance.now() - this.#ended < spin ? this.#row + 1 : 0;
    const wakes = elements >= cold || this.#row >= ROW;
    for (let thread = 1; thread < this.#threads.size; thread++)
      if (this.ready(thread) && (wakes || !this.#threads.sleeps(thread))) this.#invited.push(thread);
    return this.#invited.length > 0;
  }

  /** Says that work, of a size worth dividing, has ended. */
  rest(): void {
    this.#ended = performance.now();
  }

  /** Whether a worker has the memory and lives. */
  ready(thread: number): boolean {
    return this.#threads.lives(thread) && Atomics.load(this.#words, word(thread, READY)) === 1;
  }

  /**
   * Begins a job: the kernel, as its place among the exports, and its arguments, of which the first `moving` come from
   * records. `longest`: milliseconds that a block may take, if it is no small one.
   */
  begin(kernel: number, args: readonly number[], moving: number, longest = 0): void {
    this.#patience = this.#threads.tuning.patience + longest;
    const words = this.#words;
    words[KERNEL / 4] = kernel;
    words[ARITY / 4] = args.length;
    words[MOVING / 4] = moving;
    words[RIDES / 4] = 0;
    for (let k = 0; k < args.length; k++) this.#numbers[ARGUMENTS / 8 + k] = args[k];
  }

  /** Gives each thread a copy of the pass at an address, unless that is 0. */
  ride(pass: number): void {
    if (pass === 0) return;
    const words = this.#words;
    words[RIDES / 4] = 1;
    for (let thread = 0; thread < this.#threads.size; thread++)
      words.copyWithin((ROOM + thread * ROOM_BYTES + PASS) / 4, pass / 4, (pass + PASS_BYTES) / 4);
  }

  /** Adds a block: whole records, or so many elements of one from its element `first` on. False when there is no room for another. */
  add(record: number, records: number, first: number, elements: number): boolean {
    const entry = (BLOCKS + this.#blocks * BLOCK_BYTES) / 4;
    this.#words[entry] = record;
    this.#words[entry + 1] = records;
    this.#words[entry + 2] = first;
    this.#words[entry + 3] = elements;
    return ++this.#blocks < MAX_BLOCKS;
  }

  /** Does the blocks, together with the threads that were gathered; false when one of them died. */
  work(): boolean {
    const words = this.#words;
    const blocks = this.#blocks;
    const invited = this.#invited;
    this.#blocks = 0;
    if (blocks === 0) return true;
    Atomics.store(words, DONE / 4, 0);
    const helpers = Math.min(invited.length, blocks - 1);
    let first = 0;
    for (let k = 0; k <= helpers; k++) {
      const next = Math.floor((blocks * (k + 1)) / (helpers + 1));
      const thread = k === 0 ? 0 : invited[k - 1];
      words[word(thread, FIRST)] = first;
      Atomics.store(words, word(thread, 0), next - first);
      first = next;
    }
    for (let k = 0; k < helpers; k++) this.#threads.call(invited[k], this.#id);
    const began = performance.now();
    const own = this.#share.work();
    this.helped += blocks - own;
    const ready = performance.now();
    const joined = this.#join(blocks);
    const alone = ((ready - began) * blocks) / own;
    this.#judge(alone, performance.now() - began, performance.now() - ready);
    return joined;
  }

  /**
   * When the caller waited long for the others, and would hardly have been later alone, they want for a processor: it goes on
   * alone for some calls, for more each time that this is so again.
   */
  #judge(alone: number, taken: number, waited: number): void {
    const { backOff } = this.#threads.tuning;
    const long = waited > LONG && taken > 0.9 * alone;
    this.#caution = long ? Math.min(2 * this.#caution + 1, backOff) : this.#caution >> 1;
    if (long) this.#alone = this.#caution;
  }

  /** Waits for the blocks in flight. Nobody waits for a thread that has claimed none. */
  #join(blocks: number): boolean {
    const words = this.#words;
    for (let look = 0; look < LOOKS; look++) if (Atomics.load(words, DONE / 4) === blocks) return true;
    let left = this.#patience;
    let seen = -1;
    let time = performance.now();
    for (;;) {
      const done = Atomics.load(words, DONE / 4);
      if (done === blocks) return true;
      if (done !== seen) left = this.#patience;
      seen = done;
      if (this.#sleeps) {
        Atomics.store(words, CALLER_ASLEEP / 4, 1);
        Atomics.wait(words, DONE / 4, done, NAP);
        Atomics.store(words, CALLER_ASLEEP / 4, 0);
      }
      const now = performance.now();
      left -= Math.min(now - time, MOST);
      time = now;
      if (left > 0) continue;
      void this.#threads.dispose();
      return false;
    }
  }
}

const word = (thread: number, field: number): number => (QUEUE + thread * QUEUE_BYTES + field) / 4;
