// Embeddings: row t of y is the row of a table that token t names.
//
//   dtable[k] = Σ dy[t] over the tokens t = k, in order; 0 for rows that no token names
//   positions: y[i] = x[i] + p[i mod length]          dp[j] = Σ dy[i] over the rows i = j mod length, in order
import { firstOf, lastOf } from "../products/parts";
import { loadChannels, storeChannels } from "./channels";

// @ts-ignore: decorator
@inline
function addRow(width: i32, to: usize, a: usize, b: usize): void {
  for (let n = width; n > 0; n -= 4, to += 16, a += 16, b += 16)
    storeChannels(n, to, f32x4.add(loadChannels(n, a), loadChannels(n, b)));
}

export function embed(count: i32, width: i32, tokens: usize, table: usize, y: usize): void {
  const bytes = <usize>width << 2;
  for (let i = firstOf(count), last = lastOf(count); i < last; i++)
    memory.copy(y + <usize>i * bytes, table + <usize>load<i32>(tokens + (<usize>i << 2)) * bytes, bytes);
}

export function embedGradient(count: i32, width: i32, rows: i32, tokens: usize, dy: usize, dtable: usize): void {
  const bytes = <usize>width << 2;
  memory.fill(dtable, 0, <usize>rows * bytes);
  for (let i = 0; i < count; i++, dy += bytes) {
    const row = dtable + <usize>load<i32>(tokens + (<usize>i << 2)) * bytes;
    addRow(width, row, row, dy);
  }
}

export function addPositions(rows: i32, length: i32, width: i32, x: usize, p: usize, y: usize): void {
  const bytes = <usize>width << 2;
  for (let i = firstOf(rows), last = lastOf(rows); i < last; i++)
    addRow(width, y + <usize>i * bytes, x + <usize>i * bytes, p + <usize>(i % length) * bytes);
}

export function positionsGradient(rows: i32, length: i32, width: i32, dy: usize, dp: usize): void {
  const bytes = <usize>width << 2;
  for (let j = firstOf(length), last = lastOf(length); j < last; j++) {
    const row = dp + <usize>j * bytes;
    memory.fill(row, 0, bytes);
    for (let i = j; i < rows; i += length) addRow(width, row, row, dy + <usize>i * bytes);
  }
}
