// Up to four neighbouring channels of a pixel, or elements of a row: at the end there may be fewer, and nothing else may be read
// or written, since it may be beyond the memory.

// @ts-ignore: decorator
@inline
export function loadChannels(n: i32, at: usize): v128 {
  return n >= 4 ? v128.load(at) : loadSome(n, at);
}

// @ts-ignore: decorator
@inline
export function storeChannels(n: i32, at: usize, x: v128): void {
  if (n >= 4) v128.store(at, x);
  else storeSome(n, at, x);
}

function loadSome(n: i32, at: usize): v128 {
  let x = v128.load32_zero(at);
  if (n > 1) x = v128.load32_lane(at, x, 1, 4);
  if (n > 2) x = v128.load32_lane(at, x, 2, 8);
  return x;
}

function storeSome(n: i32, at: usize, x: v128): void {
  v128.store32_lane(at, x, 0);
  if (n > 1) v128.store32_lane(at, x, 1, 4);
  if (n > 2) v128.store32_lane(at, x, 2, 8);
}
