// Embeddings: row t of y is the row of a table that token t names. Positions are added by `addRows` (rows.ts).
//
//   dtable[k] = Σ dy[t] over the tokens t = k, in order; 0 for rows that no token names
import { firstOf, lastOf } from "../products/parts";
import { accumulate } from "./rows";

export function embed(count: i32, width: i32, tokens: usize, table: usize, y: usize): void {
  const bytes = <usize>width << 2;
  for (let i = firstOf(count), last = lastOf(count); i < last; i++)
    memory.copy(y + <usize>i * bytes, named(tokens, i, table, bytes), bytes);
}

export function embedGradient(count: i32, width: i32, rows: i32, tokens: usize, dy: usize, dtable: usize): void {
  const bytes = <usize>width << 2;
  memory.fill(dtable, 0, <usize>rows * bytes);
  for (let i = 0; i < count; i++, dy += bytes) accumulate(width, dy, dy + bytes, bytes, named(tokens, i, dtable, bytes));
}

// The address of the row that a token names.
// @ts-ignore: decorator
@inline
function named(tokens: usize, i: i32, table: usize, bytes: usize): usize {
  return table + <usize>load<i32>(tokens + (<usize>i << 2)) * bytes;
}
