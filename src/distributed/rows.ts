// Which rows of the data a local step takes, and its seed: functions of the run's seed and the step's place in the run, so
// that any worker finds them without a list of all rows.

/** What of a run's settings decides on rows. */
export interface RowSettings {
  /** Rows of the data. */
  readonly samples: number;
  readonly batchSize: number;
  readonly replicas: number;
  readonly localSteps: number;
  readonly seed: number;
}

/** The number of local steps that come before this one, if a run is written as one sequence: rounds from 1, the others from 0. */
export const placeOf = ({ replicas, localSteps }: RowSettings, round: number, replica: number, step: number): number =>
  ((round - 1) * replicas + replica) * localSteps + step;

/** A whole number in [0, 2³²) that differs from step to step. */
export function seedOf(settings: RowSettings, place: number): number {
  const { seed } = settings;
  return mixed(mixed(mixed(low(seed) ^ 0x5bd1e995) + high(seed)) + mixed(low(place) + mixed(high(place)))) >>> 0;
}

/**
 * Fills `rows` with the rows of a step's batch. The run goes through all rows in a random order, then again in another one,
 * and so on; each step takes the next `batchSize` of them.
 */
export function fillRows(settings: RowSettings, place: number, rows: Uint32Array): void {
  const { samples, batchSize } = settings;
  const first = place * batchSize;
  let epoch = Math.floor(first / samples);
  let within = first - epoch * samples;
  let keys = epochKeys(settings, epoch);
  for (let i = 0; i < rows.length; i++) {
    rows[i] = permuted(within, samples, keys);
    if (++within < samples) continue;
    within = 0;
    keys = epochKeys(settings, ++epoch);
  }
}

const ROUNDS = 6;

/** The keys of the permutation of an epoch. */
const epochKeys = (settings: RowSettings, epoch: number): Int32Array =>
  Int32Array.from({ length: ROUNDS }, (_, i) =>
    mixed(
      mixed(low(settings.seed) + (i + 1) * 0x9e3779b9 + mixed(high(settings.seed))) + mixed(low(epoch) + high(epoch)),
    ),
  );

/**
 * The i-th of `count` rows in a random order: a Feistel cipher of as many bits as rows need (an even number), which is a
 * permutation. A result that is not a row is permuted again until one comes, at most four times on average.
 */
function permuted(i: number, count: number, keys: Int32Array): number {
  let side = 2;
  while (side * side < count) side *= 2;
  do {
    let left = Math.floor(i / side);
    let right = i % side;
    for (let k = 0; k < ROUNDS; k++) {
      const next = left ^ (mixed(right + keys[k]) & (side - 1));
      left = right;
      right = next;
    }
    i = left * side + right;
  } while (i >= count);
  return i;
}

const low = (x: number): number => x | 0;
const high = (x: number): number => Math.floor(x / 2 ** 32) | 0;

/** The 32-bit finalizer of MurmurHash3. */
function mixed(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
