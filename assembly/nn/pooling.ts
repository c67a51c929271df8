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
  let out = first * outSize;
  for (let image = first; image < last; image++) {
    if (kind & 1) memory.fill(dx + image * size, 0, size);
    for (let i = 0; i < outHeight; i++) {
      const r = i * down - top, r0 = max(r, 0), rows = min(r + high, height) - r0;
      for (let j = 0; j < outWidth; j++, out += pixel) {
        const q = j * right - left, q0 = max(q, 0), columns = min(q + wide, width) - q0;
        const corner = image * size + <usize>r0 * line + <usize>q0 * pixel, nextLine = line - <usize>columns * pixel;
        for (let n = channels, c: usize = 0; n > 0; n -= 4, c += 16) {
          let at = corner + c;
          if (kind == MAXIMUM) {
            at += x;
            let most = loadChannels(n, at), nan = f32x4.ne(most, most);
            for (let p = rows; p; p--, at += nextLine)
              for (let s = columns; s; s--, at += pixel) {
                const value = loadChannels(n, at);
                nan = v128.or(nan, f32x4.ne(value, value));
                most = f32x4.pmax(most, value);
              }
            storeChannels(n, y + out + c, v128.or(most, nan));
          } else if (kind == AVERAGE) {
            at += x;
            let sum = f32x4.splat(0);
            for (let p = rows; p > 0; p--, at += nextLine)
              for (let s = columns; s > 0; s--, at += pixel) sum = f32x4.add(sum, loadChannels(n, at));
            storeChannels(n, y + out + c, f32x4.div(sum, divisor));
          } else {
            const maximum = kind == MAXIMUM_GRADIENT;
            let d = loadChannels(n, dy + out + c), most = d;
            if (maximum) most = loadChannels(n, y + out + c);
            else d = f32x4.div(d, divisor);
            for (let p = rows; p > 0; p--, at += nextLine)
              for (let s = columns; s > 0; s--, at += pixel) {
                let share = d;
                if (maximum) {
                  const value = loadChannels(n, x + at);
                  const here = v128.or(f32x4.eq(value, most), f32x4.ne(value, value));
                  share = v128.and(d, here);
                  d = v128.andnot(d, here);
                }
                storeChannels(n, dx + at, f32x4.add(loadChannels(n, dx + at), share));
              }
          }
        }
      }
    }
  }
}
