/// <reference lib="esnext.disposable" preserve="true" />
// The memory that parameters, gradients and optimizer state live in, and its allocator.
// This import comes first so that a bundle begins with the binary's text; gzip compresses the code better that way.
import { exportsOf, moduleOf } from "../wasm/module.js";
import { number, optionsOf, usedAfterDispose } from "../util/check.js";
import { describe } from "../util/describe.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import { ALIGNMENT, PAGE_BYTES } from "../wasm/generated/layout/memory.js";

export { ALIGNMENT };
export const padded = (elements: number): number => Math.ceil((elements * 4) / ALIGNMENT) * ALIGNMENT;

/**
 * Bytes to leave free after a buffer of `bytes` that kernels read together with others: at distances near a power of two
 * they compete for the same cache sets (4 KiB) and TLB entries (128 MiB, where a step took four times as long). Ten cache
 * lines, and pages for large buffers: at most 640 bytes and a 64th of the buffer.
 */
export const gapAfter = (bytes: number): number =>
  bytes < 16384 ? 0 : 640 + 4096 * Math.min(17, Math.floor(bytes / (64 * 4096)));

export const PAGE = PAGE_BYTES;
export const RESERVED = PAGE; // address 0 means "absent" to a kernel, and the binary's constants are in the first page
export const MAX_CAPACITY = 2 ** 32 - PAGE;
const capacityKind = number(
  `a number of bytes in [1, ${MAX_CAPACITY}]`,
  (x) => Number.isSafeInteger(x) && x >= 1 && x <= MAX_CAPACITY,
);

/** Options of an {@link Arena}. */
export interface ArenaOptions {
  /** Size in bytes, rounded up to whole pages of 64 KiB; 1 to 4 GiB − 64 KiB. It never grows. */
  capacity: number;
  /** A `WebAssembly.Module` of `gradstep/kernels.wasm`, where compiling bytes is forbidden. Default: the inlined binary. */
  module?: object | undefined;
}

/** @internal Compiles a binary, after a change to its bytes. */
export type Compile = (change: (binary: Uint8Array) => Uint8Array<ArrayBuffer>) => WebAssembly.Module;

/** What an arena is built on: a memory that never grows, and the binary's exports over it. */
export interface ArenaMemory {
  /** @internal */
  readonly memory: WebAssembly.Memory;
  readonly buffer: ArrayBuffer;
  readonly kernels: Kernels;
  /** Number of threads; 1 unless given. */
  readonly threads?: number;
  /** @internal Instantiates the networks' binary on this memory, for all threads; absent where there is one thread. */
  loadNetwork?(compile: Compile): object;
  /** @internal The exports of that binary, once there is a network. */
  network?: unknown;
  /** How many times a thread died while it wrote to the memory, and left the work unfinished. */
  readonly failures?: number;
  /** The error message of an optimizer or average that existed then. */
  readonly failureMessage?: string;
  /** Called when the arena is disposed of. */
  release?(): void;
}

/**
 * One `WebAssembly.Memory` of fixed size that holds parameters, gradients and optimizer state. It never grows, so a view
 * of it never detaches. A {@link ParameterDict} makes its own arena unless it is given one to share.
 *
 * @throws TypeError, RangeError when an option is wrong or the engine cannot give so much memory.
 * @example
 * const arena = new Arena({ capacity: 64 * 2 ** 20 });
 * const a = new ParameterDict({ w: [128, 784] }, { arena });
 * const b = new ParameterDict({ w: [10, 128] }, { arena });
 */
export class Arena {
  /** {@link dispose}, for `using`, where the platform has it. */
  declare [Symbol.dispose]: () => void;

  /** @internal */
  readonly memory: ArenaMemory;
  readonly #capacity: number;
  readonly #floats: Float32Array<ArrayBuffer>;
  /** For the message when something does not fit: which option to raise. */
  readonly #remedy: string;
  /** Memory from this address on has never been taken. */
  #fresh = RESERVED;
  /** What is taken: spans [start, end), sorted by address. */
  #taken: (readonly [start: number, end: number])[] = [];
  /** @internal Number of averages now applied to parameters, so that a step need not check every tensor. */
  applied = 0;
  /** @internal */
  alive = true;

  /**
   * @param options `capacity` must be given; it is fixed.
   */
  constructor(options: ArenaOptions);
  /** @internal */
  constructor(options: ArenaOptions, owner: string, size: string, make?: (pages: number) => ArenaMemory);
  constructor(
    options: ArenaOptions,
    owner = "Arena",
    size = "capacity",
    make = (pages: number): ArenaMemory => {
      const memory = makeMemory(owner, pages, false);
      return { memory, buffer: memory.buffer, kernels: exportsOf(moduleOf(owner, options.module), memory) as Kernels };
    },
  ) {
    const given = optionsOf(owner, options, ["capacity", "module"]);
    const capacity = capacityKind.read(owner, "capacity", given.capacity);
    const pages = Math.ceil(capacity / PAGE);
    this.#capacity = pages * PAGE;
    this.memory = make(pages);
    this.#floats = new Float32Array(this.memory.buffer);
    this.#remedy = `raise "${size}" of the ${owner}`;
  }

