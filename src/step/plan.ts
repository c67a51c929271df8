import type { Arena } from "../memory/arena.js";
import { FLOAT32, basesAt } from "../state/small-formats.js";
import { ROW_BYTES } from "../wasm/generated/layout/coefficients.js";
import * as layout from "../wasm/generated/layout/run-list.js";
import { type Table, adjoin, stepsOf } from "./tensor-table.js";

// Offsets as words of four bytes.
const SHORT = layout.RECORD_BYTES / 4;
const LONG = layout.LONG_RECORD_BYTES / 4;
const COEFFICIENTS = layout.COEFFICIENTS / 4;
const AVERAGE = layout.AVERAGE / 4;
const FORMATS = layout.FORMATS / 4;
const STEP = layout.STEP / 4;
const FIRST = layout.FIRST / 4;
const BASES = layout.BASES / 4;
const SLOTS = layout.SLOTS / 4;
const PASS = layout.PASS_BYTES / 4;
const CLEAR = layout.CLEAR / 4;
const WEIGHT = layout.WEIGHT / 4;
const CONVERTER = layout.UNPACKED / 4;
const STRIDE = layout.STRIDE / 4;
const ROW = ROW_BYTES / 4;

/** The variant of a batch that no kernel call is made for. */
export const APART = 0xffffffff;

/**
 * What a step does: runs of neighbours in order of address, so that memory is read as it lies whatever the groups are, each
 * with the coefficients of its batch, the tensors that have them in common. It holds from step to step until tensors come,
 * are skipped, or get another state.
 */
export class Plan {
  readonly table: Table;
  batches = 0;
  /** Of each batch: one of its tensors, and which variant of the kernel it needs. */
  readonly lead: Uint32Array;
  readonly variant: Uint32Array;
  /** Of each tensor: its batch, or −1 when the step leaves it out. */
  readonly batchOf: Int32Array;
  /** A column a scalar: what the tensors of each batch have after the step. */
  readonly scalars: readonly Float64Array[];
  /** Calls that sweep all runs, each of one variant: the first run of each; one more at the end. */
  calls = 0;
  readonly first: Uint32Array;
  runs = 0;
  /** Of each run: its batch. */
  readonly runBatch: Uint32Array;
  readonly #arena: Arena;
  readonly #merge: boolean;
  /** Whether there are small slots. */
  readonly #small: boolean;
  readonly #latest: Int32Array;
  readonly #laid: Uint32Array;
  /** Rows of coefficients there is room for: a few more than groups, whose tensors mostly go together. */
  readonly #rows: number;
  /** A record a run, of `#stride` words; from the first list on in the arena, with the pass before and the coefficients behind. */
  #words: Uint32Array;
  #stride = SHORT;
  #pass = new Uint32Array(PASS);
  #passFloats = new Float32Array(PASS);
  #coefficients: Float32Array;
  #address = 0;
  #averages: Uint32Array | undefined;
  #holds = false;
  #isLaid = false;

  /** @param merge whether neighbours are merged, and tensors share a batch. */
  constructor(table: Table, groups: number, arena: Arena, merge: boolean) {
    const { length } = table.tensors;
    this.table = table;
    this.#arena = arena;
    this.#merge = merge;
    this.#small = table.formats.some((column) => column.some((format) => format !== FLOAT32));
    this.#rows = Math.min(length, 2 * groups + 6);
    this.#coefficients = new Float32Array(this.#rows * ROW);
    this.#latest = new Int32Array(groups);
    this.#words = new Uint32Array(length * LONG);
    this.batchOf = new Int32Array(length);
    this.scalars = table.scalars.map(() => new Float64Array(length));
    this.first = new Uint32Array(length + 1);
    this.lead = new Uint32Array(length);
    this.variant = new Uint32Array(length);
    this.#laid = new Uint32Array(length);
    this.runBatch = new Uint32Array(length);
  }

  /** Says that the tensors' state has been set from outside. */
  forget(): void {
    this.#holds = false;
  }

