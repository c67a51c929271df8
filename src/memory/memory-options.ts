// The options that say which memory tensors live in, and the arena that they ask for.
import { Arena, MAX_CAPACITY, RESERVED, gapAfter } from "./arena.js";
import { whole, wrongType } from "../util/check.js";

/** Which memory tensors live in. All are optional; `arena` excludes the others, `capacity` excludes `slots`. */
export interface MemoryOptions {
  /** Number of parameter-sized buffers of optimizer state to leave room for, a whole number >= 0. Default 6. */
  slots?: number | undefined;
  /**
   * Size of the arena in bytes, instead of `slots`. Where there is room, gaps keep buffers of 16 KiB and more from
   * competing for the same cache lines: after each, at most 640 bytes and a 64th of it.
   */
  capacity?: number | undefined;
  /** An arena to share with others. */
  arena?: Arena | undefined;
  /** A `WebAssembly.Module` of `gradstep/kernels.wasm`, where compiling bytes is forbidden. */
  module?: object | undefined;
  /** `Threads` of `gradstep/threads` to work on, in a memory that they share. */
  threads?: ThreadPool | undefined;
}

/** Makes a memory that threads share: the type of `Threads` of `gradstep/threads`, which is not imported here. */
export abstract class ThreadPool {
  /** Total number of threads. */
  abstract readonly size: number;
  /** @internal */
  abstract makeArena(capacity: number, owner: string, size: string): Arena;
}

export const memoryOptions = ["slots", "capacity", "arena", "module", "threads"] as const;
/** Options of which one can be given: those that say how large the memory is, and those that say whose the binary is. */
const RIVALS = [
  ["slots", "capacity", "arena"],
  ["module", "threads", "arena"],
] as const;
const SLACK = 2 ** 20;

/** How many threads work in the arena that the options ask for. They need not be valid. */
export function threadsOf({ arena, threads }: MemoryOptions): number {
  if (threads instanceof ThreadPool) return threads.size;
  return (arena as Partial<Arena> | undefined)?.memory?.threads ?? 1;
}

/**
 * The arena that the options ask for: the given one, or a new one with room for parameters, their gradients, `slots` more
 * buffers of that size, `scratch` bytes, and 1 MiB of slack.
 */
export function arenaFor(owner: string, options: MemoryOptions, parameterBytes: number, scratch = 0): Arena {
  const { slots = 6, capacity, arena, module, threads } = options;
  if (threads !== undefined && !(threads instanceof ThreadPool))
    throw wrongType(owner, "threads", "Threads of gradstep/threads", threads);
  if (arena !== undefined && !(arena instanceof Arena)) throw wrongType(owner, "arena", "an Arena", arena);
  for (const names of RIVALS) {
    const [one, other] = names.filter((name) => options[name] !== undefined) as [string?, string?];
    if (other) throw new RangeError(`${owner}: "${one}" excludes "${other}": give one of them`);
  }
  arena?.check(owner);
  if (arena) return arena;
  whole.read(owner, "slots", slots);
  const least = RESERVED + 2 * parameterBytes + scratch;
  if (least > MAX_CAPACITY)
    throw new RangeError(`${owner}: the tensors need ${least} bytes, an arena has at most ${MAX_CAPACITY}`);
  const gaps = (2 + slots) * gapAfter(parameterBytes);
  const wanted = least + slots * parameterBytes + gaps + SLACK;
  const size = capacity === undefined ? "slots" : "capacity";
  const bytes = capacity ?? Math.min(MAX_CAPACITY, wanted);
  return threads?.makeArena(bytes, owner, size) ?? new Arena({ capacity: bytes, module }, owner, size);
}
