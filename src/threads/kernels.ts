// Which kernels are divided among threads, and how: calls that look the same and give the same bits.
import type { Kernels } from "../wasm/generated/kernels.js";
import { BLOCK } from "../wasm/generated/layout/reductions.js";
import * as runList from "../wasm/generated/layout/run-list.js";
import { MAX_RECORDS, PARTS, RECORDS, RECORD_BYTES, RESULT } from "../wasm/generated/layout/threads.js";
import type { Kernel } from "./block-runner.js";
import { PER_ELEMENT, SLOWEST } from "./network.js";
import type { Team } from "./team.js";

/** Elementwise kernels: how many of their arguments, after the number of elements, are addresses that a block advances. */
export const sweeps: Partial<Record<keyof Kernels, number>> = {
  sgd: 3,
  adagrad: 3,
  adadelta: 4,
  rmsprop: 5,
  adam: 5,
  nadam: 4,
  adamax: 4,
  radam: 4,
  asgd: 3,
  rprop: 4,
  lion: 3,
  lamb: 5,
  muon: 3,
  prodigy: 3,
  prodigyMoments: 4,
  adabelief: 4,
  yogi: 4,
  adan: 6,
  adopt: 4,
  ademamix: 5,
  madgrad: 5,
  ftrl: 4,
  schedulefreesgd: 3,
  schedulefreeadamw: 4,
  laprop: 4,
  mars: 3,
  adamp: 4,
  signum: 3,
  adabound: 5,
  dadaptadam: 6,
  adamUpdate: 5,
  lionUpdate: 3,
  lapropUpdate: 4,
  cautious: 3,
  climb: 2,
  exchange: 2,
  project: 2,
  addScaled: 2,
  approach: 2,
  clamp: 1,
  flushDenormals: 1,
  scale: 1,
};

/** Reductions: of how many vectors, and how the results of blocks are joined in order, beginning with `start`. */
export const reductions: Partial<Record<keyof Kernels, Reduction>> = {
  sumOfSquares: { vectors: 1, start: 0, join: (sum, block) => sum + block },
  sumOfAbs: { vectors: 1, start: 0, join: (sum, block) => sum + block },
  dot: { vectors: 2, start: 0, join: (sum, block) => sum + block },
  dotDifference: { vectors: 3, start: 0, join: (sum, block) => sum + block },
  sumOfSquaredProducts: { vectors: 2, start: 0, join: (sum, block) => sum + block },
  sumOfRatios: { vectors: 2, start: 0, join: (sum, block) => sum + block },
  agreeing: { vectors: 2, start: 0, join: (count, block) => count + block },
  maxAbs: { vectors: 1, start: 0, join: (most, block) => Math.max(most, block) },
  firstNonFinite: { vectors: 1, start: -1, join: (at, block, first) => (at >= 0 || block < 0 ? at : first + block) },
};
interface Reduction {
  readonly vectors: number;
  readonly start: number;
  readonly join: (result: number, block: number, first: number) => number;
}

/** Matrix products: three sizes, three addresses and scratch. */
export const products = new Set(["product"]);

