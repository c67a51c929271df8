import type { Tensor } from "../memory/tensor.js";
import { FLOAT32 } from "../wasm/generated/layout/formats.js";
import { ABSENT } from "../wasm/generated/layout/memory.js";

export { ABSENT };
/** The address of an empty tensor's slot: without memory, yet not absent. */
export const NOWHERE = 64;

/**
 * An optimizer's tensors as columns: chasing 10,000 objects costs ten times the walk.
 */
export interface Table {
  readonly tensors: readonly Tensor[];
  /** Elements with padding; addresses of values and gradient. */
  readonly length: Uint32Array;
  /** Elements without padding. */
  readonly size: Uint32Array;
  readonly data: Uint32Array;
  readonly grad: Uint32Array;
  /** Addresses, a column a slot. */
  readonly slots: readonly Uint32Array[];
  /** Elements of the slots without padding, a column a slot. */
  readonly slotSizes: readonly Uint32Array[];
  /** Their formats (src/state/small-formats.ts), a column a slot. */
  readonly formats: readonly Uint8Array[];
  readonly group: Uint32Array;
  /** Whether the tensor and its predecessor are neighbours in every buffer and in one group. */
  readonly joined: Uint8Array;
  /** Steps that the tensor has taken, less those that all took together: see {@link stepsOf}. */
  readonly step: Float64Array;
  /** Those, as one number: counting each of 10,000 tensors would be 4 % of a step's time. */
  readonly together: Float64Array;
  /** A column a scalar. */
  readonly scalars: readonly Float64Array[];
  /** The call of `step()` that last skipped the tensor. */
  readonly skipped: Float64Array;
  /** The call of `step()` that last updated only some rows of the tensor. */
  readonly sparse: Float64Array;
}

/** A table of tensors; those before `from` are left for the caller to fill in. */
export function makeTable(tensors: readonly Tensor[], slots: number, scalars: number, from = 0): Table {
  const { length } = tensors;
  const columns = <T>(count: number, make: (length: number) => T): T[] => {
    const made: T[] = [];
    for (let k = 0; k < count; k++) made.push(make(length));
    return made;
  };
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
    joined: new Uint8Array(length),
    step: new Float64Array(length),
    together: new Float64Array(1),
    scalars: columns(scalars, (n) => new Float64Array(n)),
    skipped: new Float64Array(length),
    sparse: new Float64Array(length),
  };
}

type Column = Uint32Array | Uint8Array | Float64Array;
function columnsOf(table: Table): Column[] {
  const { slots, slotSizes, formats, scalars } = table;
  const single = Object.values<unknown>({ ...table }).filter((column): column is Column => ArrayBuffer.isView(column));
  return [...single, ...slots, ...slotSizes, ...formats, ...scalars];
}

/** The table with more tensors at its end, which have no slots yet. */
export function extend(table: Table, tensors: readonly Tensor[]): Table {
  const from = table.tensors.length;
  const next = makeTable([...table.tensors, ...tensors], table.slots.length, table.scalars.length, from);
  const known = columnsOf(table);
  columnsOf(next).forEach((column, k) => column.set(known[k]));
  next.step.fill(-table.together[0], from);
  return next;
}

/** Steps that tensor i has taken. */
export const stepsOf = ({ step, together }: Table, i: number): number => step[i] + together[0];

/** Whether a buffer goes on at an address where `length` elements of it end; or both are absent. */
export function adjoin(before: number, address: number, length: number): boolean {
  return before === ABSENT ? address === ABSENT : address === before + length * 4;
}

/** Whether a tensor has slots that are not float32. */
export const isSmall = ({ formats }: Table, i: number): boolean => formats.some((column) => column[i] !== FLOAT32);

/** Whether tensor i comes right after tensor i − 1 in every buffer, and in the same group, without small slots. */
export function follows(table: Table, i: number): boolean {
  const { group, length, data, grad, slots } = table;
  if (isSmall(table, i) || isSmall(table, i - 1)) return false;
  const goesOn = (column: Uint32Array): boolean => adjoin(column[i - 1], column[i], length[i - 1]);
  return group[i] === group[i - 1] && goesOn(data) && goesOn(grad) && slots.every(goesOn);
}
