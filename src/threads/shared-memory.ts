import type { ArenaMemory } from "../memory/arena.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import { divideKernels } from "./kernels.js";
import type { WorkerPool } from "./pool.js";
import { Team } from "./team.js";

/** The memory of an arena that threads share: its kernels divide their work among the team. */
export class SharedMemory extends Team implements ArenaMemory {
  readonly kernels: Kernels;

  constructor(owner: string, pool: WorkerPool, pages: number) {
    super(owner, pool, pages);
    this.kernels = divideKernels(this.undivided, this);
  }
}
