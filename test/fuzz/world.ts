// One arena with everything in it, each real object beside its model, and the wrapper for calls into the library.
import { expect } from "vitest";
import {
  Arena,
  type LBFGS,
  type LBFGSOptions,
  type Lookahead,
  type OptimizerState,
  type ParameterDict,
  type SAM,
  type SAMState,
  type WeightAverage,
  type WeightEma,
} from "../../src/index.js";
import type { LRScheduler } from "../../src/schedule/index.js";
import { random } from "../support/harness.js";
import type { make } from "../rules/table.js";
import type { PlainOptimizer, PlainTensor } from "./plain.js";

/** An optimizer of any rule. */
export type AnyStep = ReturnType<typeof make>;

/** What takes memory of the arena: so many bytes, which its end gives back. */
export interface Charged {
  bytes: number;
}

/** A tensor: what it must be, and the views of it, which never change. */
export interface LiveTensor extends PlainTensor {
  readonly data: Float32Array;
  readonly grad: Float32Array;
  readonly dict: LiveDict;
  owner: object | undefined;
}

export interface LiveDict extends Charged {
  readonly real: ParameterDict;
  readonly tensors: readonly LiveTensor[];
  /** The dictionary of which this is a subset. */
  readonly whole: LiveDict | undefined;
}

export interface LiveOptimizer extends Charged {
  readonly real: AnyStep;
  readonly plain: PlainOptimizer;
  /** Views of the state by tensor and slot, as they were met first. */
  readonly views: Map<string, Float32Array>;
}

export interface LiveAverage extends Charged {
  readonly real: WeightEma | WeightAverage;
  readonly kind: "WeightEma" | "WeightAverage";
  readonly tensors: readonly LiveTensor[];
  values: Float32Array[];
  readonly views: readonly Float32Array[];
  decay: number;
  debias: boolean;
  updates: number;
  /** The parameters, while the average stands in their place. */
  kept: Float32Array[] | undefined;
}

export interface LiveLookahead extends Charged {
  readonly real: Lookahead;
  readonly optimizer: LiveOptimizer;
  k: number;
  alpha: number;
  steps: number;
  slow: Map<string, Float32Array>;
}

export interface LiveSAM extends Charged {
  readonly real: SAM;
  readonly optimizer: LiveOptimizer;
  /** What it wraps, if not the optimizer itself. */
  readonly lookahead: LiveLookahead | undefined;
  readonly rho: number;
  readonly adaptive: boolean;
  /** How many tensors it has copies of. */
  known: number;
  /** Between the two steps: the values of the tensors that have climbed, from before. */
  climbed: Map<PlainTensor, Float32Array> | undefined;
  /** What was saved of it, and the models as they were then. */
  saved:
    { readonly dict: SAMState; readonly plain: PlainOptimizer; readonly slow: SlowWeights | undefined } | undefined;
}

/** What a Lookahead remembers besides its optimizer. */
export type SlowWeights = Pick<LiveLookahead, "steps" | "slow">;

export interface LiveSearch extends Charged {
  readonly real: LBFGS;
  /** In order of address. */
  readonly tensors: readonly LiveTensor[];
  readonly options: LBFGSOptions;
  /** Another, in an arena of its own, to which the same is done. */
  readonly shadow: LBFGS & { readonly params: ParameterDict };
}

export interface LiveSchedule {
  readonly real: LRScheduler;
  readonly optimizer: LiveOptimizer;
  /** Makes another on an optimizer with the same groups. */
  readonly make: (optimizer: AnyStep) => LRScheduler;
  /** How often it has been stepped. */
  counter: number;
}

/** What was saved of an optimizer, and the model as it was then. */
export interface Saved {
  readonly optimizer: LiveOptimizer;
  readonly dict: OptimizerState;
  readonly plain: PlainOptimizer;
}

/** What is known to the model when the arena has no room. */
const FULL = /needs (\d+) bytes for .*, (\d+) are free(?: in pieces, the largest of (\d+))?/;
const RESERVED = 65536;

/** The arena's bytes before a call. */
const earlier = new Uint8Array(9 * RESERVED);

export class World {
  readonly arena: Arena;
  readonly dicts: LiveDict[] = [];
  readonly optimizers: LiveOptimizer[] = [];
  readonly averages: LiveAverage[] = [];
  readonly lookaheads: LiveLookahead[] = [];
  readonly sams: LiveSAM[] = [];
  readonly searches: LiveSearch[] = [];
  readonly schedules: LiveSchedule[] = [];
  readonly saved: Saved[] = [];
  /** Uses of what has been disposed of: each must say so. */
  readonly graveyard: (() => unknown)[] = [];
  /** Calls into the library so far. */
  calls = 0;

