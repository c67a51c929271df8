// Stores up to four neighbouring channels of a pixel, or elements of a row: at the end there may be fewer, and nothing else may be
// written. Whole vectors are read there, since all buffers are padded.
//
// It is inlined, as a call in a loop costs several times its vectors: they leave their registers.

// @ts-ignore: decorator
@inline
export function storeChannels(n: i32, at: usize, x: v128): void {
  if (n >= 4) v128.store(at, x);
  else {
    v128.store32_lane(at, x, 0);
    if (n > 1) v128.store32_lane(at, x, 1, 4);
    if (n > 2) v128.store32_lane(at, x, 2, 8);
  }
}