  /** Size in bytes. */
  get capacity(): number {
    this.check("Arena");
    return this.#capacity;
  }

  /** Bytes in use, the reserved first page included. */
  get used(): number {
    return this.capacity - this.free;
  }

  /** Bytes not in use. They need not be in one piece. */
  get free(): number {
    this.check("Arena");
    return this.#gaps().reduce((sum, [, bytes]) => sum + bytes, 0);
  }

  /** Address and bytes of what is free before each taken span, and after the last. */
  #gaps(): [address: number, bytes: number][] {
    let address = RESERVED;
    return [...this.#taken, [this.#capacity, 0]].map(([start, end]) => {
      const gap: [number, number] = [address, start - address];
      address = end;
      return gap;
    });
  }

  /** Disposes of every tensor and optimizer in the arena: later use of them, or of the arena, throws. Idempotent. */
  dispose(): void {
    if (this.alive) this.memory.release?.();
    this.alive = false;
  }

  /** @internal The memory's buffer, for views. */
  get buffer(): ArrayBuffer {
    this.check("Arena");
    return this.memory.buffer;
  }

  /** @internal The binary's exports over this memory. */
  get kernels(): Kernels {
    this.check("Arena");
    return this.memory.kernels;
  }

  /** @internal */
  check(owner: string): void {
    if (!this.alive) throw usedAfterDispose(owner);
  }

  /**
   * @internal Takes `bytes` (a multiple of {@link ALIGNMENT}), zeroed, and returns their address; 0 for 0 bytes. Memory
   * that was never taken is already zero and is left untouched: unused capacity costs no RAM.
   * @throws RangeError with what was needed and free; nothing is changed then.
   */
  allocate(bytes: number, owner: string, purpose: string): number {
    this.check(owner);
    if (bytes === 0) return 0;
    const gaps = this.#gaps();
    const index = gaps.findIndex(([, size]) => size >= bytes);
    if (index < 0) {
      const largest = Math.max(...gaps.map(([, size]) => size));
      const pieces = this.free >= bytes ? ` in pieces, the largest of ${largest}` : "";
      throw new RangeError(
        `${owner}: needs ${bytes} bytes for ${purpose}, ${this.free} are free${pieces}: ${this.#remedy}`,
      );
    }
    const [address] = gaps[index];
    this.#taken.splice(index, 0, [address, address + bytes]);
    this.fill(address, Math.min(bytes, this.#fresh - address), 0);
    this.#fresh = Math.max(this.#fresh, address + bytes);
    return address;
  }

  /**
   * @internal Takes one block for buffers that kernels read together, and returns their addresses; the first is the
   * block's. Where there is room, {@link gapAfter} keeps them apart.
   */
  allocateApart(sizes: readonly number[], owner: string, purpose: string): number[] {
    const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0);
    const apart = sizes.map((size) => size + gapAfter(size));
    const parts = this.hasRoom(sum(apart)) ? apart : sizes;
    let next = this.allocate(sum(parts), owner, purpose);
    return parts.map((bytes) => (next += bytes) - bytes);
  }

  /** @internal Whether {@link allocate} would find this many bytes. */
  hasRoom(bytes: number): boolean {
    return this.#gaps().some(([, size]) => size >= bytes);
  }

  /** @internal Frees what {@link allocate} took at this address. */
  release(address: number): void {
    this.#taken = this.#taken.filter(([start]) => start !== address);
  }

  /** @internal Sets `bytes` bytes (a multiple of 4) at `address` to one float32. */
  fill(address: number, bytes: number, value: number): void {
    this.#floats.fill(value, address / 4, (address + bytes) / 4);
  }

  /** @internal Copies `bytes` bytes (a multiple of 4) within the memory. */
  copy(from: number, to: number, bytes: number): void {
    this.#floats.copyWithin(to / 4, from / 4, (from + bytes) / 4);
  }
}
describe(Arena, ({ capacity, used, free }) => ["Arena", { capacity, used, free }]);

/** @internal */
export function makeMemory(owner: string, pages: number, shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (error) {
    const told = `${owner}: the engine could not give a memory of ${pages * PAGE} bytes: ${String(error)}`;
    throw new RangeError(told, { cause: error });
  }
}
