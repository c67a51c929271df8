// Transposes n matrices, each [rows, columns] of float32, row-major: between PyTorch's order of an image's elements,
// [channels, positions], and channels last, [positions, channels].
export function transpose(n: i32, rows: i32, columns: i32, from: usize, to: usize): void {
  const wide = <usize>columns << 2, high = <usize>rows << 2;
  const wholeRows = rows & -4, wholeColumns = columns & -4;
  for (; n; n--, from += <usize>rows * wide, to += <usize>columns * high) {
    for (let i = 0; i < wholeRows; i += 4) {
      let at = from + <usize>i * wide, target = to + (<usize>i << 2);
      for (let j = 0; j < wholeColumns; j += 4, at += 16, target += high << 2) {
        const a = v128.load(at), b = v128.load(at + wide), c = v128.load(at + 2 * wide), d = v128.load(at + 3 * wide);
        const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
        const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5), CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
        v128.store(target, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
        v128.store(target + high, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
        v128.store(target + 2 * high, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5));
        v128.store(target + 3 * high, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7));
      }
      transposeOnes(4, columns - wholeColumns, at, wide, target, high);
    }
    transposeOnes(rows - wholeRows, columns, from + <usize>wholeRows * wide, wide, to + (<usize>wholeRows << 2), high);
  }
}

// @ts-ignore: decorator
@inline
function transposeOnes(rows: i32, columns: i32, from: usize, wide: usize, to: usize, high: usize): void {
  for (let i = 0; i < rows; i++) {
    let at = from + <usize>i * wide, target = to + (<usize>i << 2);
    for (let j = 0; j < columns; j++, at += 4, target += high) store<f32>(target, load<f32>(at));
  }
}
