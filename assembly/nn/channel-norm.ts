// Batch and group normalization of images [positions, channels], channels last, as torch.nn.BatchNorm2d and GroupNorm compute
// them. The mean and variance are those of a set: with `groups` = 0 a channel of the whole batch, otherwise a group of channels
// of one image. All sums are in float64, of each channel over the positions in order; those of a group add up its channels'.
//
//   h = (x − mean)·r,  r = 1/√(variance + ε)        y = h·w + b
//   dx = r·(dy·w − p − h·q)                         p and q: the set's means of dy·w and dy·w·h
//   dw = Σ dy·h and db = Σ dy
//
// Of each set of channels (one for the batch, or one an image) `stats` keeps 4·channels float32: mean, r, p, q.
//
// Threads divide the sets of channels where there are sums, and the images elsewhere. The scratch of each has
// 4·(channels + 3) float64: the sums of a vector that is only partly valid go beyond those of the channels.
import { firstOf, lastOf, scratchOfPart } from "../products/parts";
import { storeChannels } from "./channels";

// @ts-ignore: decorator
@inline
function partScratch(channels: i32, scratch: usize): usize {
  return scratchOfPart(scratch, <usize>(channels + 3) << 5);
}

// Σ over the rows of n channels, or of (x − mean)² where there is a mean, which is float64.
function sums(rows: i32, n: i32, x: usize, bytes: usize, mean: usize, to: usize): void {
  const end = to + (<usize>n << 3);
  memory.fill(to, 0, end - to);
  for (; rows; rows--, x += bytes) {
    for (let at = to, from = x, m = mean; at < end; at += 32, from += 16, m += 32) {
      const value = v128.load(from);
      let low = f64x2.promote_low_f32x4(value), high = f64x2.promote_low_f32x4(upper(value));
      if (mean) {
        low = f64x2.sub(low, v128.load(m)), high = f64x2.sub(high, v128.load(m, 16));
        low = f64x2.mul(low, low), high = f64x2.mul(high, high);
      }
      addTo(at, low), addTo(at + 16, high);
    }
  }
}

// The upper two of four.
// @ts-ignore: decorator
@inline
function upper(x: v128): v128 {
  return v128.shuffle<f32>(x, x, 2, 3, 2, 3);
}

// at += x, two float64.
// @ts-ignore: decorator
@inline
function addTo(at: usize, x: v128): void {
  v128.store(at, f64x2.add(v128.load(at), x));
}

// Makes of the sum of each of n channels the mean of its set.
function means(rows: i32, n: i32, perSet: i32, sums: usize): void {
  const elements = <f64>rows * <f64>perSet;
  for (const end = sums + (<usize>n << 3); sums < end; ) {
    let sum: f64 = 0, at = sums;
    for (let i = perSet; i; i--, at += 8) sum += load<f64>(at);
    for (; sums < at; sums += 8) store<f64>(sums, sum / elements);
  }
}

// Mean and r. For the batch (groups = 0) also moves the running mean and variance, unless those are absent.
export function channelStatistics(
  images: i32, positions: i32, channels: i32, groups: i32, epsilon: f64, momentum: f64, x: usize, running: usize,
  runningVariance: usize, stats: usize, scratch: usize,
): void {
  const rows = groups ? positions : images * positions, bytes = <usize>channels << 2;
  const units = groups ? groups : channels, perSet = channels / units;
  const first = firstOf(units) * perSet, n = lastOf(units) * perSet - first;
  const start = <usize>first << 2, end = <usize>n << 2;
  x += start, stats += start, running += running ? start : 0, runningVariance += start;
  const mean = partScratch(channels, scratch), variance = mean + 2 * end;
  for (let sets = groups ? images : 1; sets; sets--, x += <usize>rows * bytes, stats += 4 * bytes) {
    sums(rows, n, x, bytes, 0, mean);
    means(rows, n, perSet, mean);
    sums(rows, n, x, bytes, mean, variance);
    means(rows, n, perSet, variance);
    for (let c: usize = 0; c < end; c += 4) {
      const m = load<f64>(mean + 2 * c), v = load<f64>(variance + 2 * c);
      store<f32>(stats + c, <f32>m);
      store<f32>(stats + bytes + c, <f32>(1 / Math.sqrt(v + epsilon)));
      if (!running) continue;
      move(running + c, momentum, m);
      move(runningVariance + c, momentum, v * <f64>rows / <f64>(rows - 1));
    }
  }
}

function move(at: usize, momentum: f64, x: f64): void {
  store<f32>(at, <f32>((1 - momentum) * <f64>load<f32>(at) + momentum * x));
}

// Mean and r from the running mean and variance.
export function channelConstants(channels: i32, epsilon: f64, running: usize, runningVariance: usize, stats: usize): void {
  const bytes = <usize>channels << 2;
  memory.copy(stats, running, bytes);
  for (let c: usize = 0; c < bytes; c += 4)
    store<f32>(stats + bytes + c, <f32>(1 / Math.sqrt(<f64>load<f32>(runningVariance + c) + epsilon)));
}

