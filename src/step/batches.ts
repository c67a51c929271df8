// Groups tensors into batches: tensors with the same coefficients. Reused until tensors, skips or loaded state change.
import type { StepRequest } from "./step-request.js";
import { ABSENT, type Table } from "./tensor-table.js";

export class Batches {
  readonly table: Table;
  count = 0;
  /** Of each batch: its first tensor, which stands for all. */
  readonly lead: Uint32Array;
  /** Of each batch: which slots there are, a bit each. */
  readonly slots: Uint32Array;
  /** Of each tensor: its batch, or −1 when the step skips it. */
  readonly batchOf: Int32Array;
  /** Per scalar, each batch's value after the step. */
  readonly scalars: readonly Float64Array[];
  readonly #shared: boolean;
  /** Of each parameter group: the batch to which its last tensor went, or −1. */
  readonly #latest: Int32Array;
  /** Whether all tensors are grouped. */
  #isGrouped = false;
  /** Whether calls and runs are laid out for these batches. */
  protected isLaidOut = false;

  /** @param shared whether tensors share batches; else each has its own. */
  constructor(table: Table, groups: number, shared: boolean) {
    const { length } = table.tensors;
    this.table = table;
    this.#shared = shared;
    this.#latest = new Int32Array(groups);
    this.lead = new Uint32Array(length);
    this.slots = new Uint32Array(length);
    this.batchOf = new Int32Array(length);
    this.scalars = table.scalars.map(() => new Float64Array(length));
  }

  /** Begins a step: counts it, and groups the tensors that it updates, unless they are all and have been grouped before. */
  begin({ skipped, rows, whole }: StepRequest): void {
    const { group, step, together } = this.table;
    if (whole && together[0]++ > 0 && this.#isGrouped) return; // 0 at first, and after a load
    this.#isGrouped = whole;
    this.isLaidOut = false;
    const { lead, batchOf } = this;
    const latest = this.#latest.fill(-1);
    this.count = 0;
    for (let i = 0; i < batchOf.length; i++) {
      batchOf[i] = -1;
      if (skipped[i] === 1) continue;
      if (!whole) step[i]++;
      const alone = !this.#shared || (rows.length > 0 && rows[i]); // reading beyond the end is slow
      let batch = alone ? -1 : latest[group[i]];
      if (batch < 0 || !this.#alike(i, lead[batch])) {
        batch = this.count++;
        lead[batch] = i;
        this.slots[batch] = 0;
        for (const column of this.table.slots)
          this.slots[batch] = 2 * this.slots[batch] + (column[i] === ABSENT ? 0 : 1);
        if (!alone) latest[group[i]] = batch;
      }
      batchOf[i] = batch;
    }
  }

  /** Whether two tensors of a parameter group have the same step count and scalars, hence the same coefficients. */
  #alike(i: number, j: number): boolean {
    const { step, scalars } = this.table;
    for (const column of scalars) if (column[i] !== column[j]) return false;
    return step[i] === step[j];
  }

  /** Gives each tensor its batch's scalars. */
  storeScalars(): void {
    const { batchOf, scalars } = this;
    for (let k = 0; k < scalars.length; k++)
      for (let i = 0; i < batchOf.length; i++) if (batchOf[i] >= 0) this.table.scalars[k][i] = scalars[k][batchOf[i]];
  }
}
