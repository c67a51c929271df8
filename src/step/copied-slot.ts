// Slots that start as a copy of the parameters. Only rules that have one import this file.
import type { CopiedSlot } from "../optimizer/rule.js";
import { stepsOf } from "./tensor-table.js";

/** The slot at this place in the kernel's order is a copy of the parameters at the tensor's first step. */
/* @__NO_SIDE_EFFECTS__ */
export const copyIn = (slot: number): CopiedSlot => ({
  slot,
  copy: (arena, { data, slots, length }, i) => arena.copy(data[i], slots[slot][i], length[i] * 4),
  begin(arena, table, batchOf) {
    for (let i = 0; i < batchOf.length; i++) if (batchOf[i] >= 0 && stepsOf(table, i) === 1) this.copy(arena, table, i);
  },
});
