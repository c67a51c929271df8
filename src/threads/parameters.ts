import type { MemoryOptions } from "../memory/memory-options.js";
import { ParameterDict } from "../memory/parameters.js";
import type { Shape, Values } from "../memory/tensor.js";
import { wrongType } from "../util/check.js";
import { SharedArena } from "./arena.js";
import { Threads } from "./pool.js";

/** Where shared tensors live: on `threads`, with `slots` or `capacity` as a `ParameterDict`'s, or in an `arena`. */
export type SharedMemoryOptions = (
  | {
      /** The threads that work on the tensors, in a memory made for them. */
      threads: Threads;
      /** Not beside `threads`: a `SharedArena` has its own. */
      arena?: undefined;
    }
  | {
      /** Not beside `arena`, which has its own. */
      threads?: undefined;
      /** The memory to take room in, which several dictionaries share. */
      arena: SharedArena;
    }
) &
  Pick<MemoryOptions, "slots" | "capacity">;

/**
 * A `ParameterDict` in a memory that threads share: to every optimizer, norm and average the same, but that they then run
 * on those threads. `data` and `grad` are `Float32Array`s over a `SharedArrayBuffer`; `copy()` and every state dict are not
 * shared. Dispose of it when it is done with: the workers hold its memory too.
 *
 * @throws TypeError, RangeError when a shape or an option is wrong or the arena is too small; nothing is taken then.
 * @example
 * const threads = await Threads.create(2);
 * const params = new SharedParameterDict({ "fc1.weight": [1024, 784], "fc1.bias": [1024] }, { threads });
 * new AdamW(params).step();
 */
export class SharedParameterDict<Name extends string = string> extends ParameterDict<Name> {
  /**
   * @param shapes By name, in the order of `names`.
   * @param options `threads`, in a memory of their own, or an `arena`: one of them must be given.
   */
  constructor(shapes: Readonly<Record<Name, Shape>>, options: SharedMemoryOptions) {
    checkShared(options);
    super(shapes, options);
  }

  /**
   * Makes a dictionary with values, as `ParameterDict.from` does.
   * @throws TypeError, RangeError as the constructor, and when a length does not fit its shape.
   * @example
   * const w = { shape: [2], data: Float32Array.of(1, 2) };
   * const params = SharedParameterDict.from({ w }, { threads });
   */
  static override from<Name extends string>(
    tensors: Readonly<Record<Name, { readonly shape: Shape; readonly data: Values }>>,
    options: SharedMemoryOptions,
  ): SharedParameterDict<Name> {
    const made: unknown = super.from<Name>(tensors, options); // by this constructor
    return made as SharedParameterDict<Name>;
  }
}

function checkShared(options: unknown): void {
  const { threads, arena } = (options ?? {}) as { threads?: unknown; arena?: unknown };
  if (arena === undefined && !(threads instanceof Threads))
    throw wrongType("SharedParameterDict", "threads", "Threads", threads);
  if (arena !== undefined && !(arena instanceof SharedArena))
    throw wrongType("SharedParameterDict", "arena", "a SharedArena", arena);
}
