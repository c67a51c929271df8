// Lays batches out as runs: stretches of adjacent memory with the same coefficients, each described by a record that kernels
// read. The fields are in assembly/layout/run-list.ts; here offsets count words of four bytes.
import type { Arena } from "../memory/arena.js";
import { FLOAT32, basesAt } from "../state/small-formats.js";
import { ROW_BYTES } from "../wasm/generated/layout/coefficients.js";
import * as layout from "../wasm/generated/layout/run-list.js";
import { Batches } from "./batches.js";
import type { Run } from "../optimizer/rule.js";
import type { StepRequest } from "./step-request.js";
import { type Table, isAdjacent, stepsOf } from "./tensor-table.js";

const SHORT = layout.RECORD_BYTES / 4;
const LONG = layout.LONG_RECORD_BYTES / 4;
const COEFFICIENTS = layout.COEFFICIENTS / 4;
const PASS = layout.PASS_BYTES / 4;
const ROW = ROW_BYTES / 4;

/** The variant of a batch whose rows are swept apart: it has no runs. */
export const SPARSE = 0xffffffff;

/** The batches of a step, and their runs. */
export class RunList extends Batches {
  /** Number of runs, ordered by kernel call, then by address. */
  runs = 0;
  /** Of each run: its batch. */
  readonly batchOfRun: Uint32Array;
  /** Number of kernel calls that sweep all runs, each of one variant. */
  calls = 0;
  /** Of each call: its first run; one more at the end. */
  readonly first: Uint32Array;
  /** Of each batch: which variant of the kernel it needs. */
  readonly #variant: Uint32Array;
  readonly #arena: Arena;
  /** Whether there are slots in small formats. */
  readonly #small: boolean;
  /** Rows of coefficients that there is room for. Mostly all tensors of a parameter group are in one batch. */
  readonly #rows: number;
  /**
   * The pass, records with room for one per tensor, and from `#coefficients` on the rows of coefficients. Moves from memory of
   * its own to the arena when kernels are to read it.
   */
  #words!: Uint32Array;
  #floats!: Float32Array;
  readonly #coefficients: number;
  /** Address of the pass; 0 before the list is in the arena. */
  #address = 0;
  /** Words of a record. */
  #stride = SHORT;
  /** The averages for which the runs were laid out. */
  #averages: Uint32Array | undefined;
  /** The run to which its call's arguments point, or −1. */
  #pointed = -1;

