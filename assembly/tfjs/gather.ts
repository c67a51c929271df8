// y[b, o, i] = x[b, o, ids[b, i]], rows of `bytes`, for x [batches, outer, size] and ids [batches, count], all in range.
export function gather(batches: i32, outer: i32, size: i32, count: i32, bytes: usize, ids: usize, x: usize, y: usize): void {
  const vectors = bytes & -16;
  for (; batches; batches--, ids += <usize>count << 2)
    for (let o = outer; o; o--, x += <usize>size * bytes)
      for (let i: usize = 0; i < <usize>count; i++, y += bytes) {
        const from = x + <usize>load<u32>(ids + (i << 2)) * bytes;
        let j: usize = 0;
        for (; j < vectors; j += 16) v128.store(y + j, v128.load(from + j));
        for (; j < bytes; j += 4) store<u32>(y + j, load<u32>(from + j));
      }
}
