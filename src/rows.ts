import { wrongType, wrongValue } from "./check.js";

/** The row numbers of a sparse step, in a copy: whole, in [0, count), each once. */
export function readRows(owner: string, option: string, value: unknown, count: number): Uint32Array {
  if (value instanceof Uint32Array || value instanceof Int32Array) {
    // Without a loop over all checks, which would take longer than the step itself until it is compiled.
    const rows = new Uint32Array(value);
    if (allDifferent(rows.slice().sort(), count)) return rows;
  }
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!isList) throw wrongType(owner, option, "an array of row numbers", value);
  const rows = value as unknown as ArrayLike<unknown>;
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

/** Of sorted numbers; negative ones have become too large. */
function allDifferent(sorted: Uint32Array, count: number): boolean {
  if (sorted.length > 0 && sorted[sorted.length - 1] >= count) return false;
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) return false;
  return true;
}