  constructor(pages: number) {
    this.arena = new Arena({ capacity: (pages + 1) * RESERVED });
  }

  /** Bytes in use, by what has been charged. */
  get charged(): number {
    const all: Charged[] = [
      ...this.dicts,
      ...this.optimizers,
      ...this.searches,
      ...this.averages,
      ...this.lookaheads,
      ...this.sams,
    ];
    return all.reduce((sum, { bytes }) => sum + bytes, RESERVED);
  }

  /**
   * Calls the library. With a `refusal` it must throw that; it may throw `perhaps`, and that the arena is full where it
   * is. What throws must change no byte of the arena. Memory that is taken is charged to `to`.
   * @returns What the call returned, or undefined when it threw.
   */
  call<T>(
    what: () => T,
    { refusal, perhaps, to }: { refusal?: RegExp | undefined; perhaps?: RegExp; to?: Charged } = {},
  ): { value: T } | undefined {
    this.calls++;
    const { arena } = this;
    const { used, free } = arena;
    const memory = new Uint8Array(arena.buffer);
    earlier.set(memory);
    let value: T;
    try {
      value = what();
    } catch (error) {
      checkError(error);
      const { message } = error as Error;
      expect(arena.used, `bytes used after "${message}"`).toBe(used);
      const full = to && FULL.exec(message);
      if (full) {
        expect(Number(full[2])).toBeLessThanOrEqual(free);
        expect(Number(full[1])).toBeGreaterThan(Number(full.at(3) ?? full[2]));
        return undefined; // what is free may have been taken and given back
      }
      if (!(refusal ?? perhaps)?.test(message)) throw error;
      expect(Buffer.compare(memory, earlier.subarray(0, memory.length)), `the arena's bytes after "${message}"`).toBe(
        0,
      );
      return undefined;
    }
    if (refusal) throw new Error(`accepted, where ${String(refusal)} was expected`);
    if (to) to.bytes += arena.used - used;
    else if (arena.used !== used) expect.fail(`${arena.used - used} bytes are taken for good`);
    return { value };
  }

  /** Ends something: all that it took is free then. */
  end(what: Charged & { readonly real: { dispose(): void } }, list: Charged[], ...uses: (() => unknown)[]): void {
    this.call(() => what.real.dispose(), { to: what });
    if (what.bytes !== 0) expect.fail(`a dispose() left ${what.bytes} bytes in use`);
    list.splice(list.indexOf(what), 1);
    this.graveyard.push(...uses);
  }
}

/** Only three kinds of error, with messages that people can read, which begin with the name of what threw. */
export function checkError(error: unknown): void {
  expect([TypeError, RangeError, Error], String(error)).toContain((error as Error).constructor);
  const { message } = error as Error;
  expect(message.length, message).toBeLessThanOrEqual(400);
  expect(message).toMatch(/^[A-Za-z][\w.' ]*: /);
}

/** The n-th of a list, counted round. */
export const pick = <T>(list: readonly T[], n: number): T | undefined =>
  list.length > 0 ? list[n % list.length] : undefined;

/** Numbers as a seed gives them, of a kind. */
export type Numbers = "usual" | "zero" | "special" | "huge";
export function numbers(length: number, seed: number, kind: Numbers): Float32Array {
  const next = random(seed + 1);
  const special = [NaN, Infinity, -Infinity, 3e38, -3e38, 1e-45, -1e-38];
  return Float32Array.from({ length }, () => {
    if (kind === "zero") return 0;
    if (kind === "special" && next() < 0.1) return special[Math.floor(next() * special.length)];
    if (kind === "huge") return (next() - 0.5) * 10 ** Math.floor(next() * 30 - 20);
    return (next() - 0.5) * [1, 1e-3, 30, 0][Math.floor(next() * 4)];
  });
}

/** What is said while an average stands in the place of one of these tensors, or a SAM has moved it; nothing otherwise. */
export function applied(world: World, tensors: readonly PlainTensor[]): RegExp | undefined {
  const average = world.averages.some(({ kept, tensors: own }) => kept && own.some((t) => tensors.includes(t)));
  return average || moved(world, tensors) ? /call its (restore|secondStep)\(\) first$/ : undefined;
}

/** What is said while a SAM has moved one of these tensors. */
export const moved = (world: World, tensors: readonly PlainTensor[]): RegExp | undefined =>
  world.sams.some(({ climbed }) => tensors.some((tensor) => climbed?.has(tensor)))
    ? /call its secondStep\(\) first$/
    : undefined;
