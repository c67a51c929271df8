// Sparse steps: checks row numbers, and sweeps the chosen rows of a tensor packed together. Only rules with sparse steps
// import this file.
import { isList, wrongType, wrongValue } from "../util/check.js";
import type { CommonOptions, Settled, SparseSteps } from "../optimizer/rule.js";
import type { Slots } from "../optimizer/slots.js";
import { flushes } from "./denormals.js";
import type { RunList } from "./run-list.js";
import type { StepRequest, Target } from "./step-request.js";
import { ABSENT } from "./tensor-table.js";
import type { Sweeper } from "./tensor-sweep.js";
import { SWEPT_TOGETHER } from "../wasm/generated/layout/memory.js";

/** Elements that are packed at a time. */
const PACKED = 4096;

/** What rules have of their own in sparse steps. */
interface Own<Options extends CommonOptions> {
  /** What is expected instead of these options, where they have no sparse steps. */
  refuses?(options: Settled<Options>): string | undefined;
  /** Changes the coefficients of a dense step where those of a sparse one differ. */
  coefficients?(c: Float64Array, options: Settled<Options>, t: number): void;
}

/** A rule's sparse steps. */
/* @__NO_SIDE_EFFECTS__ */
export const sparseSteps = <Options extends CommonOptions>(own: Own<Options>): SparseSteps => ({
  read(
    { skipped }: StepRequest,
    option: string,
    value: unknown,
    i: number,
    { rule: { name: owner }, table, groups, stateFormat }: Target<Options>,
  ) {
    const { name, shape } = table.tensors[i];
    const refusal =
      own.refuses?.(groups[table.group[i]].options) ??
      (stateFormat === "float32" ? undefined : `nothing with stateFormat "${stateFormat}"`);
    if (refusal !== undefined) throw wrongValue(owner, option, refusal, value);
    if (shape.length !== 2) throw wrongValue(owner, option, "a 2-D tensor", shape);
    const chosen = readRows(owner, option, value, shape[0]);
    if (skipped[i] === 1) throw wrongValue(owner, option, "a tensor that is not skipped", name);
    return chosen;
  },
  makeRoom(request: StepRequest, slots: Slots<Options>) {
    // For row numbers, and for the packed rows of each buffer.
    if (request.packed === 0) request.packed = slots.take((3 + slots.names.length) * PACKED * 4, "a sparse step");
  },
  sweep(optimizer: Sweeper<Options>, runs: RunList, request: StepRequest) {
    request.rows.forEach((rows, i) => {
      if (rows) sweepRows(optimizer, own, runs, request.packed, i, rows);
    });
  },
});

/** Checks row numbers, which must be whole, in [0, count) and different, and returns a copy. */
function readRows(owner: string, option: string, value: unknown, count: number): Uint32Array {
  if (value instanceof Uint32Array || value instanceof Int32Array) {
    // The loop below would take longer than the step itself until it is compiled.
    const rows = new Uint32Array(value);
    const sorted = rows.slice().sort();
    let k = 0;
    while (sorted[k] < count && sorted[k] !== sorted[k + 1]) k++;
    if (k === sorted.length) return rows;
  }
  if (!isList(value)) throw wrongType(owner, option, "an array of row numbers", value);
  const rows = value;
  const seen = new Set<number>();
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (typeof row !== "number") throw wrongType(owner, `${option}[${i}]`, "a row number", row);
    if (!(Number.isInteger(row) && row >= 0 && row < count))
      throw wrongValue(owner, `${option}[${i}]`, `a row in [0, ${count})`, row);
    if (seen.has(row)) throw wrongValue(owner, `${option}[${i}]`, "each row once", row);
    seen.add(row);
  }
  return Uint32Array.from(seen);
}

/**
 * Updates rows of tensor i: packs them into the scratch, sweeps them, and writes them back, as many at a time as the scratch
 * holds.
 */
function sweepRows<Options extends CommonOptions>(
  optimizer: Sweeper<Options>,
  own: Own<Options>,
  runs: RunList,
  packed: number,
  i: number,
  rows: Uint32Array,
): void {
  const { rule, arena, table } = optimizer;
  const { kernels, buffer } = arena;
  if (table.size[i] === 0) return;
  const run = optimizer.setCall(runs, runs.batchOf[i]);
  own.coefficients?.(run.c, run.options, run.t);
  const width = table.size[i] / table.tensors[i].shape[0];
  const columns = Math.min(width, PACKED);
  const many = Math.floor(PACKED / columns);
  const numbers = new Uint32Array(buffer, packed, PACKED);
  const starts = [table.data[i], table.grad[i], ...table.slots.map((column) => column[i])];
  starts.forEach((start, k) => (run.at[1 + k] = start === ABSENT ? ABSENT : packed + (1 + k) * PACKED * 4));
  for (let r = 0; r < rows.length; r += many) {
    const n = Math.min(many, rows.length - r);
    numbers.set(rows.subarray(r, r + n));
    for (let first = 0; first < width; first += columns) {
      const taken = Math.min(columns, width - first);
      run.at[0] = Math.ceil((n * taken) / SWEPT_TOGETHER) * SWEPT_TOGETHER;
      for (let k = 0; k < starts.length; k++)
        if (starts[k] !== ABSENT)
          kernels.gatherRows(n, packed, starts[k] + first * 4, width * 4, taken * 4, run.at[1 + k]);
      rule.sweep(kernels, run, run.options);
      for (let k = 0; k < starts.length; k++) {
        if (starts[k] === ABSENT || k === 1) continue;
        if (k > 1 && flushes(table, i)) kernels.flushDenormals(run.at[0], run.at[1 + k]);
        kernels.scatterRows(n, packed, starts[k] + first * 4, width * 4, taken * 4, run.at[1 + k]);
      }
    }
  }
}