  /** Counts a step of the tensors that call `call` does not skip, `whole` when that is all, and sorts them into batches. */
  cut(call: number, whole: boolean): void {
    const { step, together } = this.table;
    const { batchOf } = this;
    if (!this.#holds || !whole) this.#cut(call);
    this.#holds = whole;
    if (whole) together[0]++;
    else for (let i = 0; i < step.length; i++) if (batchOf[i] >= 0) step[i]++;
  }

  #cut(call: number): void {
    const { lead, batchOf } = this;
    const { group, skipped, sparse } = this.table;
    const latest = this.#latest.fill(-1);
    this.batches = 0;
    for (let i = 0; i < batchOf.length; i++) {
      batchOf[i] = -1;
      if (skipped[i] === call) continue;
      const alone = !this.#merge || sparse[i] === call;
      let batch = alone ? -1 : latest[group[i]];
      if (batch < 0 || !this.#alike(i, lead[batch])) {
        batch = this.batches++;
        lead[batch] = i;
        if (!alone) latest[group[i]] = batch;
      }
      batchOf[i] = batch;
    }
    this.#isLaid = false;
  }

  /** Whether two tensors of a group have the same step count and scalars. */
  #alike(i: number, j: number): boolean {
    const { step, scalars } = this.table;
    if (step[i] !== step[j]) return false;
    for (let k = 0; k < scalars.length; k++) if (scalars[k][i] !== scalars[k][j]) return false;
    return true;
  }

  /** Lays out calls and runs, once the batches' variants are known. `averages`: addresses by tensor, or 0, of what rides along. */
  lay(averages: Uint32Array | undefined): void {
    const { batches, variant, first } = this;
    const laid = this.#laid;
    for (let b = 0; b < batches && this.#isLaid; b++) this.#isLaid = variant[b] === laid[b];
    if (this.#isLaid && averages === this.#averages) return;
    this.#isLaid = true;
    this.#averages = averages;
    this.#stride = averages || this.#small ? LONG : SHORT;
    this.calls = this.runs = 0;
    for (let b = 0; b < batches; b++) {
      laid[b] = variant[b];
      let earlier = 0;
      while (laid[earlier] !== variant[b]) earlier++;
      if (earlier < b || variant[b] === APART) continue;
      first[this.calls++] = this.runs;
      this.#layCall(variant[b]);
    }
    first[this.calls] = this.runs;
  }

  #layCall(chosen: number): void {
    const { variant, batchOf, runBatch } = this;
    const { length, data, grad, slots, joined } = this.table;
    const words = this.#words;
    const stride = this.#stride;
    const averages = this.#averages;
    for (let i = 0; i < batchOf.length; i++) {
      const batch = batchOf[i];
      if (batch < 0 || variant[batch] !== chosen || length[i] === 0) continue;
      if (
        joined[i] === 1 &&
        this.#merge &&
        batchOf[i - 1] === batch &&
        length[i - 1] > 0 &&
        (averages === undefined || adjoin(averages[i - 1], averages[i], length[i - 1]))
      ) {
        words[(this.runs - 1) * stride + layout.LENGTH / 4] += length[i];
        continue;
      }
      runBatch[this.runs] = batch;
      const at = this.runs++ * stride;
      words[at + layout.LENGTH / 4] = length[i];
      words[at + layout.PARAMETERS / 4] = data[i];
      words[at + layout.GRADIENT / 4] = grad[i];
      for (let k = 0; k < slots.length; k++) words[at + SLOTS + k] = slots[k][i];
      words[at + COEFFICIENTS] = this.#rowAt(batch);
      if (stride === SHORT) continue;
      words[at + AVERAGE] = averages ? averages[i] : 0;
      this.#layFormats(at, i);
    }
  }

  /** What a record says of its small slots. */
  #layFormats(at: number, i: number): void {
    const { length, slots, formats, tensors } = this.table;
    const words = this.#words;
    let all = 0;
    for (let k = 0; k < slots.length; k++) {
      all += formats[k][i] << (8 * k);
      words[at + BASES + k] = basesAt(slots[k][i], length[i]);
    }
    words[at + FORMATS] = all;
    words[at + FIRST] = length[i] - tensors[i].size;
  }

  /** Address of a batch's coefficients. */
  #rowAt(batch: number): number {
    return this.#address + 4 * (PASS + this.#words.length + batch * ROW);
  }

  /** Brings the runs to where a kernel can read them as a list; false when the arena has no room for it. */
  list(): boolean {
    const words = PASS + this.#words.length + this.#rows * ROW;
    if (this.batches > this.#rows) return false;
    if (this.#address !== 0) return true;
    if (!this.#arena.hasRoom(words * 4)) return false;
    this.#address = this.#arena.allocate(words * 4, "Optimizer", "its list of runs");
    const { buffer } = this.#arena;
    const at = this.#address;
    this.#pass = new Uint32Array(buffer, at, PASS);
    this.#passFloats = new Float32Array(buffer, at, PASS);
    const records = new Uint32Array(buffer, at + PASS * 4, this.#words.length);
    records.set(this.#words);
    this.#words = records;
    const coefficients = new Float32Array(buffer, this.#rowAt(0), this.#coefficients.length);
    coefficients.set(this.#coefficients);
    this.#coefficients = coefficients;
    for (let r = 0; r < this.runs; r++) records[r * this.#stride + COEFFICIENTS] = this.#rowAt(this.runBatch[r]);
    return true;
  }

  /** Takes a batch's coefficients, rounded to float32 once, for its runs in a list. */
  setCoefficients(batch: number, c: Float64Array): void {
    const row = this.#coefficients;
    const from = batch * ROW;
    for (let k = 0; k < c.length; k++) row[from + k] = c[k];
  }

  /** Settles what rides along with the list in this step, and where small slots are unpacked, if there are any. */
  ride(clear: boolean, weight: Float64Array, converter: number): void {
    if (this.#small) for (let r = 0; r < this.runs; r++) this.#words[r * LONG + STEP] = this.#stepOf(r);
    setPass(this.#pass, this.#passFloats, this.#stride, converter, clear, weight);
  }

  #stepOf(run: number): number {
    return stepsOf(this.table, this.lead[this.runBatch[run]]);
  }

  /** Points `at` at a run; returns the address of its average, or 0. */
  aimRun(at: Uint32Array, run: number): number {
    const words = this.#words;
    for (let i = 0; i < at.length; i++) at[i] = words[run * this.#stride + i];
    return this.#averages ? words[run * LONG + AVERAGE] : 0;
  }

  /** Points `at` at a list of one run behind `converter`, where the arena has no room for all: for runs with small slots. */
  aimAlone(
    at: Uint32Array,
    run: number,
    converter: number,
    clear: boolean,
    weight: Float64Array,
    c: Float64Array,
  ): void {
    const { buffer } = this.#arena;
    this.aimRun(at, run);
    const address = converter + layout.UNPACKED_BYTES;
    const words = new Uint32Array(buffer, address, PASS + LONG + ROW);
    const floats = new Float32Array(buffer, address, PASS + LONG + ROW);
    setPass(words.fill(0), floats, LONG, converter, clear, weight);
    words.set(this.#words.subarray(run * this.#stride, (run + 1) * this.#stride), PASS);
    words[PASS + STEP] = this.#stepOf(run);
    words[PASS + COEFFICIENTS] = address + 4 * (PASS + LONG);
    floats.set(c, PASS + LONG);
    at[0] = -1;
    at[1] = address + 4 * PASS;
    at[2] = address;
  }

  /** Points `at` at all runs of a call, with what rides along if there is something. */
  aimList(at: Uint32Array, call: number, riding: boolean): void {
    const from = this.first[call];
    this.aimRun(at, from);
    at[0] = from - this.first[call + 1];
    at[1] = this.#address + 4 * (PASS + from * this.#stride);
    at[2] = riding ? this.#address : 0;
  }

  /** Gives the memory back. */
  dispose(): void {
    if (this.#address !== 0) this.#arena.release(this.#address);
  }
}

/** Writes a pass, whose record is the kernel's to fill in. */
function setPass(
  words: Uint32Array,
  floats: Float32Array,
  stride: number,
  converter: number,
  clear: boolean,
  weight: Float64Array,
): void {
  words.fill(0, 0, CLEAR);
  words[STRIDE] = 4 * stride;
  words[CONVERTER] = converter;
  words[CLEAR] = clear ? 1 : 0;
  floats[WEIGHT] = weight[0];
}
