// Lays batches out as runs: stretches of adjacent memory with the same coefficients, each described by a record that kernels
// read. The fields are in assembly/layout/run-list.ts; here offsets count words of four bytes.
import type { Arena } from "../memory/arena.js";
import { FLOAT32, basesAt } from "../state/small-formats.js";
import { ROW_BYTES } from "../wasm/generated/layout/coefficients.js";
import * as layout from "../wasm/generated/layout/run-list.js";
import { Batches } from "./batches.js";
import type { StepRequest } from "./step-request.js";
import { type Table, isAdjacent } from "./tensor-table.js";

const SHORT = layout.RECORD_BYTES / 4;
const LONG = layout.LONG_RECORD_BYTES / 4;
const COEFFICIENTS = layout.COEFFICIENTS / 4;
const AVERAGE = layout.AVERAGE / 4;
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
  readonly #arena: Arena;
  /** Whether there are slots in small formats. */
  readonly #small: boolean;
  /** Rows of coefficients that there is room for. Mostly all tensors of a parameter group are in one batch. */
  readonly #rows: number;
  /** A record per run, `#stride` words each, with room for one per tensor. In the arena kernels read it between pass and coefficients. */
  #records: Uint32Array;
  #stride = SHORT;
  #pass!: Uint32Array;
  #weight!: Float32Array;
  #coefficients: Float32Array;
  /** Address of the pass; 0 before the list is in the arena. */
  #address = 0;
  // What the runs were laid out for.
  #version = 0;
  readonly #variants: Uint32Array;
  #averages: Uint32Array | undefined;
  /** The array that points at a run since the last {@link point}. */
  #pointing: Uint32Array | undefined;
  #pointedAt = 0;

  /** @throws RangeError when there are small formats and the arena has no room for the list: float32 does without. */
  constructor(table: Table, groups: number, shared: boolean, arena: Arena, owner: string) {
    super(table, groups, shared);
    const { length } = table.tensors;
    this.#arena = arena;

    this.#small = table.formats.some((column) => column.some((format) => format !== FLOAT32));
    this.#rows = this.#small ? length : Math.min(length, 2 * groups + 6);
    this.#coefficients = new Float32Array(this.#rows * ROW);
    this.#records = new Uint32Array(length * LONG);
    this.#variants = new Uint32Array(length);
    this.batchOfRun = new Uint32Array(length);
    this.first = new Uint32Array(length + 1);
    if (this.#small) this.moveToArena(owner);
  }

  /** Lays out calls and runs, once the batches' variants are known, unless they are as before. `averages`: addresses by tensor. */
  layOut(averages: Uint32Array | undefined): void {
    const { version, count, variant } = this;
    const laid = this.#variants;
    let same = version === this.#version && averages === this.#averages;
    for (let b = 0; b < count && same; b++) same = variant[b] === laid[b];
    if (same) return;
    this.#version = version;
    this.#averages = averages;
    this.#pointing = undefined;
    this.#stride = averages || this.#small ? LONG : SHORT;
    this.calls = this.runs = 0;
    for (let b = 0; b < count; b++) {
      laid[b] = variant[b];
      if (laid.indexOf(variant[b]) < b || variant[b] === SPARSE) continue;
      this.first[this.calls++] = this.runs;
      this.#addRuns(variant[b]);
    }
    this.first[this.calls] = this.runs;
  }

  /** Adds the runs of the batches of one variant. */
  #addRuns(chosen: number): void {
    const { variant, batchOf, table } = this;
    const { length, data, grad, slots, adjacent } = table;
    const records = this.#records;
    const stride = this.#stride;
    const averages = this.#averages;
    for (let i = 0; i < batchOf.length; i++) {
      const batch = batchOf[i];
      if (batch < 0 || variant[batch] !== chosen || length[i] === 0) continue;
      if (
        adjacent[i] === 1 &&
        batchOf[i - 1] === batch &&
        length[i - 1] > 0 &&
        (averages === undefined || isAdjacent(averages[i - 1], averages[i], length[i - 1]))
      ) {
        records[(this.runs - 1) * stride + layout.LENGTH / 4] += length[i];
        continue;
      }
      this.batchOfRun[this.runs] = batch;
      const at = this.runs++ * stride;

      records[at + layout.LENGTH / 4] = length[i];
      records[at + layout.PARAMETERS / 4] = data[i];
      records[at + layout.GRADIENT / 4] = grad[i];
      for (let k = 0; k < slots.length; k++) records[at + layout.SLOTS / 4 + k] = slots[k][i];
      records[at + COEFFICIENTS] = this.#rowAt(batch);
      if (stride === SHORT) continue;
      records[at + AVERAGE] = averages ? averages[i] : 0;
      this.#describeFormats(at, i);
    }
  }

  #describeFormats(at: number, i: number): void {
    const { length, slots, formats, tensors } = this.table;
    const records = this.#records;
    let all = 0;
    for (let k = 0; k < slots.length; k++) {
      all += formats[k][i] << (8 * k);
      records[at + layout.BASES / 4 + k] = basesAt(slots[k][i], length[i]);
    }
    records[at + layout.FORMATS / 4] = all;
    records[at + layout.FIRST / 4] = length[i] - tensors[i].size;
  }

  /** Address of a batch's coefficients. */
  #rowAt(batch: number): number {
    return this.#address + 4 * (PASS + this.#records.length + batch * ROW);
  }

  /**
   * Moves the list to where kernels can read it; false when there is no room: then each run needs a call of its own. Throws
   * when there is no room for a list with small formats.
   */
  moveToArena(owner: string): boolean {
    if (this.count > this.#rows) return false;
    if (this.#address !== 0) return true;
    const bytes = 4 * (PASS + this.#records.length + this.#coefficients.length);
    if (!this.#small && !this.#arena.hasRoom(bytes)) return false;
    const at = (this.#address = this.#arena.allocate(bytes, owner, "its list of runs"));
    const { buffer } = this.#arena;
    this.#pass = new Uint32Array(buffer, at, PASS);
    this.#weight = new Float32Array(buffer, at + layout.WEIGHT, 1);
    const records = new Uint32Array(buffer, at + PASS * 4, this.#records.length);
    records.set(this.#records.subarray(0, this.runs * this.#stride));
    this.#records = records;
    const coefficients = new Float32Array(buffer, this.#rowAt(0), this.#coefficients.length);
    coefficients.set(this.#coefficients);
    this.#coefficients = coefficients;
    for (let r = 0; r < this.runs; r++) records[r * this.#stride + COEFFICIENTS] = this.#rowAt(this.batchOfRun[r]);
    return true;
  }

  /** Sets a batch's coefficients in the list: rounded to float32, once. */
  setCoefficients(batch: number, c: Float64Array): void {
    const row = this.#coefficients;
    const from = batch * ROW;
    for (let k = 0; k < c.length; k++) row[from + k] = c[k];
  }

  /** Sets what the kernels do in the same pass, and where they unpack small slots (`unpacked`, or 0). */
  setPass({ zeroGrad, averageWeight }: StepRequest, unpacked: number): void {
    if (this.#small)
      for (let r = 0; r < this.runs; r++) this.#records[r * LONG + layout.STEP / 4] = this.stepOf(this.batchOfRun[r]);
    const pass = this.#pass;
    pass.fill(0, 0, layout.CLEAR / 4); // the kernel's to fill in
    pass[layout.STRIDE / 4] = 4 * this.#stride;
    pass[layout.UNPACKED / 4] = unpacked;
    pass[layout.CLEAR / 4] = zeroGrad ? 1 : 0;
    this.#weight[0] = averageWeight[0];
  }

  /** Points a kernel's arguments at one run. */
  point(at: Uint32Array, run: number): void {
    if (this.#pointing === at && this.#pointedAt === run) return; // as in the step before
    const records = this.#records;
    for (let i = 0; i < at.length; i++) at[i] = records[run * this.#stride + i];
    this.#pointing = at;
    this.#pointedAt = run;
  }

  /** Points a kernel's arguments at all runs of a call: −n, records, and the pass if there is something to do in it. */
  pointAtCall(at: Uint32Array, call: number, withPass: boolean): void {
    const from = this.first[call];
    this.point(at, from); // for the kernel to see which slots there are
    this.#pointing = undefined;
    at[0] = from - this.first[call + 1];
    at[1] = this.#address + 4 * (PASS + from * this.#stride);
    at[2] = withPass ? this.#address : 0;
  }

  /** Releases the list's memory. */
  dispose(): void {
    if (this.#address !== 0) this.#arena.release(this.#address);
  }
}
