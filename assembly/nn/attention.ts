// The core of multi-head attention: for each row of the batch and each head, softmax(q·kᵀ/√size)·v, as
// torch.nn.MultiheadAttention computes it. qkv [rows, tokens, 3·width] has the queries, keys and values of all heads, each head
// `size` = width/heads columns; y and dy are [rows, tokens, width].
//
//   a = softmax of s·c, s = q·kᵀ, c = 1/√size     e = exp((s − max s)·c) in float32; their sum by four lanes; a = e·f32(1/sum)
//   y = a·v                                       dv = aᵀ·dy
//   ds = a·(da − Σ a·da)·c,  da = dy·vᵀ           dq = ds·k        dk = dsᵀ·q
//
// With `causal`, a token attends to itself and those before it: the products are computed by blocks of 16 tokens, without what
// is masked for all of them. `weights` keeps a, [rows, heads, tokens, tokens rounded up to a multiple of 4]. Threads divide the
// heads of all rows. The scratch of each has PACK_BYTES and a matrix like those of `weights`.
import { PACK_BYTES } from "../layout/products";
import { productInto } from "../products/product";
import { firstOf, lastOf, scratchOfPart } from "../products/parts";
import { exp, maximum, sumOf } from "./math";

/** Tokens of a block. */
const BLOCK = 16;

// @ts-ignore: decorator
@inline
function rowBytes(tokens: i32): usize {
  return ((<usize>tokens + 3) & -4) << 2;
}

// @ts-ignore: decorator
@inline
function partScratch(tokens: i32, scratch: usize): usize {
  return scratchOfPart(scratch, PACK_BYTES + ((<usize>tokens * rowBytes(tokens) + 63) & -64));
}

export function attend(
  rows: i32, tokens: i32, width: i32, heads: i32, causal: bool, qkv: usize, weights: usize, y: usize, scratch: usize,
): void {
  scratch = partScratch(tokens, scratch);
  const size = width / heads, narrow = <usize>width << 2, wide = narrow * 3, line = rowBytes(tokens);
  const scale: f32 = <f32>1 / sqrt<f32>(<f32>size);
  for (let head = firstOf(rows * heads), last = lastOf(rows * heads); head < last; head++) {
    const row = <usize>(head / heads), column = <usize>(head % heads * size) << 2;
    const q = qkv + row * <usize>tokens * wide + column, k = q + narrow, v = k + narrow;
    const a = weights + <usize>(head * tokens) * line, to = y + row * <usize>tokens * narrow + column;
    for (let i = 0; i < tokens; i += BLOCK) {
      const some = min(BLOCK, tokens - i), seen = causal ? i + some : tokens, block = a + <usize>i * line;
      productInto(some, seen, size, true, true, q + <usize>i * wide, wide, k, wide, block, line, scratch);
      for (let t = 0; t < some; t++) softmax(causal ? i + t + 1 : tokens, scale, block + <usize>t * line, line);
      productInto(some, size, seen, true, false, block, line, v, wide, to + <usize>i * narrow, narrow, scratch);
    }
  }
}

// Of the first `valid` elements of a row; the others become 0.
function softmax(valid: i32, scale: f32, row: usize, bytes: usize): void {
  const most = f32x4.splat(maximum(row, row + (<usize>valid << 2))), factor = f32x4.splat(scale);
  let sum = f32x4.splat(0);
  let left = valid;
  for (let at = row, end = row + bytes; at < end; at += 16, left -= 4) {
    const e = exp(f32x4.mul(f32x4.sub(v128.load(at), most), factor));
    const masked = v128.and(e, i32x4.gt_s(i32x4.splat(left), i32x4(0, 1, 2, 3)));
    sum = f32x4.add(sum, masked);
    v128.store(at, masked);
  }
  const r = f32x4.splat(<f32>1 / sumOf(sum));
  for (let at = row, end = row + (<usize>valid << 2); at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), r));
}

export function attendGradient(
  rows: i32, tokens: i32, width: i32, heads: i32, causal: bool, qkv: usize, weights: usize, dy: usize, dqkv: usize,
  scratch: usize,
): void {
  scratch = partScratch(tokens, scratch);
  const ds = scratch + PACK_BYTES;
  const size = width / heads, narrow = <usize>width << 2, wide = narrow * 3, line = rowBytes(tokens);
  const scale = f32x4.splat(<f32>1 / sqrt<f32>(<f32>size));
  for (let head = firstOf(rows * heads), last = lastOf(rows * heads); head < last; head++) {
    const row = <usize>(head / heads), column = <usize>(head % heads * size) << 2;
    const at = row * <usize>tokens * wide + column;
    const q = qkv + at, k = q + narrow, v = k + narrow, dq = dqkv + at, dk = dq + narrow, dv = dk + narrow;
    const a = weights + <usize>(head * tokens) * line, d = dy + row * <usize>tokens * narrow + column;
    for (let i = 0; i < tokens; i += BLOCK) {
      const some = min(BLOCK, tokens - i), seen = causal ? i + some : tokens;
      const block = ds + <usize>i * line, from = a + <usize>i * line;
      productInto(some, seen, size, true, true, d + <usize>i * narrow, narrow, v, wide, block, line, scratch);
      for (let t = 0; t < some; t++) softmaxGradient(seen, scale, from + <usize>t * line, block + <usize>t * line);
      productInto(some, size, seen, true, false, block, line, k, wide, dq + <usize>i * wide, wide, scratch);
    }
    for (let j = 0; j < tokens; j += BLOCK) {
      const some = min(BLOCK, tokens - j), first = causal ? j : 0, steps = tokens - first;
      const corner = <usize>first * line + (<usize>j << 2), to = <usize>j * wide;
      productInto(some, size, steps, false, false, ds + corner, line, q + <usize>first * wide, wide, dk + to, wide, scratch);
      productInto(some, size, steps, false, false, a + corner, line, d + <usize>first * narrow, narrow, dv + to, wide, scratch);
    }
  }
}

// ds from da, in place; a is 0 where it is masked, and what da has beyond `seen` is not read.
function softmaxGradient(seen: i32, scale: v128, a: usize, da: usize): void {
  let sum = f32x4.splat(0);
  for (let j = 0; j < seen; j += 4) sum = f32x4.add(sum, product4(seen - j, a + (<usize>j << 2), da + (<usize>j << 2)));
  const mean = f32x4.splat(sumOf(sum));
  for (let j: usize = 0; j < <usize>seen << 2; j += 16)
    v128.store(da + j, f32x4.mul(f32x4.mul(v128.load(a + j), f32x4.sub(v128.load(da + j), mean)), scale));
}

// @ts-ignore: decorator
@inline
function product4(n: i32, a: usize, b: usize): v128 {
  return v128.and(f32x4.mul(v128.load(a), v128.load(b)), i32x4.gt_s(i32x4.splat(n), i32x4(0, 1, 2, 3)));
}