  /** @throws RangeError when there are small formats and the arena has no room for the list: float32 does without. */
  constructor(table: Table, groups: number, shared: boolean, arena: Arena, owner: string) {
    super(table, groups, shared);
    const { length } = table.tensors;
    this.#arena = arena;
    this.#small = table.formats.some((column) => column.some((format) => format !== FLOAT32));
    this.#rows = this.#small ? length : Math.min(length, 2 * groups + 6);
    this.#coefficients = PASS + length * LONG;
    this.#place(new ArrayBuffer(4 * this.#rowOf(this.#rows)), 0);
    this.#variant = new Uint32Array(length);
    this.batchOfRun = new Uint32Array(length);
    this.first = new Uint32Array(length + 1);
    if (this.#small) this.moveToArena(owner);
  }

  /** Sets a batch's variant of the kernel, beside the choice by the slots that there are. */
  setVariant(batch: number, variant: number): void {
    if (this.#variant[batch] === variant) return;
    this.#variant[batch] = variant;
    this.isLaidOut = false;
  }

  /** Lays out calls and runs, once the batches' variants are known, unless they are as before. `averages`: addresses by tensor. */
  layOut(averages: Uint32Array | undefined): void {
    if (this.isLaidOut && averages === this.#averages) return;
    this.isLaidOut = true;
    this.#averages = averages;
    this.#pointed = -1;
    this.#stride = averages || this.#small ? LONG : SHORT;
    this.calls = this.runs = 0;
    const variants = this.#variant;
    for (let b = 0; b < this.count; b++) {
      if (variants.indexOf(variants[b]) < b || variants[b] === SPARSE) continue;
      this.first[this.calls++] = this.runs;
      this.#addRuns(variants[b]);
    }
    this.first[this.calls] = this.runs;
  }

  /** Adds the runs of the batches of one variant. */
  #addRuns(variant: number): void {
    const { batchOf, table } = this;
    const { length, data, grad, slots, formats, tensors, adjacent } = table;
    const words = this.#words;
    const averages = this.#averages;
    let at = PASS + (this.runs - 1) * this.#stride;
    for (let i = 0; i < batchOf.length; i++) {
      const batch = batchOf[i];
      if (batch < 0 || this.#variant[batch] !== variant || length[i] === 0) continue;
      if (
        adjacent[i] === 1 &&
        batchOf[i - 1] === batch &&
        length[i - 1] > 0 &&
        (averages === undefined || isAdjacent(averages[i - 1], averages[i], length[i - 1]))
      ) {
        words[at + layout.LENGTH / 4] += length[i];
        continue;
      }
      this.batchOfRun[this.runs++] = batch;
      at += this.#stride;
      words[at + layout.LENGTH / 4] = length[i];
      words[at + layout.PARAMETERS / 4] = data[i];
      words[at + layout.GRADIENT / 4] = grad[i];
      words[at + COEFFICIENTS] = this.#address + 4 * this.#rowOf(batch);
      // A short record lacks what follows, and the next one is written over it.
      words[at + layout.AVERAGE / 4] = averages?.[i] ?? 0;
      words[at + layout.FORMATS / 4] = 0;
      words[at + layout.FIRST / 4] = length[i] - tensors[i].size;
      for (let k = 0; k < slots.length; k++) {
        words[at + layout.SLOTS / 4 + k] = slots[k][i];
        words[at + layout.FORMATS / 4] += formats[k][i] << (8 * k);
        words[at + layout.BASES / 4 + k] = basesAt(slots[k][i], length[i]);
      }
    }
  }

  /** The word at which a batch's coefficients begin. */
  #rowOf(batch: number): number {
    return this.#coefficients + batch * ROW;
  }

  #place(buffer: ArrayBuffer, at: number): void {
    const length = this.#rowOf(this.#rows);
    this.#words = new Uint32Array(buffer, at, length);
    this.#floats = new Float32Array(buffer, at, length);
  }

  /**
   * Moves the list to where kernels can read it; false when there is no room: then each run needs a call of its own. Throws
   * when there is no room for a list with small formats.
   */
  moveToArena(owner: string): boolean {
    if (this.count > this.#rows) return false;
    if (this.#address !== 0) return true;
    const words = this.#words;
    const bytes = words.byteLength;
    if (!this.#small && !this.#arena.hasRoom(bytes)) return false;
    this.#address = this.#arena.allocate(bytes, owner, "its list of runs");
    for (let r = 0; r < this.runs; r++) words[PASS + r * this.#stride + COEFFICIENTS] += this.#address;
    this.#place(this.#arena.buffer, this.#address);
    this.#words.set(words);
    return true;
  }

  /** Sets a batch's coefficients in the list: rounded to float32, once. */
  setCoefficients(batch: number, c: Float64Array): void {
    const floats = this.#floats;
    const from = this.#rowOf(batch);
    for (let k = 0; k < c.length; k++) floats[from + k] = c[k];
  }

  /** Sets what the kernels do in the same pass, and where they unpack small slots (`unpacked`, or 0). */
  setPass({ zeroGrad, averageWeight }: StepRequest, unpacked: number): void {
    const words = this.#words;
    if (this.#small)
      for (let r = 0; r < this.runs; r++)
        words[PASS + r * LONG + layout.STEP / 4] = stepsOf(this.table, this.lead[this.batchOfRun[r]]);
    words.fill(0, 0, layout.CLEAR / 4); // the kernel's to fill in
    words[layout.STRIDE / 4] = 4 * this.#stride;
    words[layout.UNPACKED / 4] = unpacked;
    words[layout.CLEAR / 4] = zeroGrad ? 1 : 0;
    this.#floats[layout.WEIGHT / 4] = averageWeight[0];
  }

  /** Points a kernel's arguments at one run. */
  point(at: Uint32Array, run: number): void {
    if (this.#pointed === run) return; // as in the step before
    this.#pointed = run;
    const from = PASS + run * this.#stride;
    for (let k = 0; k < at.length; k++) at[k] = this.#words[from + k];
  }

  /** Points a kernel's arguments at all runs of a call: −n, records, and the pass if there is something to do in it. */
  pointAtCall({ at, c }: Run, call: number, withPass: boolean): void {
    const from = this.first[call];
    this.setCoefficients(this.batchOfRun[from], c); // which a single batch has not in the list yet
    this.point(at, from); // for the kernel to see which slots there are
    this.#pointed = -1;
    at[0] = from - this.first[call + 1];
    at[1] = this.#address + 4 * (PASS + from * this.#stride);
    at[2] = withPass ? this.#address : 0;
  }

  /** Releases the list's memory. */
  dispose(): void {
    if (this.#address !== 0) this.#arena.release(this.#address);
  }
}
