import type { Tensor } from "./parameters.js";

/** The address of a slot that a tensor does not have. */
export const ABSENT = 0;
/** The address of an empty tensor's slot: without memory, yet not absent. */
export const NOWHERE = 64;

/**
 * An optimizer's tensors as columns: a step walks them in order and merges neighbours into runs. Plain columns, since
 * chasing 10,000 objects costs ten times the walk.
 */
export interface Table {
  readonly tensors: readonly Tensor[];
  /** Elements with padding; addresses of values and gradient. */
  readonly length: Uint32Array;
  readonly data: Uint32Array;
  readonly grad: Uint32Array;
  /** Addresses, a column a slot. */
  readonly slots: readonly Uint32Array[];
  /** Elements of the slots without padding, a column a slot. */
  readonly slotSizes: readonly Uint32Array[];
  readonly group: Uint32Array;
  /** Whether the tensor and its predecessor are neighbours in every buffer and in one group. */
  readonly joined: Uint8Array;
  /** Steps that the tensor has taken. */
  readonly step: Float64Array;
  /** A column a scalar. */
  readonly scalars: readonly Float64Array[];
  /** The call of `step()` that last skipped the tensor. */
  readonly skipped: Float64Array;
  /** The call of `step()` that last updated only some rows of the tensor. */
  readonly sparse: Float64Array;
  /** The runs of a step, as the first tensor of each and the one after its last. */
  readonly runFirst: Uint32Array;
  readonly runEnd: Uint32Array;
}

export function makeTable(tensors: readonly Tensor[], slots: number, scalars: number): Table {
  const { length } = tensors;
  const columns = <T>(count: number, make: (length: number) => T): T[] =>
    Array.from({ length: count }, () => make(length));
  return {
    tensors,
    length: Uint32Array.from(tensors, (t) => t.bytes / 4),
    data: Uint32Array.from(tensors, (t) => t.dataAt),
    grad: Uint32Array.from(tensors, (t) => t.gradAt),
    slots: columns(slots, (n) => new Uint32Array(n)),
    slotSizes: columns(slots, (n) => new Uint32Array(n)),
    group: new Uint32Array(length),
    joined: new Uint8Array(length),
    step: new Float64Array(length),
    scalars: columns(scalars, (n) => new Float64Array(n)),
    skipped: new Float64Array(length),
    sparse: new Float64Array(length),
    runFirst: new Uint32Array(length),
    runEnd: new Uint32Array(length),
  };
}

/** The table with more tensors at its end, which have no slots yet. */
export function extend(table: Table, tensors: readonly Tensor[]): Table {
  const next = makeTable([...table.tensors, ...tensors], table.slots.length, table.scalars.length);
  for (const column of ["group", "joined", "step", "skipped", "sparse"] as const) next[column].set(table[column]);
  for (const columns of ["slots", "slotSizes", "scalars"] as const)
    next[columns].forEach((column, k) => column.set(table[columns][k]));
  return next;
}

/** Whether tensor i comes right after tensor i − 1 in every buffer, and in the same group. */
export function follows({ group, length, data, grad, slots }: Table, i: number): boolean {
  const bytes = length[i - 1] * 4;
  const adjoin = (column: Uint32Array): boolean => column[i] === column[i - 1] + bytes;
  const absent = (column: Uint32Array): boolean => column[i] === ABSENT && column[i - 1] === ABSENT;
  return group[i] === group[i - 1] && adjoin(data) && adjoin(grad) && slots.every((s) => absent(s) || adjoin(s));
}

/**
 * Cuts the tensors that call `call` does not skip into runs: neighbours with equal step count and scalars, or single
 * tensors unless `merge` (and where only some rows are updated). Counts the step of each, and returns the number of runs.
 */
export function cutRuns(table: Table, call: number, merge: boolean): number {
  const { joined, step, scalars, skipped, sparse, runFirst, runEnd } = table;
  const count = step.length;
  let runs = 0;
  for (let i = 0; i < count;) {
    if (skipped[i] === call) {
      i++;
      continue;
    }
    const first = i;
    const t = step[first] + 1;
    do {
      step[i] = t;
      i++;
    } while (
      merge &&
      i < count &&
      sparse[first] !== call &&
      sparse[i] !== call &&
      joined[i] === 1 &&
      step[i] + 1 === t &&
      skipped[i] !== call &&
      sameScalars(scalars, i, first)
    );
    runFirst[runs] = first;
    runEnd[runs] = i;
    runs++;
  }
  return runs;
}

function sameScalars(scalars: readonly Float64Array[], i: number, j: number): boolean {
  for (let k = 0; k < scalars.length; k++) if (scalars[k][i] !== scalars[k][j]) return false;
  return true;
}
