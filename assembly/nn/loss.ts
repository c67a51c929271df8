// Losses of the outputs z [rows, columns], a float64 for each row, and their gradients dz.
//
// dz is the gradient of the mean over the given rows (cross-entropy) or over all their elements (squared error). The caller
// computes the mean and adds up the losses in order, so that data cut into any chunks gives the same bits.
import { exp, log } from "./math";

// Cross-entropy of softmax(z) against the class label ∈ [0, classes) of each row. With m the row's largest z:
//
//   e = exp(z − m) in float32;  sum = Σ e in float64, in order of the classes
//   loss = ln sum − (z[label] − m)
//   dz = e·f32(1/(sum·rows)), at the label f32((e − sum)/(sum·rows))
//
// dz may be z; it is padded to 16 bytes, and its padding is read and written.
export function crossEntropy(rows: i32, classes: i32, z: usize, labels: usize, dz: usize, losses: usize): void {
  const bytes = <usize>classes << 2;
  const end = dz + <usize>rows * bytes;
  for (let row = dz, label = labels, loss = losses; row < end; row += bytes, z += bytes, label += 4, loss += 8) {
    const largest = maximum(z, z + bytes);
    for (let j: usize = 0; j < bytes; j += 4) store<f32>(row + j, load<f32>(z + j) - largest);
    store<f64>(loss, load<f32>(row + offset(label)));
  }
  for (let at = dz; at < end; at += 16) v128.store(at, exp(v128.load(at)));
  for (let row = dz; row < end; row += bytes, labels += 4, losses += 8) {
    let sum: f64 = 0;
    for (let j: usize = 0; j < bytes; j += 4) sum += load<f32>(row + j);
    store<f64>(losses, log(sum) - load<f64>(losses));
    const atLabel = row + offset(labels);
    const d = <f32>((<f64>load<f32>(atLabel) - sum) / (sum * <f64>rows));
    const scale = <f32>(1 / (sum * <f64>rows));
    for (let j: usize = 0; j < bytes; j += 4) store<f32>(row + j, load<f32>(row + j) * scale);
    store<f32>(atLabel, d);
  }
}

// @ts-ignore: decorator
@inline
function offset(label: usize): usize {
  return <usize>load<i32>(label) << 2;
}

// @ts-ignore: decorator
@inline
function maximum(from: usize, end: usize): f32 {
  let largest = load<f32>(from);
  for (; from < end; from += 4) {
    const x = load<f32>(from);
    largest = x > largest ? x : largest;
  }
  return largest;
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
