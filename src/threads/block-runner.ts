// Runs the blocks of a job on one thread: the caller has a BlockRunner for each memory, and so has each worker.
import type { Kernels } from "../wasm/generated/kernels.js";
import * as layout from "../wasm/generated/layout/threads.js";
import { AVERAGE } from "../wasm/generated/layout/run-list.js";

export type Kernel = (...args: number[]) => number | undefined;

/** The exports of a binary whose kernels compute the part that `takePart` says. */
export type Divisible = Pick<Kernels, "takePart">;

export class BlockRunner {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  /** The kernels of the optimizers, then those of the networks, once they are there. */
  readonly #kernels: Kernel[];
  readonly #thread: number;
  readonly #threads: number;
  readonly #workspace: number;
  readonly #scratch: number;
  readonly #takePart: Kernels["takePart"];
  #takeNetworkPart: Kernels["takePart"] | undefined;
  /** Reused arrays of arguments, by their number. */
  readonly #arguments: number[][] = [];

  constructor(buffer: ArrayBufferLike, kernels: Kernels, thread: number, threads: number) {
    this.#words = new Int32Array(buffer);
    this.#numbers = new Float64Array(buffer);
    this.#kernels = Object.values(kernels) as Kernel[];
    this.#thread = thread;
    this.#threads = threads;
    this.#scratch = buffer.byteLength - thread * layout.SCRATCH_BYTES;
    this.#takePart = kernels.takePart;
    this.#workspace = layout.WORKSPACE + thread * layout.WORKSPACE_BYTES;
  }

  /** Adds another binary's kernels. */
  add(binary: Divisible): void {
    this.#kernels.push(...(Object.values(binary) as Kernel[]));
    this.#takeNetworkPart = binary.takePart;
  }

  /**
   * Runs blocks until none is left, first from its own queue, then from the others', and returns how many it ran.
   * A block is claimed by decrementing a count that was above 0. What the block is, is read after the claim, so that a
   * thread that comes late runs a block of the current job.
   */
  run(): number {
    const words = this.#words;
    let blocks = 0;
    for (let i = 0; i < this.#threads; i++) {
      const queue = (layout.QUEUE + ((this.#thread + i) % this.#threads) * layout.QUEUE_BYTES) / 4;
      while (Atomics.load(words, queue) > 0) {
        const left = Atomics.sub(words, queue, 1);
        if (left <= 0) break;
        this.#runBlock(words[queue + layout.FIRST / 4] + left - 1);
        Atomics.add(words, layout.DONE / 4, 1);
        if (Atomics.load(words, layout.CALLER_ASLEEP / 4) === 1) Atomics.notify(words, layout.DONE / 4);
        blocks++;
      }
    }
    return blocks;
  }

  #runBlock(block: number): void {
    const words = this.#words;
    const numbers = this.#numbers;
    const entry = (layout.BLOCKS + block * layout.BLOCK_BYTES) / 4;
    let record = words[entry] >>> 0;
    const records = words[entry + 1];
    const elements = words[entry + 3];
    if (elements > 0) record = this.#recordOfPart(record, words[entry + 2], elements);

    const kernel = this.#kernels[words[layout.KERNEL / 4]];
    const arity = words[layout.ARITY / 4];
    const fromRecord = words[layout.FROM_RECORD / 4];
    const args = (this.#arguments[arity] ??= new Array<number>(arity).fill(0));
    for (let k = 0; k < arity; k++) args[k] = numbers[layout.ARGUMENTS / 8 + k];
    if (fromRecord === layout.PARTS) {
      if (this.#thread > 0) args[arity - 1] = this.#scratch;
      this.#takePart(record, records);
      kernel(...args);
      this.#takePart(0, 1);
      return;
    }
    if (fromRecord === layout.NETWORK_PARTS) {
      this.#takeNetworkPart?.(record, records);
      kernel(...args);
      this.#takeNetworkPart?.(0, 1);
      return;
    }
    if (fromRecord === 0) {
      args[0] = -records;
      args[1] = record;
      args[2] = words[layout.HAS_PASS / 4] === 1 ? this.#workspace + layout.PASS : 0;
      kernel(...args);
      return;
    }
    for (const end = record + records * layout.RECORD_BYTES; record < end; record += layout.RECORD_BYTES) {
      for (let k = 0; k < fromRecord; k++) args[k] = words[record / 4 + k];
      numbers[(record + layout.RESULT) / 8] = kernel(...args) ?? 0;
    }
  }

  /** Writes the record of a part of another's run, from element `first` on; addresses of 0 stay 0. */
  #recordOfPart(record: number, first: number, elements: number): number {
    const words = this.#words;
    const [from, to] = [record / 4, this.#workspace / 4];
    words[to] = elements;
    for (let k = 1; k < layout.RECORD_BYTES / 4; k++) {
      const word = words[from + k];
      words[to + k] = (k > layout.MAX_ADDRESSES && k !== AVERAGE / 4) || word === 0 ? word : word + first * 4;
    }
    return this.#workspace;
  }
}
