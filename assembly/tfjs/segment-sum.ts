// Sums of rows by segment: sums[s] = Σ x[row] over the rows with ids[row] = s, in order. Rows whose id is no segment are left
// out. All are of n elements, float32 or int32.
export function segmentSum(rows: i32, n: i32, segments: i32, whole: bool, ids: usize, x: usize, sums: usize): void {
  const bytes = <usize>n << 2, vectors = bytes & -16;
  memory.fill(sums, 0, <usize>segments * bytes);
  for (; rows; rows--, ids += 4, x += bytes) {
    const id = load<u32>(ids);
    if (id >= <u32>segments) continue;
    const to = sums + <usize>id * bytes;
    let j: usize = 0;
    if (whole) for (; j < bytes; j += 4) store<i32>(to + j, load<i32>(to + j) + load<i32>(x + j));
    for (; j < vectors; j += 16) v128.store(to + j, f32x4.add(v128.load(to + j), v128.load(x + j)));
    for (; j < bytes; j += 4) store<f32>(to + j, load<f32>(to + j) + load<f32>(x + j));
  }
}
