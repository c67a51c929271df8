import type { MemoryOptions } from "../memory/memory-options.js";
import { ParameterDict, describeDict } from "../memory/parameters.js";
import type { Shape, Values } from "../memory/tensor.js";
import { describe } from "../util/describe.js";
import { wrongType } from "../util/check.js";
import { SharedArena, Threads } from "./threads.js";

/** Where shared tensors live: in a new memory for `threads`, with `slots` or `capacity` as for a `ParameterDict`, or in an `arena`. */
export type SharedMemoryOptions = (
  | {
      /** The threads that work on the tensors, in a new memory. */
      threads: Threads;
      /** Excluded by `threads`. */
      arena?: undefined;
    }
  | {
      /** Excluded by `arena`, which has its own. */
      threads?: undefined;
      /** The arena to allocate in, which several dictionaries share. */
      arena: SharedArena;
    }
) &
  Pick<MemoryOptions, "slots" | "capacity">;

/**
 * A `ParameterDict` in a memory that threads share: optimizers, norms and averages take it as any other, and then run on
 * those threads. `data` and `grad` are `Float32Array`s over a `SharedArrayBuffer`; `copy()` and every state dict are not
 * shared. Dispose of it after use: the workers hold its memory too.
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
   * @param options `threads` or `arena`: one of them must be given.
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
    const made: unknown = super.from<Name>(tensors, options); // made by this class's constructor
    return made as SharedParameterDict<Name>;
  }
}

describe(SharedParameterDict<string>, (params) => describeDict("SharedParameterDict", params));

function checkShared(options: unknown): void {
  const { threads, arena } = (options ?? {}) as { threads?: unknown; arena?: unknown };
  if (arena === undefined && !(threads instanceof Threads))
    throw wrongType("SharedParameterDict", "threads", "Threads", threads);
  if (arena !== undefined && !(arena instanceof SharedArena))
    throw wrongType("SharedParameterDict", "arena", "a SharedArena", arena);
}
