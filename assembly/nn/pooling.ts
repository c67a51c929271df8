// Pooling of images [height, width, channels], channels last, as torch.nn.MaxPool2d and AvgPool2d compute it: windows of
// `high` × `wide` at steps of `down` and `right`, with `top` rows and `left` columns of padding before the image.
//
//   maximum   of the window's pixels, NaN if one is; its gradient goes to the first of equal maxima (or every NaN)
//   average   the sum of the window's pixels in order, divided by the window's size, which counts padding
//
// dx is written completely: the sum of the gradients of all windows, in order.
import { firstOf, lastOf } from "../products/parts";
import { storeChannels } from "./channels";

/** Kinds of `pool`, each followed by its gradient. HALVES is MAXIMUM of 2 × 2 without padding, in whole vectors of channels. */
const MAXIMUM = 0, AVERAGE = 2, HALVES = 4;

// y of x, or for gradients dx of dy (and x and y). What a kind does not use may be absent.
export function pool(
  images: i32, kind: i32, height: i32, width: i32, channels: i32, high: i32, wide: i32, down: i32, right: i32, top: i32,
  left: i32, outHeight: i32, outWidth: i32, x: usize, y: usize, dy: usize, dx: usize,
): void {
  const pixel = <usize>channels << 2, line = <usize>width * pixel, size = <usize>height * line;
  const divisor = f32x4.splat(<f32>(high * wide));
  const gradient = kind & 1, maximum = (kind & -2) == MAXIMUM;
  let image = <usize>firstOf(images);
  const end = <usize>lastOf(images) * size;
  let out = image * <usize>(outHeight * outWidth) * pixel;
  for (image *= size; image < end; image += size) {
    if (gradient && (kind < HALVES || (height | width) & 1)) memory.fill(dx + image, 0, size);
    for (let i = 0; i < outHeight; i++) {
      const r = i * down - top, r0 = max(r, 0), rows = min(r + high, height) - r0, from = image + <usize>r0 * line;
      if (kind >= HALVES) {
        const next = out + <usize>outWidth * pixel;
        if (gradient) halfRowGradient(from, line, pixel, out, next, x, y, dy, dx);
        else halfRow(x + from, line, pixel, y + out, y + next);
        out = next;
        continue;
      }
      for (let j = 0; j < outWidth; j++) {
        const q = j * right - left, q0 = max(q, 0), columns = min(q + wide, width) - q0;
        const nextLine = line - <usize>columns * pixel;
        let corner = from + <usize>q0 * pixel;
        for (let n = channels; n > 0; n -= 4, corner += 16) {
          const to = out + (<usize>(channels - n) << 2);
          let at = corner, d = f32x4.splat(0), most = f32x4.splat(-Infinity);
          if (gradient) {
            d = v128.load(dy + to);
            if (maximum) most = v128.load(y + to);
            else d = f32x4.div(d, divisor);
          }
          for (let p = rows; p > 0; p--, at += nextLine)
            for (let s = columns; s > 0; s--, at += pixel) {
              let here = d;
              if (maximum || !gradient) {
                const value = v128.load(x + at), nan = f32x4.ne(value, value);
                if (gradient) {
                  const largest = v128.or(f32x4.eq(value, most), nan);
                  here = v128.and(d, largest), d = v128.andnot(d, largest);
                } else {
                  most = f32x4.pmax(most, value), d = maximum ? v128.or(d, nan) : f32x4.add(d, value);
                  continue;
                }
              }
              storeChannels(n, dx + at, f32x4.add(v128.load(dx + at), here));
            }
          if (!gradient) storeChannels(n, y + to, maximum ? v128.or(most, d) : f32x4.div(d, divisor));
        }
        out += pixel;
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
