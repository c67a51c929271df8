// Batch and group normalization of images [positions, channels], channels last, as torch.nn.BatchNorm2d and GroupNorm compute
// them. The mean and variance are those of a set: with `groups` = 0 a channel of the whole batch, otherwise a group of channels
// of one image. All sums are in float64, of each channel over the positions in order; those of a group add up its channels'.
//
//   h = (x − mean)·r,  r = 1/√(variance + ε)        y = h·w + b
//   dx = r·(dy·w − p − h·q)                         p and q: the set's means of dy·w and dy·w·h
//   dw = Σ dy·h and db = Σ dy
//
// Of each set of channels (one for the batch, or one an image) `stats` keeps 4·channels float32: mean, r, p, q.
// The scratch has 4·channels float64.
import { firstOf, lastOf } from "../products/parts";
import { loadChannels, storeChannels } from "./channels";

// Σ over the rows of x, or of (x − mean)² where there is a mean, which is float64.
function sums(rows: i32, channels: i32, x: usize, mean: usize, to: usize): void {
  const bytes = <usize>channels << 2, whole = bytes & -16;
  memory.fill(to, 0, bytes << 1);
  for (; rows; rows--, x += bytes) {
    let c: usize = 0;
    for (; c < whole; c += 16) {
      const value = v128.load(x + c), at = to + (c << 1);
      let low = f64x2.promote_low_f32x4(value), high = f64x2.promote_low_f32x4(upper(value));
      if (mean) {
        low = f64x2.sub(low, v128.load(mean + (c << 1))), high = f64x2.sub(high, v128.load(mean + (c << 1), 16));
        low = f64x2.mul(low, low), high = f64x2.mul(high, high);
      }
      addTo(at, low), addTo(at + 16, high);
    }
    for (; c < bytes; c += 4) {
      const at = to + (c << 1), d = <f64>load<f32>(x + c) - (mean ? load<f64>(mean + (c << 1)) : 0);
      store<f64>(at, load<f64>(at) + (mean ? d * d : d));
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

// Makes of each channel's sum the mean of its set.
function means(rows: i32, channels: i32, perSet: i32, sums: usize): void {
  const elements = <f64>rows * <f64>perSet;
  for (let c = 0; c < channels; c += perSet) {
    let sum: f64 = 0;
    for (let i = 0; i < perSet; i++) sum += load<f64>(sums + (<usize>(c + i) << 3));
    for (let i = 0; i < perSet; i++) store<f64>(sums + (<usize>(c + i) << 3), sum / elements);
  }
}

// Mean and r. For the batch (groups = 0) also moves the running mean and variance, unless those are absent.
export function channelStatistics(
  images: i32, positions: i32, channels: i32, groups: i32, epsilon: f64, momentum: f64, x: usize, running: usize,
  runningVariance: usize, stats: usize, scratch: usize,
): void {
  const rows = groups ? positions : images * positions, perSet = groups ? channels / groups : 1;
  const size = <usize>(rows * channels) << 2, bytes = <usize>channels << 2;
  const mean = scratch, variance = scratch + 2 * bytes;
  for (let sets = groups ? images : 1; sets; sets--, x += size, stats += 4 * bytes) {
    sums(rows, channels, x, 0, mean);
    means(rows, channels, perSet, mean);
    sums(rows, channels, x, mean, variance);
    means(rows, channels, perSet, variance);
    for (let c: usize = 0; c < bytes; c += 4) {
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
      for (; n >= 4; n -= 4, c += 16) normalize(4, kept + c, kept + bytes + c, w + c, b + c, x + c, y + c);
      if (n) normalize(n, kept + c, kept + bytes + c, w + c, b + c, x + c, y + c);
    }
  }
}

// dw and db, and p and q in `stats`: 0 where mean and r are constants.
export function channelGradients(
  images: i32, positions: i32, channels: i32, groups: i32, constant: bool, x: usize, w: usize, stats: usize, dy: usize,
  dw: usize, db: usize, scratch: usize,
): void {
  const rows = groups ? positions : images * positions, perSet = groups ? channels / groups : 1;
  const bytes = <usize>channels << 2, wide = bytes << 1;
  const all = scratch, own = scratch + 2 * wide; // each Σ dy, then Σ dy·h
  memory.fill(all, 0, 2 * wide);
  for (let sets = groups ? images : 1; sets; sets--, stats += 4 * bytes) {
    memory.fill(own, 0, 2 * wide);
    for (let row = rows; row; row--, x += bytes, dy += bytes) {
      let c: usize = 0;
      for (const whole = bytes & -16; c < whole; c += 16) {
        const d = v128.load(dy + c), at = own + (c << 1);
        const h = f32x4.mul(f32x4.sub(v128.load(x + c), v128.load(stats + c)), v128.load(stats + bytes + c));
        const low = f64x2.promote_low_f32x4(d), high = f64x2.promote_low_f32x4(upper(d));
        addTo(at, low), addTo(at + 16, high);
        addTo(at + wide, f64x2.mul(low, f64x2.promote_low_f32x4(h)));
        addTo(at + wide + 16, f64x2.mul(high, f64x2.promote_low_f32x4(upper(h))));
      }
      for (; c < bytes; c += 4) {
        const d: f64 = load<f32>(dy + c), h: f64 = (load<f32>(x + c) - load<f32>(stats + c)) * load<f32>(stats + bytes + c);
        const at = own + (c << 1);
        store<f64>(at, load<f64>(at) + d);
        store<f64>(at + wide, load<f64>(at + wide) + d * h);
      }
    }
    for (let c: usize = 0; c < 2 * wide; c += 8) {
      const sum = load<f64>(own + c);
      store<f64>(all + c, load<f64>(all + c) + sum);
      const channel = (c >= wide ? c - wide : c) >> 1;
      store<f64>(own + c, constant ? 0 : sum * <f64>load<f32>(w + channel));
    }
    means(rows, channels, perSet, own);
    means(rows, channels, perSet, own + wide);
    for (let c: usize = 0; c < 2 * bytes; c += 4) store<f32>(stats + 2 * bytes + c, <f32>load<f64>(own + 2 * c));
  }
  for (let c: usize = 0; c < bytes; c += 4) {
    store<f32>(db + c, <f32>load<f64>(all + 2 * c));
    store<f32>(dw + c, <f32>load<f64>(all + wide + 2 * c));
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
      for (; n >= 4; n -= 4, c += 16) normalizeGradient(4, bytes, kept + c, w + c, x + c, dy + c, dx + c);
      if (n) normalizeGradient(n, bytes, kept + c, w + c, x + c, dy + c, dx + c);
    }
  }
}

// Up to four channels of a pixel.
// @ts-ignore: decorator
@inline
function normalize(n: i32, mean: usize, r: usize, w: usize, b: usize, x: usize, y: usize): void {
  const h = f32x4.mul(f32x4.sub(loadChannels(n, x), loadChannels(n, mean)), loadChannels(n, r));
  storeChannels(n, y, f32x4.add(f32x4.mul(h, loadChannels(n, w)), loadChannels(n, b)));
}

// @ts-ignore: decorator
@inline
function normalizeGradient(n: i32, bytes: usize, stats: usize, w: usize, x: usize, dy: usize, dx: usize): void {
  const r = loadChannels(n, stats + bytes);
  const h = f32x4.mul(f32x4.sub(loadChannels(n, x), loadChannels(n, stats)), r);
  const e = f32x4.sub(f32x4.mul(loadChannels(n, dy), loadChannels(n, w)), loadChannels(n, stats + 2 * bytes));
  storeChannels(n, dx, f32x4.mul(r, f32x4.sub(e, f32x4.mul(h, loadChannels(n, stats + 3 * bytes)))));
}
