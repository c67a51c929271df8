// The geometry of a convolution, as convolution-forward.ts and convolution-gradient.ts read it: sizes, and tables of addresses.
//
// Images are channels last, [height, width, channels], and are copied into a frame with the padding around them. A kernel's
// taps are `runs` of `run` consecutive floats of the frame: the rows of the kernel, or with dilation or groups the taps one by
// one. In this order, (row, column, channel), the `run·runs` taps of an output are its steps.
//
// The input's gradient is, where the stride is 1, a convolution of dy with the kernel turned round, and has a geometry of its own,
// with the sizes of dy and dx exchanged.
//
// For the gradients a run is cut into vectors of four floats, the last of which may have fewer. An output's vectors are a row.

/** The order of the fields is that of src/nn/layers/geometry.ts, which computes them. Sizes are in bytes unless it says otherwise. */
@unmanaged
export class Geometry {
  /** Multiplications of an image: a number, for src/nn/divided.ts. */
  products: i32;
  groups: i32;
  /** Outputs of a group, a number. */
  outputs: i32;
  /** A group's part of a pixel of the image, and a pixel of the result. */
  part: usize;
  resultPixel: usize;
  image: usize;
  result: usize;
  /** The result's pixels, and those of a row of it: numbers. */
  pixels: i32;
  width: i32;
  /** From one pixel to the next in a row of the result: bytes of the frame. */
  step: usize;
  /** 1 if the image is not its own frame. */
  framed: i32;
  frame: usize;
  /** What image and frame have in common: where it begins in both, their lines, the number of lines and the length of each. */
  fromImage: usize;
  fromFrame: usize;
  line: usize;
  frameLine: usize;
  lines: i32;
  common: usize;
  /** A run, and a number of them. */
  run: usize;
  runs: i32;
  /** Weights of a block of 16 outputs. */
  panel: usize;
  /** Vectors of all runs, rounded up to a multiple of four: a number. */
  vectors: i32;
  row: usize;
  /** Weights of an output, a number, and the sum of a group of images. */
  weights: i32;
  partial: usize;
  /** 0, or NaN if zeros of dy are multiplied too. */
  zero: f32;
  /** Pixels whose lists fit into LISTS_BYTES, a number, and the lists of an output and of a pixel. */
  block: i32;
  outputList: usize;
  pixelList: usize;
  /** Scratch for each thread. */
  scratch: usize;
  /** By pixel of the result: the offset of its first tap in the frame. */
  starts: usize;
  /** By run: its offset. */
  offsets: usize;
  /** By vector: its offset, and its valid lanes. Those that only fill up have no valid lane. */
  places: usize;
  lanes: usize;
  /** By four vectors: 1 and 2 for the halves of eight that are one piece of the frame, else 0. */
  pieces: usize;
  /** By weight of an output in PyTorch's order: its offset in a row. */
  order: usize;
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

// Copy what a frame and its image have in common; what the other does not have becomes zero.
export function toFrame(g: Geometry, x: usize, frame: usize): void {
  memory.fill(frame, 0, g.frame);
  copyLines(g, x + g.fromImage, g.line, frame + g.fromFrame, g.frameLine);
}
export function fromFrame(g: Geometry, frame: usize, x: usize): void {
  memory.fill(x, 0, g.image);
  copyLines(g, frame + g.fromFrame, g.frameLine, x + g.fromImage, g.line);
}

function copyLines(g: Geometry, from: usize, fromLine: usize, to: usize, toLine: usize): void {
  for (let lines = g.lines; lines; lines--, from += fromLine, to += toLine) {
    let at: usize = 0;
    for (const whole = g.common & -16; at < whole; at += 16) v128.store(to + at, v128.load(from + at));
    for (; at < g.common; at += 4) store<f32>(to + at, load<f32>(from + at));
  }
}
