// y = a + b, element by element. n is rounded up to whole vectors, in padded buffers. y may be a or b.
export function add(n: i32, a: usize, b: usize, y: usize): void {
  for (const end = a + (<usize>n << 2); a < end; a += 16, b += 16, y += 16) {
    v128.store(y, f32x4.add(v128.load(a), v128.load(b)));
  }
}
