// The end of a fused product: y ← activation(y + bias), in place, for rows of n floats. The bias and the slopes of PReLU are
// rows that begin `biasStep` and `slopeStep` bytes after each other: 0 if all rows have the same.
//
// NaN stays NaN. The bias is added after the sum, so the results are those of a product followed by an addition.
import { expm1, logistic } from "../nn/math";
import { loadChannels, storeChannels } from "./channels";

/** TensorFlow.js's numbers of the activations. */
const RELU = 1, RELU6 = 2, PRELU = 3, LEAKY_RELU = 4, SIGMOID = 5, ELU = 6;

// `bias` may be absent, `slopes` too unless the activation is PReLU.
export function finish(
  rows: i32, n: i32, activation: i32, alpha: f32, bias: usize, biasStep: usize, slopes: usize, slopeStep: usize, y: usize,
): void {
  const zero = f32x4.splat(0);
  let slope = f32x4.splat(alpha);
  for (; rows; rows--, bias += biasStep, slopes += slopeStep) {
    for (let left = n, j: usize = 0; left > 0; left -= 4, j += 16) {
      let x = loadChannels(left, y + j);
      if (bias) x = f32x4.add(x, loadChannels(left, bias + j));
      switch (activation) {
        case RELU: x = f32x4.max(x, zero); break;
        case RELU6: x = f32x4.min(f32x4.max(x, zero), f32x4.splat(6)); break;
        case PRELU: slope = loadChannels(left, slopes + j); // as below
        case LEAKY_RELU: x = v128.bitselect(f32x4.mul(x, slope), x, f32x4.lt(x, zero)); break;
        case SIGMOID: x = logistic(x); break;
        case ELU: x = v128.bitselect(expm1(x), x, f32x4.lt(x, zero)); break;
      }
      storeChannels(left, y + j, x);
    }
    y += <usize>n << 2;
  }
}
