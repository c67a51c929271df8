// Groups tensors into batches: tensors with the same coefficients. Reused until tensors, skips or loaded state change.
import type { StepRequest } from "./step-request.js";
import { ABSENT, type Table, stepsOf } from "./tensor-table.js";

export class Batches {
  readonly table: Table;
  count = 0;
  /** Goes up when the tensors are grouped anew. */
  version = 0;
  /** Of each batch: its first tensor, which stands for all. */
  readonly lead: Uint32Array;
  /** Of each batch: which slots there are, a bit each. */
  readonly slots: Uint32Array;
  /** Of each batch: which variant of the kernel it needs. */
  readonly variant: Uint32Array;
  /** Of each tensor: its batch, or −1 when the step skips it. */
  readonly batchOf: Int32Array;
  /** Per scalar, each batch's value after the step. */
  readonly scalars: readonly Float64Array[];
  readonly #shared: boolean;
  /** Of each parameter group: the batch to which its last tensor went, or −1. */
  readonly #latest: Int32Array;
  /** Whether all tensors are grouped. To be set to false when steps or scalars of tensors have been loaded. */
  isGrouped = false;

  /** @param shared whether tensors share batches; else each has its own. */
  constructor(table: Table, groups: number, shared: boolean) {
    const { length } = table.tensors;
    this.table = table;
    this.#shared = shared;
    this.#latest = new Int32Array(groups);
    this.lead = new Uint32Array(length);
    this.slots = new Uint32Array(length);
    this.variant = new Uint32Array(length);
    this.batchOf = new Int32Array(length);
    this.scalars = table.scalars.map(() => new Float64Array(length));
  }

  /** Groups the tensors that the step updates, unless they are all and have been grouped before. */
  group({ skipped, rows, whole }: StepRequest): void {
    if (this.isGrouped && whole) return;
    this.isGrouped = whole;
    const { lead, batchOf } = this;
    const { group } = this.table;
    const latest = this.#latest.fill(-1);
    this.version++;
    this.count = 0;
    for (let i = 0; i < batchOf.length; i++) {
      batchOf[i] = -1;
      if (skipped[i] === 1) continue;
      const alone = !this.#shared || (rows.size > 0 && rows.has(i));
      let batch = alone ? -1 : latest[group[i]];
      if (batch < 0 || !this.#alike(i, lead[batch])) {
        batch = this.count++;
        lead[batch] = i;
        this.slots[batch] = this.#slotsOf(i);
        if (!alone) latest[group[i]] = batch;
      }
      batchOf[i] = batch;
    }
  }

  /** Whether two tensors of a parameter group have the same step count and scalars, hence the same coefficients. */
  #alike(i: number, j: number): boolean {
    const { step, scalars } = this.table;
    if (step[i] !== step[j]) return false;
    for (let k = 0; k < scalars.length; k++) if (scalars[k][i] !== scalars[k][j]) return false;
    return true;
  }

  #slotsOf(i: number): number {
    let bits = 0;
    for (const column of this.table.slots) bits = 2 * bits + (column[i] === ABSENT ? 0 : 1);
    return bits;
  }

  /** Counts the step of the tensors that take part in it; `whole`: of all. */
  countStep(whole: boolean): void {
    const { step, together } = this.table;
    const { batchOf } = this;
    if (whole) together[0]++;
    else for (let i = 0; i < batchOf.length; i++) if (batchOf[i] >= 0) step[i]++;
  }

  /** The step of a batch's tensors. */
  stepOf(batch: number): number {
    return stepsOf(this.table, this.lead[batch]);
  }

  /** Gives each tensor its batch's scalars. */
  storeScalars(): void {
    const { batchOf, scalars } = this;
    for (let k = 0; k < scalars.length; k++)
      for (let i = 0; i < batchOf.length; i++) if (batchOf[i] >= 0) this.table.scalars[k][i] = scalars[k][batchOf[i]];
  }
}
