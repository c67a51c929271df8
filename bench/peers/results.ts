// What results.json holds.
import type { Layout, Rule } from "./contender.ts";
import type { Model } from "./models.ts";

export interface Spread {
  readonly median: number;
  /** The first and the third quartile. */
  readonly quartiles: readonly [number, number];
}

export interface Timed {
  readonly nanosecondsPerElement: Spread;
  /** This contender's time over gradstep's, by pairs of neighbouring turns. */
  readonly timesGradstep: Spread;
  readonly turns: number;
  readonly callsPerSample: number;
  /** The furthest that one of 16 parameters is from gradstep's after six steps. */
  readonly furthest?: number;
}

export interface Absent {
  readonly reason: string;
}

export interface StepCase {
  readonly rule: Rule;
  readonly layout: Layout;
  /** Read and written by a step: parameters and state twice, the gradient once. */
  readonly bytesPerElement: number;
  readonly cells: Readonly<Record<string, Timed | Absent>>;
}

export interface Trained {
  readonly samplesPerSecond: Spread;
  /** gradstep's rate over this contender's, by pairs of neighbouring turns. */
  readonly timesGradstep: Spread;
  /** On the 10,000 test images, after `samples` of the training set. */
  readonly accuracy: number;
  readonly samples: number;
}

/** The training of a network of models.ts. */
export interface Measured {
  /** Of a step: time by the clock, and time of all the process's threads on a processor. */
  readonly wallMilliseconds: Spread;
  readonly cpuMilliseconds: Spread;
  /** This contender's CPU time over gradstep's, by pairs of neighbouring turns. */
  readonly timesGradstep: Spread;
  readonly turns: number;
  readonly stepsPerTurn: number;
  /** The furthest that its loss is from gradstep's, at the start and after a step. */
  readonly lossDifference: number;
  /** In what it differs from the others. */
  readonly note?: string;
}

export interface Networks {
  readonly date: string;
  readonly rounds: number;
  readonly cells: Readonly<Record<Model, Readonly<Record<string, Measured | Absent>>>>;
}

export interface Results {
  readonly date: string;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGB: number;
    readonly os: string;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly steps: readonly StepCase[];
  readonly mnist: Readonly<Record<string, Trained | Absent>>;
  readonly networks: Networks;
}

/** Cells in the order of the contenders. */
export function ordered<T>(names: readonly string[], cells: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(names.flatMap((name) => (name in cells ? [[name, cells[name]]] : [])));
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const low = Math.floor(place);
    return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
  };
  const digits = (value: number): number => Number(value.toPrecision(4));
  return { median: digits(at(0.5)), quartiles: [digits(at(0.25)), digits(at(0.75))] };
}

/** `4,096` or `100 × 1,000`. */
export function layoutName({ count, length }: Layout): string {
  const name = length.toLocaleString("en");
  return count === 1 ? name : `${count.toLocaleString("en")} × ${name}`;
}
