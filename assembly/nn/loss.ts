// Losses of the outputs z [rows, columns], a float64 for each row, and their gradients dz.
//
// dz is the gradient of the mean over the given rows that count (cross-entropy) or over all their elements (the others). The caller
// computes the mean and adds up the losses in order, so that data cut into any chunks gives the same bits.
import { exp, log, maximum } from "./math";

// Cross-entropy of softmax(z) against the class label ∈ [0, classes) of each row. With m the row's largest z:
//
//   e = exp(z − m) in float32;  sum = Σ e in float64, in order of the classes
//   loss = ln sum − (z[label] − m)
//   dz = e·f32(1/(sum·rows)), at the label f32((e − sum)/(sum·rows))
//
// With smoothing s, the classes share s of the label's weight 1, t = s/classes each:
//
//   loss = ln sum − (1 − s)·(z[label] − m) − t·Σ (z − m)
//   dz = f32((e − t·sum)/(sum·rows)), at the label f32((e − (1 − s + t)·sum)/(sum·rows))
//
// A row whose label is `ignored` does not count: its loss and its dz are 0.
//
// dz may be z; it is padded to 16 bytes, and its padding is read and written.
export function crossEntropy(
  rows: i32, classes: i32, z: usize, labels: usize, dz: usize, losses: usize, smoothing: f64, ignored: i32,
): void {
  const bytes = <usize>classes << 2;
  const end = dz + <usize>rows * bytes;
  const share = smoothing / <f64>classes;
  let counted = 0;
  for (let row = dz, label = labels, loss = losses; row < end; row += bytes, z += bytes, label += 4, loss += 8) {
    const largest = maximum(z, z + bytes);
    let sum: f64 = 0;
    for (let j: usize = 0; j < bytes; j += 4) {
      const x = load<f32>(z + j) - largest;
      store<f32>(row + j, x);
      sum += x;
    }
    if (load<i32>(label) == ignored) continue;
    counted++;
    const own: f64 = load<f32>(row + offset(label));
    store<f64>(loss, smoothing ? (1 - smoothing) * own + share * sum : own);
  }
  exponentials(dz, end);
  for (let row = dz; row < end; row += bytes, labels += 4, losses += 8) {
    if (load<i32>(labels) == ignored) {
      memory.fill(row, 0, bytes);
      store<f64>(losses, 0);
      continue;
    }
    let sum: f64 = 0;
    for (let j: usize = 0; j < bytes; j += 4) sum += load<f32>(row + j);
    store<f64>(losses, log(sum) - load<f64>(losses));
    const atLabel = row + offset(labels);
    const all = sum * <f64>counted;
    const d = <f32>((<f64>load<f32>(atLabel) - (1 - smoothing + share) * sum) / all);
    const scale = <f32>(1 / all);
    for (let j: usize = 0; j < bytes; j += 4) {
      const e = load<f32>(row + j);
      store<f32>(row + j, smoothing ? <f32>((<f64>e - share * sum) / all) : e * scale);
    }
    store<f32>(atLabel, d);
  }
}

// x ← exp x of whole vectors.
function exponentials(at: usize, end: usize): void {
  for (; at < end; at += 16) v128.store(at, exp(v128.load(at)));
}

// @ts-ignore: decorator
@inline
function offset(label: usize): usize {
  return <usize>load<i32>(label) << 2;
}

// Squared error against the targets t [rows, columns]:
//
//   d = z − t in float32;  loss = Σ d² in float64, in order of the columns
//   dz = d·f32(2/(rows·columns))
//
// dz may be z or t.
export function squaredError(rows: i32, columns: i32, z: usize, t: usize, dz: usize, losses: usize): void {
  const scale = <f32>(2 / (<f64>rows * <f64>columns));
  for (const end = losses + (<usize>rows << 3); losses < end; losses += 8) {
    let sum: f64 = 0;
    for (const rowEnd = z + (<usize>columns << 2); z < rowEnd; z += 4, t += 4, dz += 4) {
      const d = load<f32>(z) - load<f32>(t);
      sum += <f64>d * <f64>d;
      store<f32>(dz, d * scale);
    }
    store<f64>(losses, sum);
  }
}

// Huber's loss with d = z − t in float32, and the sums in float64:
//
//   loss = Σ ½·d² where |d| ≤ δ, else δ·(|d| − ½·δ);  dz = clamp(d, ±δ)·f32(1/(rows·columns))
export function huber(rows: i32, columns: i32, z: usize, t: usize, dz: usize, losses: usize, delta: f64): void {
  const scale = <f32>(1 / (<f64>rows * <f64>columns)), limit = <f32>delta;
  for (const end = losses + (<usize>rows << 3); losses < end; losses += 8) {
    let sum: f64 = 0;
    for (const rowEnd = z + (<usize>columns << 2); z < rowEnd; z += 4, t += 4, dz += 4) {
      const d = load<f32>(z) - load<f32>(t), size = <f64>abs(d);
      sum += size > delta ? delta * (size - 0.5 * delta) : 0.5 * size * size;
      store<f32>(dz, (d > limit ? limit : d < -limit ? -limit : d) * scale);
    }
    store<f64>(losses, sum);
  }
}

// Binary cross-entropy of σ(z) against targets t in [0, 1], with e = exp(−|z|) in float32 and the rest in float64:
//
//   loss = Σ max(z, 0) − z·t + ln(1 + e);  dz = f32((σ(z) − t)/(rows·columns)),  σ(z) = 1/(1 + e) for z ≥ 0, else e/(1 + e)
//
// dz is neither z nor t; it is padded to 16 bytes, and its padding is written.
export function binaryCrossEntropy(rows: i32, columns: i32, z: usize, t: usize, dz: usize, losses: usize): void {
  const elements = <f64>rows * <f64>columns;
  const bytes = <usize>(rows * columns) << 2;
  for (let at: usize = 0; at < bytes; at += 16) v128.store(dz + at, f32x4.neg(f32x4.abs(v128.load(z + at))));
  exponentials(dz, dz + bytes);
  for (const end = losses + (<usize>rows << 3); losses < end; losses += 8) {
    let sum: f64 = 0;
    for (const rowEnd = z + (<usize>columns << 2); z < rowEnd; z += 4, t += 4, dz += 4) {
      const x: f64 = load<f32>(z), target: f64 = load<f32>(t), e: f64 = load<f32>(dz);
      sum += (x > 0 ? x : 0) - x * target + log(1 + e);
      store<f32>(dz, <f32>(((x >= 0 ? 1 : e) / (1 + e) - target) / elements));
    }
    store<f64>(losses, sum);
  }
}
