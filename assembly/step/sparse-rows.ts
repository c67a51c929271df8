// Copies rows of a table into one packed buffer, which a rule's kernel then sweeps, and back: for sparse steps.
// `rows` points to n distinct row numbers (u32); rows are `stride` bytes apart, of which `bytes` (a multiple of 4) are copied.

export function gatherRows(n: i32, rows: usize, table: usize, stride: usize, bytes: usize, packed: usize): void {
  copyRows(n, rows, table, stride, bytes, packed, true);
}

export function scatterRows(n: i32, rows: usize, table: usize, stride: usize, bytes: usize, packed: usize): void {
  copyRows(n, rows, table, stride, bytes, packed, false);
}

function copyRows(n: i32, rows: usize, table: usize, stride: usize, bytes: usize, packed: usize, gathers: bool): void {
  for (const end = rows + (<usize>n << 2); rows < end; rows += 4, packed += bytes) {
    const row = table + <usize>load<u32>(rows) * stride;
    copy(gathers ? row : packed, gathers ? packed : row, bytes);
  }
}

// @ts-ignore: decorator
@inline
function copy(from: usize, to: usize, bytes: usize): void {
  const end = from + bytes;
  for (const whole = from + (bytes & ~15); from < whole; from += 16, to += 16) v128.store(to, v128.load(from));
  for (; from < end; from += 4, to += 4) store<u32>(to, load<u32>(from));
}
