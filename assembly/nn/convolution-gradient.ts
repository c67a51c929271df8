// The gradients of convolutions (convolution-forward.ts):
//
//   dx[tap] = Σ dy[pixel, o]·w[o, tap]     over the output pixels in order, for each in order of o
//   dw[o, tap] = Σ dy[pixel, o]·x[tap]     over the pixels in order, image by image, for each group of images; then the sums of
//   db[o] = Σ dy[pixel, o]                 the groups in order: whoever computed them, the bits are the same
//
// Where many dy of an image are zero, as behind ReLU and pooling, both products go by lists of the others (lists.ts), with the
// same bits. Otherwise dx is a convolution of dy by the geometry `turned`, if the stride is 1, and dw a product in tiles.
//
// A group has 8 images, or as many more as make 8 groups of the batch. Its sums are `partial`: the rows of dw as `rows` of
// geometry.ts has them, then db, padded to 64 bytes.
import { LISTS_BYTES } from "../layout/products";
import { plus } from "../products/tile";
import { packColumns2 } from "../products/pack";
import { firstOf, lastOf, scratchOfPart } from "../products/parts";
import { convolveImage } from "./convolution-forward";
import { Geometry, frameBytes, fromFrame, geometry, placeOf, toFrame } from "./geometry";
import { listAll, listColumn, listColumns4, listRow } from "./lists";
import { hasZeros, sparse32 } from "./sparse";

// @ts-ignore: decorator
@inline
function groupSize(images: i32): i32 {
  return max(8, (images + 7) >> 3);
}

// @ts-ignore: decorator
@inline
function rowBytes(g: Geometry): usize {
  return <usize>g.vectors << 4;
}

// @ts-ignore: decorator
@inline
function partialBytes(g: Geometry): usize {
  return <usize>g.outputs * rowBytes(g) + (((<usize>g.outputs << 2) + 63) & -64);
}

// The sums of each group of images, unless partials are absent, and dx, unless that is absent. `turned` is absent if the
// stride is not 1.
export function convolveGradient(
  images: i32, at: usize, turned: usize, x: usize, dy: usize, partials: usize, dx: usize, scratch: usize,
): void {
  const g = geometry(at);
  const size = groupSize(images), groups = (images + size - 1) / size;
  const imageBytes = <usize>(g.height * g.width * g.channels) << 2;
  const pixels = g.outHeight * g.outWidth, resultBytes = <usize>(pixels * g.outputs) << 2;
  scratch = scratchOfPart(scratch, turned ? max(g.scratch, geometry(turned).scratch) : g.scratch);
  const frame = scratch + 128, lists = frame + frameBytes(g);
  const firstGroup = firstOf(groups), lastGroup = lastOf(groups), first = <usize>(firstGroup * size);
  x += first * imageBytes, dy += first * resultBytes, dx += dx ? first * imageBytes : 0;
  for (let group = firstGroup; group < lastGroup; group++) {
    const partial = partials ? partials + <usize>group * partialBytes(g) : 0;
    if (partial) memory.fill(partial, 0, partialBytes(g));
    const count = min(size, images - group * size);
    for (let i = 0; i < count; i++, x += imageBytes, dy += resultBytes) {
      const sparse = !g.all && hasZeros(pixels, g.outputs, dy, 40);
      if (partial) {
        toFrame(g, x, frame);
        addWeights(g, sparse, frame, dy, partial, lists);
        addBiases(g, dy, partial + <usize>g.outputs * rowBytes(g));
      }
      if (!dx) continue;
      if (turned && !sparse) convolveImage(geometry(turned), dy, 0, -Infinity, dx, scratch);
      else {
        memory.fill(frame, 0, frameBytes(g));
        addInputs(g, frame, dy, lists);
        fromFrame(g, frame, dx);
      }
      dx += imageBytes;
    }
  }
}

// dw and db (which may be absent) from the sums of the groups, in PyTorch's order.
export function convolveWeight(images: i32, at: usize, partials: usize, dw: usize, db: usize): void {
  const g = geometry(at);
  const size = groupSize(images), groups = (images + size - 1) / size;
  const bytes = partialBytes(g);
  for (let at = partials, end = at + bytes; at < end; at += 16) {
    let sum = v128.load(at);
    for (let i = 1, other = at + bytes; i < groups; i++, other += bytes) sum = f32x4.add(sum, v128.load(other));
    v128.store(at, sum);
  }
  const taps = g.kernelHeight * g.kernelWidth, perGroup = g.channels / g.groups;
  let row = partials;
  for (let o = 0; o < g.outputs; o++, row += rowBytes(g))
    for (let c = 0; c < perGroup; c++)
      for (let tap = 0; tap < taps; tap++, dw += 4) store<f32>(dw, load<f32>(row + placeOf(g, tap * perGroup + c)));
  if (db) memory.copy(db, row, <usize>g.outputs << 2);
}

