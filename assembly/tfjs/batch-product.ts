// Products of batches of matrices, C[i] = A[i]·B[i], where each A is [m, k], or [k, m] if not aByRows, and each B is [k, n], or
// [n, k] if bByRows. `aStep` and `bStep` are the bytes from one matrix to the next, 0 for one that all share. k > 0.
import { productInto } from "../products/product";

export function batchProduct(
  batch: i32, m: i32, n: i32, k: i32, aByRows: bool, bByRows: bool, a: usize, aStep: usize, b: usize, bStep: usize, c: usize,
  scratch: usize,
): void {
  const aStride = <usize>(aByRows ? k : m) << 2, bStride = <usize>(bByRows ? k : n) << 2, cStride = <usize>n << 2;
  for (; batch; batch--, a += aStep, b += bStep, c += <usize>m * cStride)
    productInto(m, n, k, aByRows, bByRows, a, aStride, b, bStride, c, cStride, scratch);
}
