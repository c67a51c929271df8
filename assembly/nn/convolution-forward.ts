// The forward pass of convolutions: y[pixel, o] = Σ x[tap]·w[o, tap] + b[o], as torch.nn.Conv2d computes it. Each sum takes its
// steps in order (geometry.ts), from +0, and the bias after them.
//
// Images are channels last. The taps of two output pixels are read from the frame as they are needed; nothing is packed but
// the weights, once a step.
import { plus } from "../products/tile";
import { firstOf, lastOf, scratchOfPart } from "../products/parts";
import { Geometry, geometry, toFrame } from "./geometry";

// y of some images. b may be absent. `floor`: 0 computes relu(y), −∞ leaves it.
export function convolve(images: i32, at: usize, x: usize, b: usize, floor: f32, y: usize, scratch: usize): void {
  const g = geometry(at);
  const first = firstOf(images), last = lastOf(images);
  scratch = scratchOfPart(scratch, g.scratch);
  x += <usize>first * g.image, y += <usize>first * g.result;
  for (let image = first; image < last; image++, x += g.image, y += g.result) convolveImage(g, x, b, floor, y, scratch);
}

// One image. The scratch is two rows of 16 and a frame.
export function convolveImage(g: Geometry, x: usize, b: usize, floor: f32, y: usize, scratch: usize): void {
  let from = x, panel = g.panels;
  if (g.framed) {
    from = scratch + 128;
    toFrame(g, x, from);
  }
  for (let group = g.groups; group; group--, from += g.part) {
    for (let o = g.outputs; o > 0; o -= 16, panel += g.panel) {
      const columns = min(16, o), bytes = <usize>columns << 2;
      pixelPairs(g, from, panel, b, columns, floor, y, scratch);
      y += bytes;
      if (b) b += bytes;
    }
  }
}

// Up to 16 outputs of all pixels of an image. Edges go by way of two rows of 16 at `edge`.
//
// Each step is a basic block of its own, as in products/tile.ts.
function pixelPairs(
  g: Geometry, from: usize, panel: usize, bias: usize, columns: i32, floor: f32, y: usize, edge: usize,
): void {
  const stride = g.resultPixel, bytes = g.run, panelRun = bytes << 4;
  const offsets = g.offsets, lastOffset = offsets + (<usize>g.runs << 2);
  const whole = columns == 16;
  const least = f32x4.splat(floor);
  let b0 = f32x4.splat(0), b1 = b0, b2 = b0, b3 = b0;
  if (bias) {
    if (whole) b0 = v128.load(bias), b1 = v128.load(bias, 16), b2 = v128.load(bias, 32), b3 = v128.load(bias, 48);
    else {
      copyFloats(columns, bias, edge);
      b0 = v128.load(edge), b1 = v128.load(edge, 16), b2 = v128.load(edge, 32), b3 = v128.load(edge, 48);
    }
  }
  let table = g.starts;
  for (let left = g.pixels; left > 0; left -= 2, table += 8, y += 2 * stride) {
    const single = left == 1;
    const start = from + <usize>load<u32>(table);
    const second = single ? 0 : from + <usize>load<u32>(table, 4) - start;
    let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0;
    let p = panel;
    for (let offset = offsets; offset < lastOffset; offset += 4, p += panelRun) {
      let a = start + <usize>load<u32>(offset), w = p;
      const end = a + bytes;
      let x: v128, w0: v128, w1: v128, w2: v128, w3: v128;
      while (true) {
        w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
        x = v128.load32_splat(a);
        c0 = plus(c0, x, w0), c1 = plus(c1, x, w1), c2 = plus(c2, x, w2), c3 = plus(c3, x, w3);
        x = v128.load32_splat(a + second);
        d0 = plus(d0, x, w0), d1 = plus(d1, x, w1), d2 = plus(d2, x, w2), d3 = plus(d3, x, w3);
        a += 4;
        if (a == end) break;
        w0 = v128.load(w, 64), w1 = v128.load(w, 80), w2 = v128.load(w, 96), w3 = v128.load(w, 112);
        x = v128.load32_splat(a);
        c0 = plus(c0, x, w0), c1 = plus(c1, x, w1), c2 = plus(c2, x, w2), c3 = plus(c3, x, w3);
        x = v128.load32_splat(a + second);
        d0 = plus(d0, x, w0), d1 = plus(d1, x, w1), d2 = plus(d2, x, w2), d3 = plus(d3, x, w3);
        a += 4;
        if (a == end) break;
        w0 = v128.load(w, 128), w1 = v128.load(w, 144), w2 = v128.load(w, 160), w3 = v128.load(w, 176);
        x = v128.load32_splat(a);
        c0 = plus(c0, x, w0), c1 = plus(c1, x, w1), c2 = plus(c2, x, w2), c3 = plus(c3, x, w3);
        x = v128.load32_splat(a + second);
        d0 = plus(d0, x, w0), d1 = plus(d1, x, w1), d2 = plus(d2, x, w2), d3 = plus(d3, x, w3);
        a += 4;
        if (a == end) break;
        w0 = v128.load(w, 192), w1 = v128.load(w, 208), w2 = v128.load(w, 224), w3 = v128.load(w, 240);
        x = v128.load32_splat(a);
        c0 = plus(c0, x, w0), c1 = plus(c1, x, w1), c2 = plus(c2, x, w2), c3 = plus(c3, x, w3);
        x = v128.load32_splat(a + second);
        d0 = plus(d0, x, w0), d1 = plus(d1, x, w1), d2 = plus(d2, x, w2), d3 = plus(d3, x, w3);
        a += 4;
        if (a == end) break;
        w += 256;
      }
    }
    c0 = f32x4.pmax(f32x4.add(c0, b0), least), c1 = f32x4.pmax(f32x4.add(c1, b1), least);
    c2 = f32x4.pmax(f32x4.add(c2, b2), least), c3 = f32x4.pmax(f32x4.add(c3, b3), least);
    const to = whole ? y : edge;
    v128.store(to, c0), v128.store(to, c1, 16), v128.store(to, c2, 32), v128.store(to, c3, 48);
    if (!whole) copyFloats(columns, edge, y);
    if (single) break;
    d0 = f32x4.pmax(f32x4.add(d0, b0), least), d1 = f32x4.pmax(f32x4.add(d1, b1), least);
    d2 = f32x4.pmax(f32x4.add(d2, b2), least), d3 = f32x4.pmax(f32x4.add(d3, b3), least);
    const next = whole ? y + stride : edge;
    v128.store(next, d0), v128.store(next, d1, 16), v128.store(next, d2, 32), v128.store(next, d3, 48);
    if (!whole) copyFloats(columns, edge, y + stride);
  }
}

function copyFloats(n: i32, from: usize, to: usize): void {
  for (const end = to + (<usize>n << 2); to < end; from += 4, to += 4) store<f32>(to, load<f32>(from));
}