function addBiases(g: Geometry, dy: usize, db: usize): void {
  const bytes = <usize>g.outputs << 2, whole = bytes & -16;
  for (const end = dy + <usize>(g.outHeight * g.outWidth) * bytes; dy < end; dy += bytes) {
    let j: usize = 0;
    for (; j < whole; j += 16) v128.store(db + j, f32x4.add(v128.load(db + j), v128.load(dy + j)));
    for (; j < bytes; j += 4) store<f32>(db + j, load<f32>(db + j) + load<f32>(dy + j));
  }
}

// Pixels whose lists fit into LISTS_BYTES.
// @ts-ignore: decorator
@inline
function pixelsAtATime(outputs: i32): i32 {
  return max(4, (LISTS_BYTES - (outputs << 3) - 16) / ((outputs << 3) + 8) & -4);
}

function addWeights(g: Geometry, sparse: bool, frame: usize, dy: usize, partial: usize, lists: usize): void {
  const pixels = g.outHeight * g.outWidth, outputs = g.outputs / g.groups, block = pixelsAtATime(outputs);
  const stride = <usize>g.outputs << 2, wide = rowBytes(g), perGroup = <usize>(g.channels / g.groups) << 2;
  const slot = (<usize>min(block, pixels) << 3) + 8;
  for (let group = 0; group < g.groups; group++, frame += perGroup, dy += <usize>outputs << 2) {
    for (let first = 0; first < pixels; first += block) {
      const count = min(block, pixels - first);
      const table = g.pixels + (<usize>first << 2), from = dy + <usize>first * stride;
      let list = lists, o = 0;
      if (sparse) {
        for (; o + 4 <= outputs; o += 4, list += slot << 2)
          listColumns4(count, from + (<usize>o << 2), stride, table, frame, list, slot);
        for (; o < outputs; o++, list += slot) listColumn(count, from + (<usize>o << 2), stride, table, frame, list);
      } else {
        for (; o < outputs; o += 2, list += slot) packColumns2(outputs - o, count, from + (<usize>o << 2), stride, list);
      }
      for (let v = 0; v < g.vectors; ) {
        const places = g.places + (<usize>v << 2), to = partial + (<usize>v << 4);
        if (sparse && isBlock(g, v)) {
          sparse32(outputs, lists, slot, load<u32>(places), false, to, wide);
          v += 8;
        } else {
          if (sparse) gather4(outputs, lists, slot, places, to, wide);
          else tiles4(outputs, count, lists, slot, table, frame, places, to, wide);
          v += 4;
        }
      }
    }
    partial += <usize>outputs * wide;
  }
}

// Adds to pairs of rows of four vectors, over all pixels of a panel. The vectors of a pixel are at the four `places`.
function tiles4(
  rows: i32, pixels: i32, panel: usize, slot: usize, table: usize, frame: usize, places: usize, c: usize, stride: usize,
): void {
  const o0: usize = load<u32>(places), o1: usize = load<u32>(places, 4), o2: usize = load<u32>(places, 8), o3: usize = load<u32>(places, 12);
  const end = table + (<usize>pixels << 2);
  for (; rows > 0; rows -= 2, panel += slot, c += 2 * stride) {
    const d = rows > 1 ? c + stride : panel; // the second of a single row is nowhere
    let c0 = v128.load(c), c1 = v128.load(c, 16), c2 = v128.load(c, 32), c3 = v128.load(c, 48);
    let d0 = v128.load(d), d1 = v128.load(d, 16), d2 = v128.load(d, 32), d3 = v128.load(d, 48);
    for (let at = table, a = panel; at < end; at += 4, a += 8) {
      const b = frame + <usize>load<u32>(at);
      const b0 = v128.load(b + o0), b1 = v128.load(b + o1), b2 = v128.load(b + o2), b3 = v128.load(b + o3);
      let x = v128.load32_splat(a);
      c0 = plus(c0, x, b0), c1 = plus(c1, x, b1), c2 = plus(c2, x, b2), c3 = plus(c3, x, b3);
      x = v128.load32_splat(a, 4);
      d0 = plus(d0, x, b0), d1 = plus(d1, x, b1), d2 = plus(d2, x, b2), d3 = plus(d3, x, b3);
    }
    v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
    if (rows > 1) v128.store(d, d0), v128.store(d, d1, 16), v128.store(d, d2, 32), v128.store(d, d3, 48);
  }
}

