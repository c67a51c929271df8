// The memory of an arena that threads share, with kernels that divide their work.
import type { ArenaMemory, Compile } from "../memory/arena.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import { shared } from "../wasm/shared.js";
import { divideKernels } from "./kernels.js";
import { divideNetwork } from "./network.js";
import type { WorkerPool } from "./pool.js";
import { Team } from "./team.js";

/** The binary of the networks, for any shared memory. */
let network: WebAssembly.Module | undefined;

/** The memory of an arena that threads share: its kernels divide their work among the team. */
export class SharedMemory extends Team implements ArenaMemory {
  readonly kernels: Kernels;

  constructor(owner: string, pool: WorkerPool, pages: number) {
    super(owner, pool, pages);
    this.kernels = divideKernels(this.undivided, this);
  }

  /** @internal */
  loadNetwork(compile: Compile): object {
    network ??= compile(shared);
    return divideNetwork(this.instantiate(network), Object.keys(this.undivided).length, this);
  }
}
