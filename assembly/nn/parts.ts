// How the products are cut: into parts for threads, and into blocks.

let part = 0, parts = 1;

// Has the products that follow make only one of `count` parts of C's rows, as one of several threads: the same bits.
export function takePart(index: i32, count: i32): void {
  part = index;
  parts = count;
}

// The rows of this part, of m: from a multiple of 4 up to one, or to m.
export function firstOfPart(m: i32): i32 {
  return (m / parts * part) & -4;
}
export function lastOfPart(m: i32): i32 {
  return part + 1 == parts ? m : (m / parts * (part + 1)) & -4;
}

// The size of the pieces when `total` is cut evenly into as few as possible of at most `most`.
// @ts-ignore: decorator
@inline
export function evenly(total: i32, most: i32): i32 {
  const pieces = (total + most - 1) / most;
  return (total + pieces - 1) / pieces;
}

// @ts-ignore: decorator
@inline
export function at(base: usize, row: i32, column: i32, stride: usize): usize {
  return base + <usize>row * stride + (<usize>column << 2);
}
