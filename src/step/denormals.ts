// Flushes denormals to zero: a moment that decays under zero gradients would end in them, and they are slow.
import { FLOAT32 } from "../wasm/generated/layout/formats.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import type { Batches } from "./batches.js";
import { type Table, stepsOf } from "./tensor-table.js";

/** Whether tensor i's slots are flushed after this step. By its count, so that resumed training has the same bits. */
export const flushes = (table: Table, i: number): boolean => (stepsOf(table, i) & 255) === 0;

/** Flushes the slots of the tensors that are due, except the slot `exempt` and tensors of which only `rows` were updated. */
export function flushSlots(
  kernels: Kernels,
  { table, batchOf }: Batches,
  rows: readonly unknown[],
  exempt: number | undefined,
): void {
  for (let i = 0; i < batchOf.length; i++) {
    if (batchOf[i] < 0 || rows[i] || !flushes(table, i)) continue;
    for (let k = 0; k < table.slots.length; k++)
      if (k !== exempt && table.formats[k][i] === FLOAT32)
        kernels.flushDenormals(table.slotSizes[k][i], table.slots[k][i]); // none of a slot that there is not
  }
}
