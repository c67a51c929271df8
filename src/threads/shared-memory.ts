import type { ArenaMemory, DividedKernels } from "../memory/arena.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import { divideKernels } from "./kernels.js";
import { divideNetwork } from "./network.js";
import type { WorkerPool } from "./pool.js";
import { Team } from "./team.js";

/** The memory of an arena that threads share: its kernels divide their work among the team. */
export class SharedMemory extends Team implements ArenaMemory {
  readonly kernels: Kernels;

  constructor(owner: string, pool: WorkerPool, pages: number) {
    super(owner, pool, pages);
    this.kernels = divideKernels(this.undivided, this);
  }

  load(module: WebAssembly.Module, divided: DividedKernels): object {
    return divideNetwork(this.instantiate(module), Object.keys(this.undivided).length, divided, this);
  }
}
