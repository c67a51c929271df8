// y = a + b, element by element. n is rounded up to whole vectors, in padded buffers. y may be a or b.
import { firstOfPart, lastOfPart } from "../products/parts";

export function add(n: i32, a: usize, b: usize, y: usize): void {
  const first = <usize>firstOfPart(n) << 2, end = a + (<usize>lastOfPart(n) << 2);
  for (a += first, b += first, y += first; a < end; a += 16, b += 16, y += 16) {
    v128.store(y, f32x4.add(v128.load(a), v128.load(b)));
  }
}

// y = x, likewise.
export function copy(n: i32, x: usize, y: usize): void {
  const first = <usize>firstOfPart(n) << 2;
  memory.copy(y + first, x + first, (<usize>lastOfPart(n) << 2) - first);
}
