// The gradients of a convolution with weights w [high, wide, channels, outputs], as TensorFlow.js lays them out:
//
//   dw[tap, o] = Σ x[pixel's tap]·dy[pixel, o]     over the pixels of some lines in order, then over the lines
//   dx[tap]    = Σ (Σ dy[pixel, o]·w[tap, o])      over the windows that a pixel is in, in order; the inner sum over o
//
// Both are products with `rows`, [pixels, taps], the patches of some lines of output pixels at a time: as many as stay in the
// second-level cache. dx's patches are added to the frame.
import { productInto } from "../products/product";
import { loadChannels, storeChannels } from "./channels";
import { transpose } from "../nn/transpose";
import { Window, clearFrame, fromFrame, lineBytes, pixelBytes, toFrame, window } from "./window";

// `turned`: scratch for dwᵀ, which is then computed instead, or absent. `part`: scratch for the sums of some lines.
export function convolutionFilter(
  at: usize, outputs: i32, x: usize, dy: usize, dw: usize, turned: usize, part: usize,
): void {
  const g = window(at);
  const taps = g.high * g.wide * g.channels, patch = <usize>taps << 2, pixel = <usize>outputs << 2;
  const lines = g.images * g.outHeight, imageBytes = <usize>(g.height * g.width) * pixelBytes(g);
  const sums = turned ? turned : dw;
  for (let line = 0; line < lines; line += g.lines) {
    const end = min(line + g.lines, lines), pixels = (end - line) * g.outWidth;
    let rows = g.rows;
    for (let l = line; l < end; l++) {
      const y = l % g.outHeight;
      if (y == 0) {
        toFrame(g, x);
        x += imageBytes;
      }
      rows = patches(g, y, rows);
    }
    const to = line ? part : sums;
    if (turned) productInto(outputs, taps, pixels, false, false, dy, pixel, g.rows, patch, to, patch, g.packs);
    else productInto(taps, outputs, pixels, false, false, g.rows, patch, dy, pixel, to, pixel, g.packs);
    if (line) addTo(taps * outputs, part, sums);
    dy += <usize>pixels * pixel;
  }
  if (turned) transpose(1, outputs, taps, turned, dw);
}

function addTo(n: i32, x: usize, y: usize): void {
  for (; n > 0; n -= 4, x += 16, y += 16) storeChannels(n, y, f32x4.add(loadChannels(n, y), loadChannels(n, x)));
}

export function convolutionInput(at: usize, outputs: i32, dy: usize, w: usize, dx: usize): void {
  const g = window(at);
  const taps = g.high * g.wide * g.channels, patch = <usize>taps << 2, pixel = <usize>outputs << 2;
  const lines = g.images * g.outHeight, imageBytes = <usize>(g.height * g.width) * pixelBytes(g);
  for (let line = 0; line < lines; line += g.lines) {
    const end = min(line + g.lines, lines), pixels = (end - line) * g.outWidth;
    productInto(pixels, taps, outputs, true, true, dy, pixel, w, pixel, g.rows, patch, g.packs);
    dy += <usize>pixels * pixel;
    let rows = g.rows;
    for (let l = line; l < end; l++) {
      const y = l % g.outHeight;
      if (y == 0) clearFrame(g);
      rows = addPatches(g, y, rows);
      if (y + 1 < g.outHeight) continue;
      fromFrame(g, dx);
      dx += imageBytes;
    }
  }
}

// The patches of a line of output pixels; returns where the next begin. A run of taps is copied by whole vectors: what they write
// beyond it, the next run overwrites.
function patches(g: Window, y: i32, rows: usize): usize {
  const line = lineBytes(g), step = <usize>g.right * pixelBytes(g), run = <usize>g.wide * pixelBytes(g);
  let from = g.frame + <usize>(y * g.down) * line;
  for (let x = g.outWidth; x; x--, from += step) {
    let at = from;
    for (let i = g.high; i; i--, at += line, rows += run)
      for (let j: usize = 0; j < run; j += 16) v128.store(rows + j, v128.load(at + j));
  }
  return rows;
}

// Adds the patches of a line to the frame.
function addPatches(g: Window, y: i32, rows: usize): usize {
  const line = lineBytes(g), step = <usize>g.right * pixelBytes(g), run = <usize>g.wide * pixelBytes(g), whole = run & -16;
  const rest = i32x4.gt_s(i32x4.splat(<i32>(run - whole) >> 2), i32x4(0, 1, 2, 3));
  let to = g.frame + <usize>(y * g.down) * line;
  for (let x = g.outWidth; x; x--, to += step) {
    let at = to;
    for (let i = g.high; i; i--, at += line, rows += run) {
      let j: usize = 0;
      for (; j < whole; j += 16) v128.store(at + j, f32x4.add(v128.load(at + j), v128.load(rows + j)));
      if (j < run) v128.store(at + j, f32x4.add(v128.load(at + j), v128.and(v128.load(rows + j), rest)));
    }
  }
  return rows;
}
