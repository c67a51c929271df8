// Packs 2, 16 or 32 neighbouring rows or columns of an operand into a panel, for tile.ts and sparse.ts: each step of k is
// that many consecutive floats, `step` bytes after the one before.
//
//   rows      of an operand [row, k]:        panel[k, r] = source[r, k]
//   columns   of an operand [k, column]:     panel[k, c] = source[k, c]
//
// At an edge fewer are valid: the last of them is repeated, so that nothing outside the operand is read, and the sums of the
// copies are never stored. Strides are in bytes.

export function packRows2(valid: i32, k: i32, from: usize, stride: usize, to: usize): void {
  let p = from;
  let q = valid > 1 ? from + stride : from;
  for (const whole = to + (<usize>(k & -4) << 3); to < whole; to += 32, p += 16, q += 16) {
    const a = v128.load(p), b = v128.load(q);
    v128.store(to, v128.shuffle<f32>(a, b, 0, 4, 1, 5));
    v128.store(to, v128.shuffle<f32>(a, b, 2, 6, 3, 7), 16);
  }
  for (let rest = k & 3; rest; rest--, to += 8, p += 4, q += 4) {
    store<f32>(to, load<f32>(p));
    store<f32>(to, load<f32>(q), 4);
  }
}

export function packColumns2(valid: i32, k: i32, from: usize, stride: usize, to: usize): void {
  const end = to + (<usize>k << 3);
  const second: usize = valid > 1 ? 4 : 0;
  for (; to < end; to += 8, from += stride) {
    store<u32>(to, load<u32>(from));
    store<u32>(to, load<u32>(from + second), 4);
  }
}

// `width` rows, a multiple of four, or 1 to 3 more. Four at a time, for 32 steps at a time, whose part of the panel stays in the
// first-level cache.
export function packRows(width: i32, valid: i32, k: i32, from: usize, stride: usize, to: usize, step: usize): void {
  for (; k > 0; k -= 32, from += 128, to += 32 * step) {
    for (let r = 0; r < width; r += 4) {
      transpose4(
        min(k, 32),
        from + <usize>min(r, valid - 1) * stride,
        from + <usize>min(r + 1, valid - 1) * stride,
        from + <usize>min(r + 2, valid - 1) * stride,
        from + <usize>min(r + 3, valid - 1) * stride,
        to + (<usize>r << 2),
        step,
      );
    }
  }
}

// Transposes four rows into four of the floats of each step.
// @ts-ignore: decorator
@inline
function transpose4(k: i32, p: usize, q: usize, r: usize, s: usize, to: usize, step: usize): void {
  for (let fours = k >> 2; fours; fours--, p += 16, q += 16, r += 16, s += 16) {
    const a = v128.load(p), b = v128.load(q), c = v128.load(r), d = v128.load(s);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5), CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5)), to += step;
    v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7)), to += step;
    v128.store(to, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5)), to += step;
    v128.store(to, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7)), to += step;
  }
  for (let rest = k & 3; rest; rest--, to += step, p += 4, q += 4, r += 4, s += 4) {
    store<f32>(to, load<f32>(p));
    store<f32>(to, load<f32>(q), 4);
    store<f32>(to, load<f32>(r), 8);
    store<f32>(to, load<f32>(s), 12);
  }
}

// Up to 16 columns.
export function packColumns(valid: i32, k: i32, from: usize, stride: usize, to: usize, step: usize): void {
  const end = to + <usize>k * step;
  if (valid >= 16) {
    for (; to < end; to += step, from += stride) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      v128.store(to, v128.load(from, 32), 32);
      v128.store(to, v128.load(from, 48), 48);
    }
  } else {
    for (; to < end; to += step, from += stride) {
      for (let c = 0; c < 16; c++) store<f32>(to + (<usize>c << 2), load<f32>(from + (<usize>min(c, valid - 1) << 2)));
    }
  }
}
