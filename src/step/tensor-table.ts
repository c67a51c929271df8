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

/** A table without tensors. */
export function makeTable(slots: number, scalars: number): Table {
  const columns = <T>(count: number, type: new (length: number) => T): T[] =>
    Array.from({ length: count }, () => new type(0));
  return {
    tensors: [],
    length: new Uint32Array(0),
    size: new Uint32Array(0),
    data: new Uint32Array(0),
    grad: new Uint32Array(0),
    slots: columns(slots, Uint32Array),
    slotSizes: columns(slots, Uint32Array),
    formats: columns(slots, Uint8Array),
    group: new Uint32Array(0),
    adjacent: new Uint8Array(0),
    step: new Float64Array(0),
    together: new Float64Array(1),
    scalars: columns(scalars, Float64Array),
  };
}

type Column = Uint32Array | Uint8Array | Float64Array;

/** A copy of the table with more tensors at its end, whose slots, groups and scalars the caller fills in. */
export function extend(table: Table, more: readonly Tensor[]): Table {
  const { together } = table;
  const tensors = [...table.tensors, ...more];
  const longer = (column: Column): Column => {
    const next = new (column.constructor as Uint32ArrayConstructor)(tensors.length);
    next.set(column);
    return next;
  };
  const columns = Object.entries({ ...table, tensors: [], together: [] }) as [string, Column | Column[]][];
  const next = {
    ...Object.fromEntries(columns.map(([name, own]) => [name, Array.isArray(own) ? own.map(longer) : longer(own)])),
    tensors,
    together,
  } as unknown as Table;
  for (let i = table.tensors.length; i < tensors.length; i++) {
    const { bytes, size, dataAt, gradAt } = tensors[i];
    next.length[i] = bytes / 4;
    next.size[i] = size;
    next.data[i] = dataAt;
    next.grad[i] = gradAt;
    next.step[i] = -together[0];
  }
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
