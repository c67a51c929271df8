// The gradients of convolutions (convolution-forward.ts):
//
//   dx[tap] = Σ dy[pixel, o]·w[o, tap]     over the output pixels in order, for each in order of o
//   dw[o, tap] = Σ dy[pixel, o]·x[tap]     over the pixels in order, image by image, for each group of images; then the sums of
//   db[o] = Σ dy[pixel, o]                 the groups in order: whoever computed them, the bits are the same
//
// Where many dy of an image are zero, as behind ReLU and pooling, both products go by lists of the others (lists.ts), with the
// same bits. Otherwise dx is a convolution of dy by the geometry `turned`, if the stride is 1, and dw a product in tiles.
//
// A group has so many images that there are at most 8 groups, and at least 8. Its sums are `partial`: the rows of dw (geometry.ts),
// then db, padded to 64 bytes.
import { plus } from "../products/tile";
import { packColumns2 } from "../products/pack";
import { firstOf, lastOf, scratchOfPart } from "../products/parts";
import { convolveImage } from "./convolution-forward";
import { Geometry, fromFrame, geometry, toFrame } from "./geometry";
import { listColumn, listColumns4, listRow } from "./lists";
import { accumulate } from "./rows";
import { addSparse32, hasZeros } from "./sparse";

// The sums of each group of `size` images, unless partials are absent, and dx, unless that is absent. `turned` is absent if the
// stride is not 1.
export function convolveGradient(
  images: i32, size: i32, at: usize, turned: usize, x: usize, dy: usize, partials: usize, dx: usize, scratch: usize,
): void {
  const g = geometry(at);
  const groups = (images + size - 1) / size, first = firstOf(groups), last = min(lastOf(groups) * size, images);
  scratch = scratchOfPart(scratch, turned ? max(g.scratch, geometry(turned).scratch) : g.scratch);
  const frame = scratch + 128, lists = frame + g.frame;
  let partial = partials + <usize>first * g.partial;
  for (let image = first * size, i = 0; image < last; image++) {
    const from = x + <usize>image * g.image, d = dy + <usize>image * g.result;
    const sparse = g.zero == 0 && hasZeros(g.pixels, g.outputs * g.groups, d, 40);
    if (partials) {
      if (i == 0) memory.fill(partial, 0, g.partial);
      toFrame(g, from, frame);
      addWeights(g, sparse, frame, d, partial, lists);
      accumulate(g.outputs * g.groups, d, d + g.result, g.resultPixel, partial + biases(g));
      if (++i == size) i = 0, partial += g.partial;
    }
    if (!dx) continue;
    const to = dx + <usize>image * g.image;
    if (turned && !sparse) convolveImage(geometry(turned), d, 0, -Infinity, to, scratch);
    else {
      memory.fill(frame, 0, g.frame);
      addInputs(g, frame, d, lists);
      fromFrame(g, frame, to);
    }
  }
}

// The offset of db in a group's sums.
// @ts-ignore: decorator
@inline
function biases(g: Geometry): usize {
  return <usize>(g.outputs * g.groups) * g.row;
}

// dw and db (which may be absent) from the sums of so many groups, in PyTorch's order.
export function convolveWeight(groups: i32, at: usize, partials: usize, dw: usize, db: usize): void {
  const g = geometry(at), second = partials + g.partial, bias = partials + biases(g);
  accumulate(<i32>(g.partial >> 2), second, partials + <usize>groups * g.partial, g.partial, partials);
  for (let row = partials; row < bias; row += g.row)
    for (let i = 0; i < g.weights; i++, dw += 4) store<f32>(dw, load<f32>(row + load<u32>(g.order + (<usize>i << 2))));
  if (db) memory.copy(db, bias, g.resultPixel);
}

function addWeights(g: Geometry, sparse: bool, frame: usize, dy: usize, partial: usize, lists: usize): void {
  const outputs = g.outputs, stride = g.resultPixel, wide = g.row, slot = g.outputList;
  for (let group = g.groups; group; group--, frame += g.part, dy += <usize>outputs << 2, partial += <usize>outputs * wide) {
    for (let first = 0; first < g.pixels; first += g.block) {
      const count = min(g.block, g.pixels - first);
      const table = g.starts + (<usize>first << 2);
      let from = dy + <usize>first * stride, list = lists, o = outputs;
      if (sparse) {
        for (; o >= 4; o -= 4, list += slot << 2, from += 16) listColumns4(count, from, stride, table, frame, list, slot);
        for (; o; o--, list += slot, from += 4) listColumn(count, from, stride, table, frame, list);
      } else {
        for (; o > 0; o -= 2, list += slot, from += 8) packColumns2(o, count, from, stride, list);
      }
      for (let v = 0; v < g.vectors; v += 4) {
        const places = g.places + (<usize>v << 2), to = partial + (<usize>v << 4);
        if (!sparse) tiles4(outputs, count, lists, slot, table, frame, places, to, wide);
        else if (load<i32>(g.pieces + v)) {
          addSparse32(outputs, lists, slot, load<u32>(places), to, wide);
          v += 4;
        } else gather4(outputs, lists, slot, places, to, wide);
      }
    }
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
  const outputs = g.outputs, slot = g.pixelList, wide = g.row;
  let rows = g.rows;
  for (let group = g.groups; group; group--, frame += g.part, dy += <usize>outputs << 2, rows += <usize>outputs * wide) {
    for (let first = 0; first < g.pixels; first += g.block) {
      const end = min(first + g.block, g.pixels);
      let list = lists;
      for (let i = first; i < end; i++, list += slot)
        listRow(outputs, dy + <usize>i * g.resultPixel, g.zero, rows, <i32>wide, list);
      // From the last piece to the first, so that each sum takes the pixels in order.
      for (let v = g.vectors; v; ) {
        v -= 4;
        const whole = load<i32>(g.pieces + v);
        if (whole) v -= 4;
        const places = g.places + (<usize>v << 2), offset = <usize>v << 4;
        list = lists;
        for (let pixel = first; pixel < end; ) {
          // Those in one row of pixels are a step apart.
          const some = min(g.width - pixel % g.width, end - pixel);
          const to = frame + load<u32>(g.starts + (<usize>pixel << 2));
          if (whole) addSparse32(some, list, slot, offset, to + load<u32>(places), g.step);
          else scatter4(some, list, slot, offset, places, g.lanes + (<usize>v << 2), to, g.step);
          pixel += some;
          list += <usize>some * slot;
        }
      }
    }
  }
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