// dw and db, and p and q in `stats`: 0 where mean and r are constants.
export function channelGradients(
  images: i32, positions: i32, channels: i32, groups: i32, constant: bool, x: usize, w: usize, stats: usize, dy: usize,
  dw: usize, db: usize, scratch: usize,
): void {
  const rows = groups ? positions : images * positions, bytes = <usize>channels << 2;
  const units = groups ? groups : channels, perSet = channels / units;
  const first = firstOf(units) * perSet, n = lastOf(units) * perSet - first;
  const start = <usize>first << 2, end = <usize>n << 2, wide = <usize>(n + 3) << 3;
  x += start, w += start, stats += start, dy += start, dw += start, db += start;
  const all = partScratch(channels, scratch), own = all + 2 * wide; // each Σ dy, then Σ dy·h
  memory.fill(all, 0, 2 * wide);
  for (let sets = groups ? images : 1; sets; sets--, stats += 4 * bytes) {
    memory.fill(own, 0, 2 * wide);
    for (let row = rows; row; row--, x += bytes, dy += bytes) {
      for (let c: usize = 0; c < end; c += 16) {
        const d = v128.load(dy + c), at = own + (c << 1);
        const h = f32x4.mul(f32x4.sub(v128.load(x + c), v128.load(stats + c)), v128.load(stats + bytes + c));
        const low = f64x2.promote_low_f32x4(d), high = f64x2.promote_low_f32x4(upper(d));
        addTo(at, low), addTo(at + 16, high);
        addTo(at + wide, f64x2.mul(low, f64x2.promote_low_f32x4(h)));
        addTo(at + wide + 16, f64x2.mul(high, f64x2.promote_low_f32x4(upper(h))));
      }
    }
    addSet(rows, n, perSet, constant, own, all, w, stats + 2 * bytes);
    addSet(rows, n, perSet, constant, own + wide, all + wide, w, stats + 3 * bytes);
  }
  for (let c: usize = 0; c < end; c += 4) {
    store<f32>(db + c, <f32>load<f64>(all + 2 * c));
    store<f32>(dw + c, <f32>load<f64>(all + wide + 2 * c));
  }
}

// Adds a set's sums to those of all, and computes its p or q.
function addSet(rows: i32, n: i32, perSet: i32, constant: bool, own: usize, all: usize, w: usize, to: usize): void {
  const end = <usize>n << 2;
  for (let c: usize = 0; c < end; c += 4) {
    const sum = load<f64>(own + 2 * c);
    store<f64>(all + 2 * c, load<f64>(all + 2 * c) + sum);
    store<f64>(own + 2 * c, constant ? 0 : sum * <f64>load<f32>(w + c));
  }
  means(rows, n, perSet, own);
  for (let c: usize = 0; c < end; c += 4) store<f32>(to + c, <f32>load<f64>(own + 2 * c));
}

export function normalizeChannels(
  images: i32, positions: i32, channels: i32, groups: i32, stats: usize, w: usize, b: usize, x: usize, y: usize,
): void {
  const bytes = <usize>channels << 2;
  const first = <usize>firstOf(images), last = <usize>lastOf(images);
  const size = <usize>positions * bytes;
  x += first * size, y += first * size;
  for (let image = first; image < last; image++) {
    const kept = groups ? stats + image * 4 * bytes : stats;
    for (let position = positions; position; position--, x += bytes, y += bytes) {
      let n = channels, c: usize = 0;
      for (; n > 0; n -= 4, c += 16) normalize(n, kept + c, kept + bytes + c, w + c, b + c, x + c, y + c);
    }
  }
}

export function normalizeChannelsGradient(
  images: i32, positions: i32, channels: i32, groups: i32, stats: usize, w: usize, x: usize, dy: usize, dx: usize,
): void {
  const bytes = <usize>channels << 2;
  const first = <usize>firstOf(images), last = <usize>lastOf(images);
  const size = <usize>positions * bytes;
  x += first * size, dy += first * size, dx += first * size;
  for (let image = first; image < last; image++) {
    const kept = groups ? stats + image * 4 * bytes : stats;
    for (let position = positions; position; position--, x += bytes, dy += bytes, dx += bytes) {
      let n = channels, c: usize = 0;
      for (; n > 0; n -= 4, c += 16) normalizeGradient(n, bytes, kept + c, w + c, x + c, dy + c, dx + c);
    }
  }
}

// Up to four channels of a pixel.
// @ts-ignore: decorator
@inline
function normalize(n: i32, mean: usize, r: usize, w: usize, b: usize, x: usize, y: usize): void {
  const h = f32x4.mul(f32x4.sub(v128.load(x), v128.load(mean)), v128.load(r));
  storeChannels(n, y, f32x4.add(f32x4.mul(h, v128.load(w)), v128.load(b)));
}

// @ts-ignore: decorator
@inline
function normalizeGradient(n: i32, bytes: usize, stats: usize, w: usize, x: usize, dy: usize, dx: usize): void {
  const r = v128.load(stats + bytes);
  const h = f32x4.mul(f32x4.sub(v128.load(x), v128.load(stats)), r);
  const e = f32x4.sub(f32x4.mul(v128.load(dy), v128.load(w)), v128.load(stats + 2 * bytes));
  storeChannels(n, dx, f32x4.mul(r, f32x4.sub(e, f32x4.mul(h, v128.load(stats + 3 * bytes)))));
}
