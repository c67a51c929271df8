// Divides the kernels of networks among threads: a call looks the same and gives the same bits.
import { type Cost, networkCosts } from "./network-costs.js";
import { NETWORK_PARTS } from "../wasm/generated/layout/threads.js";
import type { Divisible, Kernel } from "./block-runner.js";
import type { Team } from "./team.js";

/** Multiplications that count as one element of a sweep: a quarter of those that take as long, since products run in the caches
 * and gain from a second thread sooner. */
export const PER_ELEMENT = 4;
/** Multiplications per millisecond on the slowest processor. */
export const SLOWEST = 1e6;
/** Binaries that a worker needs on the memory: that of the optimizers and that of the networks. */
const BINARIES = 2;

/** The kernels on a team's threads. `first`: how many kernels the binary before has. Small calls run on the caller's thread. */
export function divideNetwork(kernels: Divisible, first: number, team: Team): object {
  const words = new Int32Array(team.buffer);
  const entries = Object.entries(kernels).map(([name, exported], index): [string, Kernel] => {
    const kernel = exported as Kernel;
    const cost = (networkCosts as Partial<Record<string, Cost>>)[name];
    if (cost === undefined) return [name, kernel];
    return [
      name,
      (...args) => {
        const multiplications = cost(args, words);
        const elements = multiplications / PER_ELEMENT;
        if (elements < team.least) return kernel(...args);
        if (team.gather(elements, BINARIES)) {
          const parts = team.gathered;
          team.begin(first + index, args, NETWORK_PARTS, multiplications / SLOWEST);
          for (let part = 0; part < parts; part++) team.add(part, parts, 0, 0);
          // Kernels may write in place, so the work cannot simply be done again.
          if (!team.run()) throw new Error("Threads: a thread died while a network computed: give it the batch again");
        } else kernel(...args);
        team.end();
        return undefined;
      },
    ];
  });
  return Object.fromEntries(entries);
}