function addInputs(g: Geometry, frame: usize, dy: usize, lists: usize): void {
  const pixels = g.outHeight * g.outWidth, outputs = g.outputs / g.groups, block = pixelsAtATime(outputs);
  const stride = <usize>g.outputs << 2, wide = rowBytes(g), perGroup = <usize>(g.channels / g.groups) << 2;
  const step = <usize>(g.strideWidth * g.channels) << 2;
  const slot = (<usize>outputs << 3) + 8;
  let rows = g.rows;
  for (let group = 0; group < g.groups; group++, frame += perGroup, dy += <usize>outputs << 2, rows += <usize>outputs * wide) {
    for (let first = 0; first < pixels; first += block) {
      const count = min(block, pixels - first);
      for (let i = 0, list = lists, from = dy + <usize>first * stride; i < count; i++, list += slot, from += stride)
        if (g.all) listAll(outputs, from, rows, <i32>wide, list);
        else listRow(outputs, from, rows, <i32>wide, list);
      // From the last block to the first, so that each sum takes the pixels in order.
      for (let v = g.vectors; v > 0; ) {
        const whole = v >= 8 && isBlock(g, v - 8);
        v -= whole ? 8 : 4;
        const places = g.places + (<usize>v << 2), offset = <usize>v << 4;
        for (let pixel = first, list = lists; pixel < first + count; ) {
          // Those in one row of pixels are a step apart.
          const some = min(g.outWidth - pixel % g.outWidth, first + count - pixel);
          const to = frame + load<u32>(g.pixels + (<usize>pixel << 2));
          if (whole) sparse32(some, list, slot, offset, false, to + load<u32>(places), step);
          else scatter4(some, list, slot, offset, places, places + (g.lanes - g.places), to, step);
          pixel += some;
          list += <usize>some * slot;
        }
      }
    }
  }
}

// Whether the eight vectors from v on are one piece of the frame.
// @ts-ignore: decorator
@inline
function isBlock(g: Geometry, v: i32): bool {
  if (v + 8 > g.vectors) return false;
  const places = g.places + (<usize>v << 2);
  return load<u32>(places, 28) == load<u32>(places) + 112 && load<i32>(g.lanes + (<usize>v << 2), 28) == 4;
}

// Adds to rows of four vectors, each over its list. The vectors of what the list points to are at the four `places`.
function gather4(rows: i32, list: usize, slot: usize, places: usize, c: usize, stride: usize): void {
  const o0: usize = load<u32>(places), o1: usize = load<u32>(places, 4), o2: usize = load<u32>(places, 8), o3: usize = load<u32>(places, 12);
  for (; rows; rows--, list += slot, c += stride) {
    let c0 = v128.load(c), c1 = v128.load(c, 16), c2 = v128.load(c, 32), c3 = v128.load(c, 48);
    let a = list + 8;
    for (const end = a + (<usize>load<u32>(list) << 3); a != end; a += 8) {
      const b: usize = load<u32>(a, 4), x = v128.load32_splat(a);
      c0 = plus(c0, x, v128.load(b + o0)), c1 = plus(c1, x, v128.load(b + o1));
      c2 = plus(c2, x, v128.load(b + o2)), c3 = plus(c3, x, v128.load(b + o3));
    }
    v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
  }
}

// The same, but the four places are those of the sums, of whose vectors only some lanes are changed; what the list points to
// is read from `offset` on.
function scatter4(
  rows: i32, list: usize, slot: usize, offset: usize, places: usize, lanes: usize, c: usize, stride: usize,
): void {
  const o0: usize = load<u32>(places), o1: usize = load<u32>(places, 4), o2: usize = load<u32>(places, 8), o3: usize = load<u32>(places, 12);
  const m0 = mask(lanes), m1 = mask(lanes + 4), m2 = mask(lanes + 8), m3 = mask(lanes + 12);
  for (; rows; rows--, list += slot, c += stride) {
    let a = list + 8;
    const end = a + (<usize>load<u32>(list) << 3);
    if (a == end) continue;
    let c0 = v128.load(c + o0), c1 = v128.load(c + o1), c2 = v128.load(c + o2), c3 = v128.load(c + o3);
    for (; a != end; a += 8) {
      const b = <usize>load<u32>(a, 4) + offset, x = v128.load32_splat(a);
      c0 = plus(c0, x, v128.load(b)), c1 = plus(c1, x, v128.load(b, 16));
      c2 = plus(c2, x, v128.load(b, 32)), c3 = plus(c3, x, v128.load(b, 48));
    }
    storeLanes(c + o0, c0, m0), storeLanes(c + o1, c1, m1), storeLanes(c + o2, c2, m2), storeLanes(c + o3, c3, m3);
  }
}

// @ts-ignore: decorator
@inline
function mask(lanes: usize): v128 {
  return i32x4.gt_s(v128.load32_splat(lanes), i32x4(0, 1, 2, 3));
}

// Vectors at different places may overlap, in lanes that do not belong to them.
// @ts-ignore: decorator
@inline
function storeLanes(to: usize, x: v128, mask: v128): void {
  v128.store(to, v128.bitselect(x, v128.load(to), mask));
}
