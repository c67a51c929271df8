// Writes each of `outer` blocks of `bytes` > 0 bytes `times` > 0 times in a row.
export function repeat(outer: i32, bytes: usize, times: i32, from: usize, to: usize): void {
  const size = bytes * <usize>times;
  for (; outer; outer--, from += bytes, to += size) {
    memory.copy(to, from, bytes);
    // What is there is copied behind itself, which doubles it.
    for (let done = bytes; done < size; done <<= 1) memory.copy(to + done, to, min(done, size - done));
  }
}
