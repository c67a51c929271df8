import { Arena } from "../memory/arena.js";
import { knownOnly, record, wrongType } from "../util/check.js";
import { ThreadPool } from "../memory/memory-options.js";
import type { Threads } from "./pool.js";
import { Team } from "./team.js";

/** Options of a {@link SharedArena}. */
export interface SharedArenaOptions {
  /** Size in bytes, as an `Arena`'s. */
  capacity: number;
  /** The threads that work in it. */
  threads: Threads;
}

/**
 * An `Arena` whose memory is shared with threads: for several dictionaries in one arena, and for `addParamGroup`. Views of it
 * are `Float32Array`s over a `SharedArrayBuffer`. Dispose of it when it is done with: the workers hold it too.
 *
 * @throws TypeError, RangeError when an option is wrong or the engine cannot give so much memory.
 * @example
 * const arena = new SharedArena({ capacity: 64 * 2 ** 20, threads });
 * const body = new SharedParameterDict({ w: [512, 512] }, { arena });
 * const head = new SharedParameterDict({ v: [10, 512] }, { arena });
 */
export class SharedArena extends Arena {
  /**
   * @param options Both must be given.
   */
  constructor(options: SharedArenaOptions);
  /** @internal */
  constructor(options: SharedArenaOptions, owner: string, remedy: string);
  constructor(options: SharedArenaOptions, owner = "SharedArena", remedy = `raise "capacity" of the SharedArena`) {
    const given = record(owner, "options", options);
    knownOnly(owner, "", given, ["capacity", "threads"]);
    const { capacity, threads } = options;
    if (!(threads instanceof ThreadPool)) throw wrongType(owner, "threads", "Threads", threads);
    super({ capacity }, owner, remedy, (pages) => new Team(owner, threads, pages));
  }
}
