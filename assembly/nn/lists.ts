// Lists the nonzero elements of a row or a column of an operand [row, k] or [k, column], in order of k, for sparse.ts and
// convolution.ts. A list begins with its length, in 8 bytes, and has 8 bytes per element: the value, and the address of its
// step in the other operand: `base` plus an offset, which columns take from a `table`. NaN is listed, −0 is not.

// For each mask of four lanes, a swizzle that moves the masked lanes to the front.
const FRONT = memory.data<u32>([
  0x03020100, 0x03020100, 0x03020100, 0x03020100,
  0x03020100, 0x03020100, 0x03020100, 0x03020100,
  0x07060504, 0x07060504, 0x07060504, 0x07060504,
  0x03020100, 0x07060504, 0x07060504, 0x07060504,
  0x0b0a0908, 0x0b0a0908, 0x0b0a0908, 0x0b0a0908,
  0x03020100, 0x0b0a0908, 0x0b0a0908, 0x0b0a0908,
  0x07060504, 0x0b0a0908, 0x0b0a0908, 0x0b0a0908,
  0x03020100, 0x07060504, 0x0b0a0908, 0x0b0a0908,
  0x0f0e0d0c, 0x0f0e0d0c, 0x0f0e0d0c, 0x0f0e0d0c,
  0x03020100, 0x0f0e0d0c, 0x0f0e0d0c, 0x0f0e0d0c,
  0x07060504, 0x0f0e0d0c, 0x0f0e0d0c, 0x0f0e0d0c,
  0x03020100, 0x07060504, 0x0f0e0d0c, 0x0f0e0d0c,
  0x0b0a0908, 0x0f0e0d0c, 0x0f0e0d0c, 0x0f0e0d0c,
  0x03020100, 0x0b0a0908, 0x0f0e0d0c, 0x0f0e0d0c,
  0x07060504, 0x0b0a0908, 0x0f0e0d0c, 0x0f0e0d0c,
  0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
]);

// Appends those of four neighbours that are not `zero`, whose steps are at `place`; returns where the next ones go.
// @ts-ignore: decorator
@inline
function append(four: v128, zero: f32, place: v128, to: usize): usize {
  const mask = i32x4.bitmask(f32x4.ne(four, f32x4.splat(zero)));
  const front = v128.load(FRONT + (<usize>mask << 4));
  const values = i8x16.swizzle(four, front), places = i8x16.swizzle(place, front);
  v128.store(to, v128.shuffle<f32>(values, places, 0, 4, 1, 5));
  v128.store(to, v128.shuffle<f32>(values, places, 2, 6, 3, 7), 16);
  return to + (<usize>popcnt(mask) << 3);
}

// @ts-ignore: decorator
@inline
function appendOne(value: f32, zero: f32, place: u32, to: usize): usize {
  store<f32>(to, value);
  store<u32>(to, place, 4);
  return value != zero ? to + 8 : to;
}

// Of a row, whose steps are `step` bytes apart. `zero` is what is left out: 0, or NaN for nothing.
export function listRow(k: i32, from: usize, zero: f32, base: usize, step: i32, slot: usize): void {
  let to = slot + 8;
  let places = i32x4.add(i32x4.splat(<i32>base), i32x4(0, step, 2 * step, 3 * step));
  const four = i32x4.splat(4 * step);
  for (const whole = from + (<usize>(k & -4) << 2); from < whole; from += 16) {
    to = append(v128.load(from), zero, places, to);
    places = i32x4.add(places, four);
  }
  let place = <u32>base + <u32>((k & -4) * step);
  for (let rest = k & 3; rest; rest--, from += 4, place += step) to = appendOne(load<f32>(from), zero, place, to);
  store<i32>(slot, <i32>(to - slot - 8) >> 3);
}

export function listColumn(k: i32, from: usize, stride: usize, table: usize, base: usize, slot: usize): void {
  let to = slot + 8;
  for (const end = table + (<usize>k << 2); table < end; table += 4, from += stride)
    to = appendOne(load<f32>(from), 0, <u32>base + load<u32>(table), to);
  store<i32>(slot, <i32>(to - slot - 8) >> 3);
}

// Four neighbouring columns, into lists that are `size` bytes apart.
export function listColumns4(
  k: i32, from: usize, stride: usize, table: usize, base: usize, slot: usize, size: usize,
): void {
  const slot1 = slot + size, slot2 = slot1 + size, slot3 = slot2 + size;
  let to0 = slot + 8, to1 = slot1 + 8, to2 = slot2 + 8, to3 = slot3 + 8;
  const bases = i32x4.splat(<i32>base);
  for (let groups = k >> 2; groups; groups--, table += 16) {
    const a = v128.load(from), b = v128.load((from += stride));
    const c = v128.load((from += stride)), d = v128.load((from += stride));
    from += stride;
    if (v128.any_true(i32x4.shl(v128.or(v128.or(a, b), v128.or(c, d)), 1))) {
      const places = i32x4.add(bases, v128.load(table));
      const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5), CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      to0 = append(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), 0, places, to0);
      to1 = append(v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 0, places, to1);
      to2 = append(v128.shuffle<f32>(AB, CD, 0, 1, 4, 5), 0, places, to2);
      to3 = append(v128.shuffle<f32>(AB, CD, 2, 3, 6, 7), 0, places, to3);
    }
  }
  for (let rest = k & 3; rest; rest--, from += stride, table += 4) {
    const place = <u32>base + load<u32>(table);
    to0 = appendOne(load<f32>(from), 0, place, to0);
    to1 = appendOne(load<f32>(from, 4), 0, place, to1);
    to2 = appendOne(load<f32>(from, 8), 0, place, to2);
    to3 = appendOne(load<f32>(from, 12), 0, place, to3);
  }
  store<i32>(slot, <i32>(to0 - slot - 8) >> 3);
  store<i32>(slot1, <i32>(to1 - slot1 - 8) >> 3);
  store<i32>(slot2, <i32>(to2 - slot2 - 8) >> 3);
  store<i32>(slot3, <i32>(to3 - slot3 - 8) >> 3);
}
