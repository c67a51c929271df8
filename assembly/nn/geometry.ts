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

import { LISTS_BYTES } from "../layout/products";

@unmanaged
export class Geometry {
  channels: i32;
  height: i32;
  width: i32;
  outputs: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideHeight: i32;
  strideWidth: i32;
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
  /** 15 if zeros of dy are multiplied too. */
  all: i32;
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
  /** Weights for dx: [outputs, vectors · 4]. */
  rows: usize;
}

// @ts-ignore: decorator
@inline
export function geometry(at: usize): Geometry {
  return changetype<Geometry>(at);
}

// @ts-ignore: decorator
@inline
function aligned(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

// Writes the geometry: the input's shape, that of the weights [outputs, channels/groups, kernel height, kernel width], and
// what follows from them. layers/convolution.ts computes how many bytes it takes with its tables and the weights.
export function convolution(
  at: usize, channels: i32, height: i32, width: i32, outputs: i32, kernelHeight: i32, kernelWidth: i32, strideHeight: i32,
  strideWidth: i32, top: i32, left: i32, dilationHeight: i32, dilationWidth: i32, groups: i32, outHeight: i32, outWidth: i32,
  all: i32,
): void {
  const g = geometry(at);
  g.channels = channels, g.height = height, g.width = width, g.outputs = outputs;
  g.kernelHeight = kernelHeight, g.kernelWidth = kernelWidth, g.strideHeight = strideHeight, g.strideWidth = strideWidth;
  g.top = top, g.left = left, g.dilationHeight = dilationHeight, g.dilationWidth = dilationWidth, g.groups = groups;
  g.outHeight = outHeight, g.outWidth = outWidth, g.all = all;
  g.frameHeight = (outHeight - 1) * strideHeight + (kernelHeight - 1) * dilationHeight + 1;
  g.frameWidth = (outWidth - 1) * strideWidth + (kernelWidth - 1) * dilationWidth + 1;
  const whole = groups == 1 && dilationWidth == 1;
  g.run = whole ? kernelWidth * channels : channels / groups;
  g.runs = whole ? kernelHeight : kernelHeight * kernelWidth;
  const perRun = (g.run + 3) >> 2;
  g.vectors = (g.runs * perRun + 3) & -4;

  g.pixels = at + 128;
  g.offsets = g.pixels + aligned(<usize>(outHeight * outWidth) << 2);
  g.places = g.offsets + aligned(<usize>g.runs << 2);
  g.lanes = g.places + aligned(<usize>g.vectors << 2);
  g.panels = g.lanes + aligned(<usize>g.vectors << 2);
  g.rows = g.panels + <usize>(groups * ((outputs / groups + 15) >> 4) * g.run * g.runs) * 64;

  g.scratch = 128 + frameBytes(g) + LISTS_BYTES;

  const pixel = <usize>channels << 2, line = <usize>g.frameWidth * pixel;
  let to = g.pixels;
  for (let y = 0; y < outHeight; y++)
    for (let x = 0; x < outWidth; x++, to += 4)
      store<u32>(to, <u32>(<usize>(y * strideHeight) * line + <usize>(x * strideWidth) * pixel));
  let vector = 0;
  for (let i = 0; i < g.runs; i++) {
    const y = whole ? i : i / kernelWidth, x = whole ? 0 : i % kernelWidth;
    const offset = <usize>(y * dilationHeight) * line + <usize>(x * dilationWidth) * pixel;
    store<u32>(g.offsets + (<usize>i << 2), <u32>offset);
    for (let v = 0; v < perRun; v++, vector++) place(g, vector, <u32>offset + (v << 4), min(4, g.run - (v << 2)));
  }
  for (; vector < g.vectors; vector++) place(g, vector, 0, 0);
}

function place(g: Geometry, vector: i32, offset: u32, lanes: i32): void {
  store<u32>(g.places + (<usize>vector << 2), offset);
  store<i32>(g.lanes + (<usize>vector << 2), lanes);
}

// Copies the weights w in PyTorch's order to `panels`, and to `rows` if there will be gradients. For the geometry of dx
// (`turned`), channels and outputs of w are exchanged, and the kernel is turned round.
export function convolutionWeights(at: usize, w: usize, gradients: bool, turned: bool): void {
  const g = geometry(at);
  const taps = g.kernelHeight * g.kernelWidth, perGroup = g.channels / g.groups, outputs = g.outputs / g.groups;
  const steps = g.run * g.runs, blocks = (outputs + 15) >> 4, wide = <usize>g.vectors << 4;
  const outputStride = turned ? taps : perGroup * taps, channelStride = turned ? outputs * taps : taps;
  memory.fill(g.panels, 0, <usize>(g.groups * blocks * steps) * 64);
  if (gradients) memory.fill(g.rows, 0, <usize>g.outputs * wide);
  for (let group = 0; group < g.groups; group++, w += <usize>(perGroup * outputs * taps) << 2) {
    for (let o = 0; o < outputs; o++) {
      const panel = g.panels + <usize>((group * blocks + (o >> 4)) * steps) * 64 + (<usize>(o & 15) << 2);
      const row = g.rows + <usize>(group * outputs + o) * wide;
      for (let c = 0; c < perGroup; c++) {
        const from = w + (<usize>(o * outputStride + c * channelStride) << 2);
        for (let tap = 0; tap < taps; tap++) {
          const step = tap * perGroup + c, x = load<f32>(from + (<usize>(turned ? taps - 1 - tap : tap) << 2));
          store<f32>(panel + <usize>step * 64, x);
          if (gradients) store<f32>(row + placeOf(g, step), x);
        }
      }
    }
  }
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

