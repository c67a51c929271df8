// An optimizer's tensors as columns in order of address: reading 10,000 objects would take ten times as long.
import type { Tensor } from "../memory/tensor.js";
import { FLOAT32 } from "../wasm/generated/layout/formats.js";
import { ABSENT } from "../wasm/generated/layout/memory.js";

export { ABSENT };
/** The address of an empty tensor's slot: there is no memory at it, but it is not absent. */
export const EMPTY = 64;

export interface Table {
  readonly tensors: readonly Tensor[];
  /** Elements with padding. */
  readonly length: Uint32Array;
  /** Elements without padding. */
  readonly size: Uint32Array;
  /** Addresses of values and gradient. */
  readonly data: Uint32Array;
  readonly grad: Uint32Array;
  /** Addresses, a column per slot. */
  readonly slots: readonly Uint32Array[];
  /** Elements of the slots without padding, a column per slot. */
  readonly slotSizes: readonly Uint32Array[];
  /** Formats of the slots (src/state/small-formats.ts), a column per slot. */
  readonly formats: readonly Uint8Array[];
  /** Index of the parameter group. */
  readonly group: Uint32Array;
  /** 1 where the tensor is in the group of the tensor before and follows it directly in every buffer. */
  readonly adjacent: Uint8Array;
  /** step[i] + together[0] is tensor i's count: whole steps increment only `together`, which saves 4 % with 10,000 tensors. */
  readonly step: Float64Array;
  readonly together: Float64Array;
  /** A column per scalar. */
  readonly scalars: readonly Float64Array[];
}

/**
 * A table of these tensors. The first are those in `from`, which keep what is there; the caller fills in the slots of the others.
 * `scalars`: the initial value of each.
 */
export function makeTable(
  tensors: readonly Tensor[],
  slots: readonly string[],
  scalars: readonly number[],
  groupOf: (tensor: Tensor) => number,
  from?: Table,
): Table {
  const bytes = (): Uint8Array => new Uint8Array(tensors.length);
  const words = (): Uint32Array => new Uint32Array(tensors.length);
  const numbers = (start: number): Float64Array => new Float64Array(tensors.length).fill(start);
  const together = from?.together ?? new Float64Array(1);
  const table = {
    tensors,
    length: Uint32Array.from(tensors, (tensor) => tensor.bytes / 4),
    size: Uint32Array.from(tensors, ({ size }) => size),
    data: Uint32Array.from(tensors, ({ dataAt }) => dataAt),
    grad: Uint32Array.from(tensors, ({ gradAt }) => gradAt),
    slots: slots.map(words),
    slotSizes: slots.map(words),
    formats: slots.map(bytes),
    group: Uint32Array.from(tensors, groupOf),
    adjacent: bytes(),
    step: numbers(-together[0]),
    together,
    scalars: scalars.map(numbers),
  };
  if (from) {
    const own = columnsOf(table);
    columnsOf(from).forEach((column, k) => own[k].set(column));
  }
  return table;
}

const columnsOf = (table: Table): (Uint32Array | Uint8Array | Float64Array)[] =>
  Object.values({ ...table, tensors: [] }).flat();

/** Number of steps that tensor i has taken. */
export const stepsOf = ({ step, together }: Table, i: number): number => step[i] + together[0];

/** Whether a buffer at `address` directly follows one of `length` elements at `before`; or both are absent. */
export const isAdjacent = (before: number, address: number, length: number): boolean =>
  before === ABSENT ? address === ABSENT : address === before + length * 4;

/** Whether one run may hold tensors i − 1 and i: the value of `adjacent`. Small slots are in runs of their own. */
export function isAdjacentToPrevious(table: Table, i: number): boolean {
  const { group, length, data, grad, slots, formats } = table;
  return (
    i > 0 &&
    group[i] === group[i - 1] &&
    formats.every((column) => column[i] === FLOAT32 && column[i - 1] === FLOAT32) &&
    [data, grad, ...slots].every((column) => isAdjacent(column[i - 1], column[i], length[i - 1]))
  );
}
