// Divides products into parts for threads, and into blocks.

let part = 0, parts = 1;

// Makes the following kernels compute only part `index` of `count` of their result's rows (or images, or elements), with the
// same bits: each thread takes one.
export function takePart(index: i32, count: i32): void {
  part = index;
  parts = count;
}

// The rows of this part of m rows: they begin at a multiple of 4, and end at one or at m.
export function firstOfPart(m: i32): i32 {
  return (m / parts * part) & -4;
}
export function lastOfPart(m: i32): i32 {
  return part + 1 == parts ? m : (m / parts * (part + 1)) & -4;
}

// The images, heads or whatever of this part of n, where none is too small to be one alone.
export function firstOf(n: i32): i32 {
  return <i32>((<i64>n * part) / parts);
}
export function lastOf(n: i32): i32 {
  return <i32>((<i64>n * (part + 1)) / parts);
}

// The scratch of this part, if each has so many bytes.
// @ts-ignore: decorator
@inline
export function scratchOfPart(scratch: usize, bytes: usize): usize {
  return scratch + <usize>part * bytes;
}

// The size of a piece if `total` is cut evenly into as few pieces as possible of at most `most`.
// @ts-ignore: decorator
@inline
export function evenly(total: i32, most: i32): i32 {
  const pieces = (total + most - 1) / most;
  return (total + pieces - 1) / pieces;
}

// The address of an element of a row-major float32 matrix.
// @ts-ignore: decorator
@inline
export function at(base: usize, row: i32, column: i32, stride: usize): usize {
  return base + <usize>row * stride + (<usize>column << 2);
}
