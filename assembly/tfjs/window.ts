// The windows of a convolution or a pooling, and the frame: an image with the padding around it, exactly what the windows see.
// What lies in no window is cut off. A frame has 16 bytes more, so that a vector may begin in its last float.

/** The order of the fields is that of src/tfjs/wasm/windows.ts, which writes them. */
@unmanaged
export class Window {
  images: i32;
  height: i32;
  width: i32;
  channels: i32;
  /** Size, stride and dilation of a window, in rows and in columns. */
  high: i32;
  wide: i32;
  down: i32;
  right: i32;
  dilationHeight: i32;
  dilationWidth: i32;
  /** Rows and columns of padding before the image; of the image before the windows, if negative (volumes have that). */
  top: i32;
  left: i32;
  outHeight: i32;
  outWidth: i32;
  /** Rows of output pixels that a product takes at a time. */
  lines: i32;
  /** Floats of a pixel in the frame. */
  frameChannels: i32;
  /** Addresses of scratch: for products, a frame, and the rest. */
  packs: usize;
  frame: usize;
  rows: usize;
}

// @ts-ignore: decorator
@inline
export function window(at: usize): Window {
  return changetype<Window>(at);
}

// @ts-ignore: decorator
@inline
function frameHeight(g: Window): i32 {
  return (g.outHeight - 1) * g.down + (g.high - 1) * g.dilationHeight + 1;
}

// @ts-ignore: decorator
@inline
function frameWidth(g: Window): i32 {
  return (g.outWidth - 1) * g.right + (g.wide - 1) * g.dilationWidth + 1;
}

// @ts-ignore: decorator
@inline
export function pixelBytes(g: Window): usize {
  return <usize>g.frameChannels << 2;
}

// @ts-ignore: decorator
@inline
export function lineBytes(g: Window): usize {
  return <usize>frameWidth(g) * pixelBytes(g);
}

export function clearFrame(g: Window): void {
  memory.fill(g.frame, 0, <usize>frameHeight(g) * lineBytes(g));
}

// Copies an image, whose channels are those of the frame, into the frame.
export function toFrame(g: Window, x: usize): void {
  clearFrame(g);
  copyCommon(g, x, true);
}

// Copies the frame into an image; what is in no window becomes zero.
export function fromFrame(g: Window, x: usize): void {
  memory.fill(x, 0, <usize>(g.height * g.width) * pixelBytes(g));
  copyCommon(g, x, false);
}

function copyCommon(g: Window, x: usize, into: bool): void {
  const line = <usize>g.width * pixelBytes(g), frameLine = lineBytes(g);
  const above = max(0, -g.top), before = max(0, -g.left);
  const bytes = <usize>(columnsInFrame(g) - before) * pixelBytes(g);
  let frame = corner(g) + <usize>above * frameLine + <usize>before * pixelBytes(g);
  x += <usize>above * line + <usize>before * pixelBytes(g);
  for (let rows = rowsInFrame(g) - above; rows > 0; rows--, x += line, frame += frameLine) copy(into ? x : frame, into ? frame : x, bytes);
}

// Rows and columns of the image that are in the frame, and where they begin there.
// @ts-ignore: decorator
@inline
export function rowsInFrame(g: Window): i32 {
  return min(g.height, frameHeight(g) - g.top);
}
// @ts-ignore: decorator
@inline
export function columnsInFrame(g: Window): i32 {
  return max(0, min(g.width, frameWidth(g) - g.left));
}
// @ts-ignore: decorator
@inline
export function corner(g: Window): usize {
  return g.frame + <usize>g.top * lineBytes(g) + <usize>g.left * pixelBytes(g);
}

// @ts-ignore: decorator
@inline
function copy(from: usize, to: usize, bytes: usize): void {
  const end = to + bytes, whole = to + (bytes & -16);
  for (; to < whole; from += 16, to += 16) v128.store(to, v128.load(from));
  for (; to < end; from += 4, to += 4) store<f32>(to, load<f32>(from));
}
