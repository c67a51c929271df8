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

/** A table of tensors; the caller fills in those before `from`, and everything but lengths, sizes and addresses. */
export function makeTable(tensors: readonly Tensor[], slots: number, scalars: number, from = 0): Table {
  const { length } = tensors;
  const columns = <T>(count: number, make: (length: number) => T): T[] =>
    Array.from({ length: count }, () => make(length));
  const column = (valueOf: (tensor: Tensor) => number): Uint32Array => {
    const values = new Uint32Array(length);
    for (let i = from; i < length; i++) values[i] = valueOf(tensors[i]);
    return values;
  };
  return {
    tensors,
    length: column((t) => t.bytes / 4),
    size: column((t) => t.size),
    data: column((t) => t.dataAt),
    grad: column((t) => t.gradAt),
    slots: columns(slots, (n) => new Uint32Array(n)),
    slotSizes: columns(slots, (n) => new Uint32Array(n)),
    formats: columns(slots, (n) => new Uint8Array(n)),
    group: new Uint32Array(length),
    adjacent: new Uint8Array(length),
    step: new Float64Array(length),
    together: new Float64Array(1),
    scalars: columns(scalars, (n) => new Float64Array(n)),
  };
}

type Column = Uint32Array | Uint8Array | Float64Array;
/** All columns of a table, in the same order for every table of an optimizer. */
const columnsOf = (table: Table): Column[] =>
  Object.values<unknown>({ ...table, tensors: 0 })
    .flat()
    .filter((column): column is Column => ArrayBuffer.isView(column));

/** A copy of the table with more tensors at its end, which have no slots yet. */
export function extend(table: Table, tensors: readonly Tensor[]): Table {
  const from = table.tensors.length;
  const next = makeTable([...table.tensors, ...tensors], table.slots.length, table.scalars.length, from);
  const known = columnsOf(table);
  columnsOf(next).forEach((column, k) => column.set(known[k]));
  next.step.fill(-table.together[0], from);
  return next;
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
