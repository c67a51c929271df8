// Starts threads for the tests: with limits that divide all work, and on request with a worker script that misbehaves.
import type { ParameterDict } from "../../src/index.js";
import { Threads } from "../../src/threads/index.js";
import type { Tuning } from "../../src/threads/pool.js";
import type { SharedMemory } from "../../src/threads/shared-memory.js";

/** The built worker of the package, or a script of this folder that patches something and then imports it. */
const script = (name?: string): string => new URL(name ?? "../../dist/threads/worker.js", import.meta.url).href;

/** Threads that divide all work, however small, and soon count a silent thread as dead. */
export const start = (size: number, name?: string, tuning: Partial<Tuning> = {}): Promise<Threads> =>
  Threads.create(size, { script: script(name) }, { hot: 1, cold: 1, patience: 300, ...tuning });

export function memoryOf(params: ParameterDict): SharedMemory {
  const memory: unknown = params.arena.memory;
  return memory as SharedMemory;
}

/** Resolves when all live workers have the memory. */
export async function ready(params: ParameterDict, threads: Threads): Promise<void> {
  const have = (): number =>
    Array.from({ length: threads.size }, (_, t) => memoryOf(params).ready(t)).filter(Boolean).length;
  while (have() < threads.workers) await new Promise((resolve) => setTimeout(resolve, 1));
}