/** The kernels on a team's threads, with the same signatures and bits. Small calls run on the caller's thread. */
export function divideKernels(kernels: Kernels, team: Team): Kernels {
  const words = new Int32Array(team.buffer);
  const numbers = new Float64Array(team.buffer, 0, (RECORDS + MAX_RECORDS * RECORD_BYTES) / 8);
  const least = team.least;

  /** Writes one of the caller's records: the number of elements, and the addresses of the arguments, `first` elements on. */
  const write = (
    index: number,
    elements: number,
    args: readonly number[],
    addresses: number,
    first: number,
  ): number => {
    const record = RECORDS + index * RECORD_BYTES;
    words[record / 4] = elements;
    for (let k = 1; k <= addresses; k++) words[record / 4 + k] = args[k] === 0 ? 0 : args[k] + first * 4;
    return record;
  };

  const run = (): void => {
    if (!team.run()) team.fail();
  };

  /** One vector, or several of the same length. */
  const sweep = (index: number, args: readonly number[], addresses: number): void => {
    const n = args[0];
    team.begin(index, args, addresses + 1);
    const record = write(0, n, args, addresses, 0);
    for (let first = 0; first < n; first += BLOCK) if (!team.add(record, 1, first, Math.min(BLOCK, n - first))) run();
    run();
  };

  /** A list of runs: see assembly/step/run-list.ts. */
  const list = (index: number, args: readonly number[], runs: number): void => {
    const [, start, pass] = args;
    team.begin(index, args, 0);
    team.copyPass(pass);
    const stride = strideOf(pass);
    const end = start + runs * stride;
    let [from, elements] = [start, 0];
    const add = (record: number, records: number, first: number, part: number): void => {
      if (records > 0 && !team.add(record, records, first, part)) run();
    };
    for (let record = start; record < end; record += stride) {
      const n = words[record / 4];
      if (elements + n > BLOCK) {
        add(from, (record - from) / stride, 0, 0);
        [from, elements] = [record, 0];
      }
      if (n > BLOCK) {
        for (let first = 0; first < n; first += BLOCK) add(record, 1, first, Math.min(BLOCK, n - first));
        from = record + stride;
      } else elements += n;
    }
    add(from, (end - from) / stride, 0, 0);
    run();
  };

  /** Whether a list unpacks small slots: only the caller has scratch for that. */
  const unpacks = (pass: number): boolean => pass !== 0 && words[(pass + runList.UNPACKED) / 4] !== 0;

  const strideOf = (pass: number): number => (pass === 0 ? runList.RECORD_BYTES : words[(pass + runList.STRIDE) / 4]);

  /** Number of elements in a list, counted up to `team.most`. */
  const elementsIn = (count: number, start: number, pass: number): number => {
    const stride = strideOf(pass);
    let sum = 0;
    for (let k = 0; k < count && sum < team.most; k++) sum += words[(start + k * stride) / 4];
    return sum;
  };

  /** The result of a reduction; undefined if a thread has died: the caller then does it alone, since nothing was written. */
  const reduce = (index: number, args: readonly number[], { vectors, start, join }: Reduction): number | undefined => {
    const n = args[0];
    let result = start;
    team.begin(index, args, vectors + 1);
    for (let first = 0; first < n; first += MAX_RECORDS * BLOCK) {
      const records = Math.min(MAX_RECORDS, Math.ceil((n - first) / BLOCK));
      for (let k = 0; k < records; k++) {
        const at = first + k * BLOCK;
        team.add(write(k, Math.min(BLOCK, n - at), args, vectors, at), 1, 0, 0);
      }
      if (!team.run()) return undefined;
      for (let k = 0; k < records; k++)
        result = join(result, numbers[(RECORDS + k * RECORD_BYTES + RESULT) / 8], first + k * BLOCK);
    }
    return result;
  };

  /** A matrix product, of which each thread computes a part of the rows. False if the caller has to do it alone. */
  const product = (index: number, args: readonly number[]): boolean => {
    const threads = team.productThreads;
    if (threads === 1) return false;
    team.begin(index, args, PARTS, (args[0] * args[1] * args[2]) / SLOWEST);
    for (let part = 0; part < threads; part++) team.add(part, threads, 0, 0);
    return team.run();
  };

  const entries = Object.entries(kernels).map(([name, kernel], index): [string, Kernel] => {
    const alone = kernel as Kernel;
    const addresses = sweeps[name as keyof Kernels];
    const reduction = reductions[name as keyof Kernels];
    if (addresses !== undefined)
      return [
        name,
        (...args) => {
          const n = args[0] | 0; // a negative number may come from a Uint32Array
          if (n >= 0 && n < least) return alone(...args);
          if (n < 0 && unpacks(args[2])) return alone(...args);
          const elements = n < 0 ? elementsIn(-n, args[1], args[2]) : n;
          if (elements < least) return alone(...args);
          if (!team.gather(elements)) alone(...args);
          else if (n < 0) list(index, args, -n);
          else sweep(index, args, addresses);
          team.end();
          return undefined;
        },
      ];
    if (reduction !== undefined)
      return [
        name,
        (...args) => {
          if (args[0] < least) return alone(...args);
          const reduced = team.gather(args[0]) ? reduce(index, args, reduction) : undefined;
          const result = reduced ?? alone(...args);
          team.end();
          return result;
        },
      ];
    if (products.has(name))
      return [
        name,
        (...args) => {
          const elements = (args[0] * args[1] * args[2]) / PER_ELEMENT;
          if (elements < least || !team.gather(elements) || !product(index, args)) alone(...args);
          if (elements >= least) team.end();
          return undefined;
        },
      ];
    return [name, alone];
  });
  return Object.fromEntries(entries) as unknown as Kernels;
}
