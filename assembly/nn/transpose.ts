// Transposes n matrices, each [rows, columns] of float32, row-major: between PyTorch's order of an image's elements,
// [channels, positions], and channels last, [positions, channels].
import { packRows } from "../products/pack";
import { copyTile } from "../products/tile";

export function transpose(n: i32, rows: i32, columns: i32, from: usize, to: usize): void {
  const wide = <usize>columns << 2, high = <usize>rows << 2, whole = rows & -4;
  for (; n; n--, from += <usize>rows * wide, to += <usize>columns * high) {
    packRows(whole, whole, columns, from, wide, to, high);
    copyTile(rows - whole, columns, from + <usize>whole * wide, wide, 4, to + (<usize>whole << 2), 4, high);
  }
}
