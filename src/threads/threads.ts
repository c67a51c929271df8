/// <reference lib="esnext.disposable" preserve="true" />
// The public classes of gradstep/threads that make threads, and arenas whose memory they share.
import { Arena } from "../memory/arena.js";
import { ThreadPool } from "../memory/memory-options.js";
import { number, optionsOf, wrongType } from "../util/check.js";
import { describe } from "../util/describe.js";
import { MAX_THREADS } from "../wasm/generated/layout/threads.js";
import { obstacle, processors } from "./host.js";
import { type Tuning, WorkerPool } from "./pool.js";
import { SharedMemory } from "./shared-memory.js";

const OWNER = "Threads";
const count = number(
  `a whole number in [1, ${MAX_THREADS}]`,
  (x) => Number.isSafeInteger(x) && x >= 1 && x <= MAX_THREADS,
);

/** Options of {@link Threads.create}. */
export interface ThreadsOptions {
  /**
   * The URL of `gradstep/threads/worker.js`, for a bundler that does not find it by itself (esbuild): build that file as a
   * separate entry, and pass the URL where it is served. Default: found beside the package's other files.
   */
  script?:
    | string
    | {
        /** The URL as text, as in a `URL`. */
        readonly href: string;
      }
    | undefined;
}

/**
 * Threads that optimizers, norms and the MLP run on: the one that makes them, and workers. They work together inside a call
 * and sleep between calls. To the caller, `step()` stays synchronous, and it gives the same bits for any number of threads.
 * Work that is too small to gain from threads runs on the caller's thread.
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

  /** @internal */
  readonly pool: WorkerPool;

  /** @internal */
  constructor(pool: WorkerPool) {
    super();
    this.pool = pool;
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
    const given = optionsOf(OWNER, options, ["script"]);
    const script = readScript(given.script);
    const threads = size === undefined ? Math.min(processors(), MAX_THREADS) : count.read(OWNER, "size", size);
    const reason = threads > 1 ? obstacle() : undefined;
    if (reason !== undefined) throw new Error(`${OWNER}: ${reason}`);
    return new Threads(await WorkerPool.start(threads, script, tuning));
  }

  /** Number of threads, the one that made them included. */
  get size(): number {
    return this.pool.size;
  }

  /** Number of live workers. */
  get workers(): number {
    return this.pool.workers;
  }

  /**
   * Ends the workers. Dictionaries and optimizers made on them stay usable, on the caller's thread alone and with the same
   * bits. Idempotent.
   * @returns when all have ended; there is no need to wait. (A process that does not dispose exits all the same.)
   * @example
   * await threads.dispose();
   */
  async dispose(): Promise<void> {
    await this.pool.end();
  }

  /** @internal */
  makeArena(capacity: number, owner: string, size: string): Arena {
    return new SharedArena({ capacity, threads: this }, owner, size);
  }
}
describe(Threads, ({ size, workers }) => ["Threads", { size, workers }]);

/** Options of a {@link SharedArena}. */
export interface SharedArenaOptions {
  /** Size in bytes, as an `Arena`'s. */
  capacity: number;
  /** The threads that work in it. */
  threads: Threads;
}

/**
 * An `Arena` whose memory is shared with threads: for several dictionaries in one arena, and for `addParamGroup`. Views of it
 * are `Float32Array`s over a `SharedArrayBuffer`. Dispose of it after use: the workers hold the memory too.
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
  constructor(options: SharedArenaOptions, owner: string, size: string);
  constructor(options: SharedArenaOptions, owner = "SharedArena", size = "capacity") {
    optionsOf(owner, options, ["capacity", "threads"]);
    const { capacity, threads } = options;
    if (!(threads instanceof ThreadPool)) throw wrongType(owner, "threads", "Threads", threads);
    super({ capacity }, owner, size, (pages) => new SharedMemory(owner, threads.pool, pages));
  }
}

describe(SharedArena, ({ capacity, used, free }) => ["SharedArena", { capacity, used, free }]);

function readScript(script: unknown): string | undefined {
  if (script === undefined || typeof script === "string") return script;
  const href = typeof script === "object" && script !== null ? (script as { href?: unknown }).href : undefined;
  if (typeof href !== "string") throw wrongType(OWNER, "script", "a URL", script);
  return href;
}
