// The gradient of maximum pooling: each output's goes to the first of the window's largest elements. NaN is never the largest,
// and a window without any number but −∞ has no gradient, as in TensorFlow.js's cpu backend.
import { loadChannels, storeChannels } from "./channels";
import { Window, window } from "./window";

export function maxPoolGradient(at: usize, x: usize, dy: usize, dx: usize): void {
  const g = window(at);
  const pixel = <usize>g.channels << 2, line = <usize>g.width * pixel, size = <usize>g.height * line;
  if (isHalving(g)) {
    for (let lines = g.images * g.outHeight; lines; lines--, x += 2 * line, dx += 2 * line, dy += line >> 1)
      halvedLines(line, pixel, x, dy, dx);
    return;
  }
  memory.fill(dx, 0, <usize>g.images * size);
  // If windows do not overlap, nothing is added up.
  const apart = g.down >= g.high && g.right >= g.wide;
  for (let image = g.images; image; image--, x += size, dx += size)
    for (let i = 0; i < g.outHeight; i++) {
      const r = i * g.down - g.top, firstRow = max(r, 0), rows = min(r + g.high, g.height) - firstRow;
      for (let j = 0; j < g.outWidth; j++) {
        const q = j * g.right - g.left, firstColumn = max(q, 0), columns = min(q + g.wide, g.width) - firstColumn;
        const nextLine = line - <usize>columns * pixel;
        let place = <usize>firstRow * line + <usize>firstColumn * pixel;
        for (let n = g.channels; n > 0; n -= 4, place += 16) {
          const d = loadChannels(n, dy);
          dy += <usize>min(n, 4) << 2;
          let most = f32x4.splat(-Infinity), first = i32x4.splat(-1), index = i32x4.splat(0), from = x + place;
          for (let p = rows; p > 0; p--, from += nextLine)
            for (let s = columns; s > 0; s--, from += pixel) {
              const value = loadChannels(n, from), larger = f32x4.gt(value, most);
              most = v128.bitselect(value, most, larger), first = v128.bitselect(index, first, larger);
              index = i32x4.add(index, i32x4.splat(1));
            }
          let to = dx + place;
          index = i32x4.splat(0);
          for (let p = rows; p > 0; p--, to += nextLine)
            for (let s = columns; s > 0; s--, to += pixel) {
              const here = v128.and(d, i32x4.eq(index, first));
              storeChannels(n, to, apart ? here : f32x4.add(loadChannels(n, to), here));
              index = i32x4.add(index, i32x4.splat(1));
            }
        }
      }
    }
}

// Whether windows of 2 × 2 cover the image, and pixels are whole vectors.
// @ts-ignore: decorator
@inline
function isHalving(g: Window): bool {
  const whole = g.height == 2 * g.outHeight && g.width == 2 * g.outWidth && !(g.top | g.left | (g.channels & 3));
  return whole && g.high == 2 && g.wide == 2 && g.down == 2 && g.right == 2;
}

// Two lines of the image, and one of dy.
function halvedLines(line: usize, pixel: usize, x: usize, dy: usize, dx: usize): void {
  for (const end = x + line; x < end; x += pixel, dx += pixel)
    for (const next = x + pixel; x < next; x += 16, dx += 16, dy += 16) {
      const a = v128.load(x), b = v128.load(x + pixel), c = v128.load(x + line), d = v128.load(x + line + pixel);
      const isA = f32x4.gt(a, f32x4.splat(-Infinity)), most = v128.bitselect(a, f32x4.splat(-Infinity), isA);
      const isB = f32x4.gt(b, most), most2 = v128.bitselect(b, most, isB);
      const isC = f32x4.gt(c, most2), isD = f32x4.gt(d, v128.bitselect(c, most2, isC));
      // What is larger than all before it is the first of the largest if nothing after it is larger.
      let g = v128.load(dy);
      v128.store(dx + line + pixel, v128.and(g, isD)), g = v128.andnot(g, isD);
      v128.store(dx + line, v128.and(g, isC)), g = v128.andnot(g, isC);
      v128.store(dx + pixel, v128.and(g, isB)), g = v128.andnot(g, isB);
      v128.store(dx, v128.and(g, isA));
    }
}
