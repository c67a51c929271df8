import type { ParameterDict } from "../../src/index.js";
import { Threads } from "../../src/threads/index.js";
import type { Tuning } from "../../src/threads/pool.js";
import type { Team } from "../../src/threads/team.js";

/** The package's worker as it is built, or one of this folder that changes what it stands on first. */
const script = (name?: string): string => new URL(name ?? "../../dist/threads/worker.js", import.meta.url).href;

/** Threads that divide all work, however small, and soon take a silent one for dead. */
export const start = (size: number, name?: string, tuning: Partial<Tuning> = {}): Promise<Threads> =>
  Threads.create(size, { script: script(name) }, { hot: 1, cold: 1, patience: 300, backOff: 0, ...tuning });

export function teamOf(params: ParameterDict): Team {
  const memory: unknown = params.arena.memory;
  return memory as Team;
}

/** Resolves when as many workers as live have the memory. */
export async function ready(params: ParameterDict, threads: Threads): Promise<void> {
  const have = (): number =>
    Array.from({ length: threads.size }, (_, t) => teamOf(params).ready(t)).filter(Boolean).length;
  while (have() < threads.workers) await new Promise((resolve) => setTimeout(resolve, 1));
}
