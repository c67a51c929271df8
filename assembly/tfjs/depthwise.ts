// The gradients of a depthwise convolution with weights w [high, wide, channels, multiplier]: output channel c·multiplier + q is
// the convolution of channel c with its q-th weights.
//
//   dw[tap, c, q] = Σ x[tap, c]·dy[pixel, c, q]     over the pixels of an image in order, then over the images
//   dx[tap, c]    = Σ dy[pixel, c, q]·w[tap, c, q]  over the taps in order, for each over the pixels, then over q
//
// The frame, dy and w have `frameChannels` floats a pixel or tap: the output channels, rounded up to whole vectors. Those of x
// are repeated for each q.
import { Window, clearFrame, columnsInFrame, corner, lineBytes, pixelBytes, rowsInFrame, toFrame, window } from "./window";

// `wide`: scratch for an image of dy. The rows are the sums of dw.
export function depthwiseFilter(at: usize, multiplier: i32, x: usize, dy: usize, dw: usize, wide: usize): void {
  const g = window(at);
  const outputs = g.channels * multiplier, taps = g.high * g.wide, pixels = g.outHeight * g.outWidth;
  const pixel = pixelBytes(g), line = lineBytes(g), step = <usize>g.right * pixel, whole = g.frameChannels == outputs;
  memory.fill(g.rows, 0, <usize>taps * pixel);
  for (let image = g.images; image; image--) {
    if (whole && multiplier == 1) toFrame(g, x);
    else repeatInFrame(g, multiplier, x);
    x += <usize>(g.height * g.width * g.channels) << 2;
    if (!whole) widen(pixels, outputs, g.frameChannels, dy, wide);
    const gradients = whole ? dy : wide;
    dy += <usize>(pixels * outputs) << 2;
    for (let i = 0, sums = g.rows; i < g.high; i++)
      for (let j = 0; j < g.wide; j++, sums += pixel) {
        const first = g.frame + <usize>(i * g.dilationHeight) * line + <usize>(j * g.dilationWidth) * pixel;
        for (let v: usize = 0; v < pixel; v += 16) {
          let sum = f32x4.splat(0);
          for (let y = 0, d = gradients + v; y < g.outHeight; y++) {
            let from = first + <usize>(y * g.down) * line + v;
            for (let left = g.outWidth; left; left--, from += step, d += pixel)
              sum = f32x4.add(sum, f32x4.mul(v128.load(from), v128.load(d)));
          }
          v128.store(sums + v, f32x4.add(v128.load(sums + v), sum));
        }
      }
  }
  for (let tap = 0; tap < taps; tap++) memory.copy(dw + (<usize>(tap * outputs) << 2), g.rows + <usize>tap * pixel, <usize>outputs << 2);
}

// `wide`: the same. The rows are w.
export function depthwiseInput(at: usize, multiplier: i32, dy: usize, w: usize, dx: usize, wide: usize): void {
  const g = window(at);
  const outputs = g.channels * multiplier, pixels = g.outHeight * g.outWidth;
  const pixel = pixelBytes(g), line = lineBytes(g), step = <usize>g.right * pixel, whole = g.frameChannels == outputs;
  widen(g.high * g.wide, outputs, g.frameChannels, w, g.rows);
  for (let image = g.images; image; image--) {
    clearFrame(g);
    if (!whole) widen(pixels, outputs, g.frameChannels, dy, wide);
    const gradients = whole ? dy : wide;
    dy += <usize>(pixels * outputs) << 2;
    for (let i = 0, weights = g.rows; i < g.high; i++)
      for (let j = 0; j < g.wide; j++, weights += pixel) {
        const first = g.frame + <usize>(i * g.dilationHeight) * line + <usize>(j * g.dilationWidth) * pixel;
        for (let v: usize = 0; v < pixel; v += 16) {
          const weight = v128.load(weights + v);
          for (let y = 0, d = gradients + v; y < g.outHeight; y++) {
            let to = first + <usize>(y * g.down) * line + v;
            for (let left = g.outWidth; left; left--, to += step, d += pixel)
              v128.store(to, f32x4.add(v128.load(to), f32x4.mul(weight, v128.load(d))));
          }
        }
      }
    dx = sumFromFrame(g, multiplier, dx);
  }
}

// Rows of `floats` as rows of `wider` floats, the others zero.
function widen(rows: i32, floats: i32, wider: i32, from: usize, to: usize): void {
  memory.fill(to, 0, <usize>(rows * wider) << 2);
  for (; rows; rows--, to += <usize>wider << 2)
    for (let j: usize = 0; j < <usize>floats << 2; j += 4, from += 4) store<f32>(to + j, load<f32>(from));
}

// An image into the frame, each channel `times` times.
function repeatInFrame(g: Window, times: i32, x: usize): void {
  clearFrame(g);
  let line = corner(g);
  for (let rows = rowsInFrame(g), columns = columnsInFrame(g); rows > 0; rows--, line += lineBytes(g)) {
    let from = x, pixel = line;
    for (let left = columns; left; left--, pixel += pixelBytes(g)) {
      let to = pixel;
      for (let c = g.channels; c; c--, from += 4) for (let q = times; q; q--, to += 4) store<f32>(to, load<f32>(from));
    }
    x += <usize>(g.width * g.channels) << 2;
  }
}

// An image from the frame, each channel the sum of `times`; returns where the next image goes.
function sumFromFrame(g: Window, times: i32, x: usize): usize {
  const bytes = <usize>(g.width * g.channels) << 2, end = x + <usize>g.height * bytes;
  memory.fill(x, 0, end - x);
  let line = corner(g);
  for (let rows = rowsInFrame(g), columns = columnsInFrame(g); rows > 0; rows--, line += lineBytes(g), x += bytes) {
    let to = x, pixel = line;
    for (let left = columns; left; left--, pixel += pixelBytes(g)) {
      let from = pixel;
      for (let c = g.channels; c; c--, to += 4) {
        let sum: f32 = 0;
        for (let q = times; q; q--, from += 4) sum += load<f32>(from);
        store<f32>(to, sum);
      }
    }
  }
  return end;
}
