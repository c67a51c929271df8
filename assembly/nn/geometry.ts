// The geometry of a convolution, as convolution.ts reads it: sizes, and tables of addresses.
//
// Images are channels last, [height, width, channels], and are copied into a frame with the padding around them. A kernel's
// taps are `runs` of `run` consecutive floats of the frame: the rows of the kernel, or with dilation or groups the taps one by
// one. In this order, (row, column, channel), the `run·runs` taps of an output are its steps.
//
// The input's gradient is, where the stride is 1, a convolution of dy with the kernel turned round, and has a geometry of its own,
// with the sizes of dy and dx exchanged.
//
// For the gradients a run is cut into vectors of four floats, the last of which may have fewer: `lanes` says how many.


/** The order of the fields is that of src/nn/layers/geometry.ts, which writes them. */
@unmanaged
export class Geometry {
  channels: i32;
  height: i32;
  width: i32;
  outputs: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  top: i32;
  left: i32;
  dilationHeight: i32;
  dilationWidth: i32;
  groups: i32;
  /** Of the output. */
  outHeight: i32;
  outWidth: i32;
  /** Of the frame: exactly what the outputs see. */
  frameHeight: i32;
  frameWidth: i32;
  run: i32;
  runs: i32;
  /** Vectors of all runs, rounded up to a multiple of four. */
  vectors: i32;
  /** 1 if zeros of dy are multiplied too. */
  all: i32;
  strideWidth: i32;
  /** Bytes of scratch for each thread. */
  scratch: usize;
  /** By output pixel: the byte offset of its first tap in the frame. */
  pixels: usize;
  /** By run: its byte offset. */
  offsets: usize;
  /** By vector: its byte offset, and its valid lanes. Those that only fill up have no valid lane. */
  places: usize;
  lanes: usize;
  /** Weights for the forward pass: by group and block of 16 outputs, [steps, 16]. */
  panels: usize;
  /** Weights for dx by lists: [outputs, vectors · 4]. */
  rows: usize;
}

// @ts-ignore: decorator
@inline
export function geometry(at: usize): Geometry {
  return changetype<Geometry>(at);
}

// The byte offset of a step in a row of vectors.
// @ts-ignore: decorator
@inline
export function placeOf(g: Geometry, step: i32): usize {
  const run = step / g.run;
  return <usize>(run * ((g.run + 3) >> 2 << 2) + step - run * g.run) << 2;
}

// Copies what a frame and its image have in common, into the frame or out of it; what the other does not have is zero. A
// negative `top` or `left` means that the frame begins within the image.
export function toFrame(g: Geometry, x: usize, frame: usize): void {
  memory.fill(frame, 0, <usize>(g.frameHeight * g.frameWidth * g.channels) << 2);
  copyCommon(g, x, frame, true);
}
export function fromFrame(g: Geometry, frame: usize, x: usize): void {
  memory.fill(x, 0, <usize>(g.height * g.width * g.channels) << 2);
  copyCommon(g, x, frame, false);
}

function copyCommon(g: Geometry, x: usize, frame: usize, into: bool): void {
  const pixel = <usize>g.channels << 2, line = <usize>g.width * pixel, frameLine = <usize>g.frameWidth * pixel;
  const above = max(0, -g.top), before = max(0, -g.left);
  const columns = <usize>max(0, min(g.width - before, g.frameWidth - max(0, g.left))) * pixel;
  x += <usize>above * line + <usize>before * pixel;
  frame += <usize>max(0, g.top) * frameLine + <usize>max(0, g.left) * pixel;
  for (let rows = min(g.height - above, g.frameHeight - max(0, g.top)); rows > 0; rows--, x += line, frame += frameLine)
    copy(into ? x : frame, into ? frame : x, columns);
}

// @ts-ignore: decorator
@inline
function copy(from: usize, to: usize, bytes: usize): void {
  const end = to + bytes, whole = to + (bytes & -16);
  for (; to < whole; from += 16, to += 16) v128.store(to, v128.load(from));
  for (; to < end; from += 4, to += 4) store<f32>(to, load<f32>(from));
}

// Bytes of a frame, with space for a vector that begins in its last float.
// @ts-ignore: decorator
@inline
export function frameBytes(g: Geometry): usize {
  return ((<usize>(g.frameHeight * g.frameWidth * g.channels) << 2) + 79) & -64;
}

