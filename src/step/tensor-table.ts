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
  slots: number,
  scalars: readonly number[],
  groupOf: (tensor: Tensor) => number,
  from?: Table,
): Table {
  const together = from?.together ?? new Float64Array(1);
  const column = <Column>(
    Type: { from(tensors: readonly Tensor[], valueOf: (tensor: Tensor, i: number) => number): Column },
    old: ArrayLike<number> | undefined,
    start: (tensor: Tensor) => number,
  ): Column => Type.from(tensors, (tensor, i) => old?.[i] ?? start(tensor));
  const none = (): number => 0;
  const absent = Array.from({ length: slots }, none);
  return {
    tensors,
    length: column(Uint32Array, undefined, ({ bytes }) => bytes / 4),
    size: column(Uint32Array, undefined, ({ size }) => size),
    data: column(Uint32Array, undefined, ({ dataAt }) => dataAt),
    grad: column(Uint32Array, undefined, ({ gradAt }) => gradAt),
    slots: absent.map((_, k) => column(Uint32Array, from?.slots[k], none)),
    slotSizes: absent.map((_, k) => column(Uint32Array, from?.slotSizes[k], none)),
    formats: absent.map((_, k) => column(Uint8Array, from?.formats[k], none)),
    group: column(Uint32Array, from?.group, groupOf),
    adjacent: column(Uint8Array, from?.adjacent, none),
    step: column(Float64Array, from?.step, () => -together[0]),
    together,
    scalars: scalars.map((start, k) => column(Float64Array, from?.scalars[k], () => start)),
  };
}

/** Number of steps that tensor i has taken. */
export const stepsOf = ({ step, together }: Table, i: number): number => step[i] + together[0];

/** Whether a buffer at `address` directly follows one of `length` elements at `before`; or both are absent. */
export const isAdjacent = (before: number, address: number, length: number): boolean =>
  before === ABSENT ? address === ABSENT : address === before + length * 4;

/** Whether one run may hold tensors i − 1 and i: the value of `adjacent`. Small slots are in runs of their own. */
export function isAdjacentToPrevious(table: Table, i: number): boolean {
  const { group, length, data, grad, slots, formats } = table;
  if (i === 0 || group[i] !== group[i - 1]) return false;
  if (formats.some((column) => column[i] !== FLOAT32 || column[i - 1] !== FLOAT32)) return false;
  return [data, grad, ...slots].every((column) => isAdjacent(column[i - 1], column[i], length[i - 1]));
}
