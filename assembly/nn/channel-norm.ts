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
  memory.fill(to, 0, <usize>channels << 3);
  for (; rows; rows--) {
    for (let c: usize = 0, end = <usize>channels << 3; c < end; c += 8, x += 4) {
      const d = <f64>load<f32>(x) - (mean ? load<f64>(mean + c) : 0);
      store<f64>(to + c, load<f64>(to + c) + (mean ? d * d : d));
    }
  }
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
      for (let n = channels, c: usize = 0; n > 0; n -= 4, c += 16) {
        const h = f32x4.mul(f32x4.sub(loadChannels(n, x + c), loadChannels(n, kept + c)), loadChannels(n, kept + bytes + c));
        storeChannels(n, y + c, f32x4.add(f32x4.mul(h, loadChannels(n, w + c)), loadChannels(n, b + c)));
      }
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
    for (let row = rows; row; row--) {
      for (let c: usize = 0; c < bytes; c += 4, x += 4, dy += 4) {
        const d: f64 = load<f32>(dy), h: f64 = (load<f32>(x) - load<f32>(stats + c)) * load<f32>(stats + bytes + c);
        store<f64>(own + 2 * c, load<f64>(own + 2 * c) + d);
        store<f64>(own + wide + 2 * c, load<f64>(own + wide + 2 * c) + d * h);
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
      for (let n = channels, c: usize = 0; n > 0; n -= 4, c += 16) {
        const r = loadChannels(n, kept + bytes + c);
        const h = f32x4.mul(f32x4.sub(loadChannels(n, x + c), loadChannels(n, kept + c)), r);
        const e = f32x4.sub(f32x4.mul(loadChannels(n, dy + c), loadChannels(n, w + c)), loadChannels(n, kept + 2 * bytes + c));
        storeChannels(n, dx + c, f32x4.mul(r, f32x4.sub(e, f32x4.mul(h, loadChannels(n, kept + 3 * bytes + c)))));
      }
    }
  }
}
