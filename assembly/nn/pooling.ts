// Pooling of images [height, width, channels], channels last, as torch.nn.MaxPool2d and AvgPool2d compute it: windows of
// `high` × `wide` at steps of `down` and `right`, with `top` rows and `left` columns of padding before the image.
//
//   maximum   of the window's pixels, NaN if one is; its gradient goes to the first of equal maxima (or every NaN)
//   average   the sum of the window's pixels in order, divided by the window's size, which counts padding
//
// dx is written completely: the sum of the gradients of all windows, in order.
import { firstOf, lastOf } from "../products/parts";
import { loadChannels, storeChannels } from "./channels";

/** Kinds of `pool`: see layers/pooling.ts. */
const MAXIMUM = 0, MAXIMUM_GRADIENT = 1, AVERAGE = 2;

// y of x, or for gradients dx of dy (and x and y). What a kind does not use may be absent.
export function pool(
  images: i32, kind: i32, height: i32, width: i32, channels: i32, high: i32, wide: i32, down: i32, right: i32, top: i32,
  left: i32, outHeight: i32, outWidth: i32, x: usize, y: usize, dy: usize, dx: usize,
): void {
  const pixel = <usize>channels << 2, line = <usize>width * pixel, size = <usize>height * line;
  const outSize = <usize>(outHeight * outWidth) * pixel;
  const first = <usize>firstOf(images), last = <usize>lastOf(images);
  const divisor = f32x4.splat(<f32>(high * wide));
  const halves = kind < AVERAGE && high == 2 && wide == 2 && down == 2 && right == 2 && !top && !left && !(channels & 3);
  let out = first * outSize;
  for (let image = first; image < last; image++) {
    if (kind & 1 && !(halves && !(height & 1) && !(width & 1))) memory.fill(dx + image * size, 0, size);
    for (let i = 0; i < outHeight; i++) {
      if (halves) {
        const at = image * size + <usize>(2 * i) * line, end = out + <usize>outWidth * pixel;
        if (kind == MAXIMUM) halfRow(x + at, line, pixel, y + out, y + end);
        else halfRowGradient(at, line, pixel, out, end, x, y, dy, dx);
        out = end;
        continue;
      }
      const r = i * down - top, r0 = max(r, 0), rows = min(r + high, height) - r0;
      for (let j = 0; j < outWidth; j++, out += pixel) {
        const q = j * right - left, q0 = max(q, 0), columns = min(q + wide, width) - q0;
        const corner = image * size + <usize>r0 * line + <usize>q0 * pixel, nextLine = line - <usize>columns * pixel;
        for (let n = channels, c: usize = 0; n > 0; n -= 4, c += 16) {
          const gradient = kind & 1, maximum = kind < AVERAGE;
          let at = corner + c, d = f32x4.splat(0), most = d;
          if (gradient) {
            d = loadChannels(n, dy + out + c);
            if (maximum) most = loadChannels(n, y + out + c);
            else d = f32x4.div(d, divisor);
          } else if (maximum) most = loadChannels(n, x + at);
          for (let p = rows; p > 0; p--, at += nextLine)
            for (let s = columns; s > 0; s--, at += pixel) {
              let here = d;
              if (maximum) {
                const value = loadChannels(n, x + at), nan = f32x4.ne(value, value);
                if (!gradient) {
                  most = f32x4.pmax(most, value), d = v128.or(d, nan);
                  continue;
                }
                const largest = v128.or(f32x4.eq(value, most), nan);
                here = v128.and(d, largest), d = v128.andnot(d, largest);
              } else if (!gradient) {
                d = f32x4.add(d, loadChannels(n, x + at));
                continue;
              }
              storeChannels(n, dx + at, f32x4.add(loadChannels(n, dx + at), here));
            }
          if (!gradient) storeChannels(n, y + out + c, maximum ? v128.or(most, d) : f32x4.div(d, divisor));
        }
      }
    }
  }
}

// A row of maxima of 2 × 2 pixels, with whole vectors of channels.
function halfRow(x: usize, line: usize, pixel: usize, y: usize, end: usize): void {
  for (; y < end; x += pixel) {
    for (const next = y + pixel; y < next; x += 16, y += 16) {
      const a = v128.load(x), b = v128.load(x + pixel), c = v128.load(x + line), d = v128.load(x + line + pixel);
      const nan = v128.or(v128.or(f32x4.ne(a, a), f32x4.ne(b, b)), v128.or(f32x4.ne(c, c), f32x4.ne(d, d)));
      v128.store(y, v128.or(f32x4.pmax(f32x4.pmax(f32x4.pmax(a, b), c), d), nan));
    }
  }
}

// Its gradient, which no other window adds to.
function halfRowGradient(
  at: usize, line: usize, pixel: usize, out: usize, end: usize, x: usize, y: usize, dy: usize, dx: usize,
): void {
  for (; out < end; at += pixel) {
    for (const next = out + pixel; out < next; at += 16, out += 16) {
      const most = v128.load(y + out);
      let d = v128.load(dy + out);
      d = share(most, d, x + at, dx + at);
      d = share(most, d, x + at + pixel, dx + at + pixel);
      d = share(most, d, x + at + line, dx + at + line);
      share(most, d, x + at + line + pixel, dx + at + line + pixel);
    }
  }
}

// Writes what a pixel takes of d, and returns the rest.
// @ts-ignore: decorator
@inline
function share(most: v128, d: v128, x: usize, dx: usize): v128 {
  const value = v128.load(x), here = v128.or(f32x4.eq(value, most), f32x4.ne(value, value));
  v128.store(dx, v128.and(d, here));
  return v128.andnot(d, here);
}
