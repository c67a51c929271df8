// Dropout: elements become 0 at random.
import { belowOne } from "../../util/check.js";
import { Layer, type LayerOptions, readOptions, sizeOf } from "./layer.js";

/**
 * In training, sets each element to 0 with probability `p` and multiplies the others by 1/(1 − p), as `torch.nn.Dropout`. In
 * evaluation, it passes everything. What is dropped follows from the network's seed, the number of training forwards so far, the
 * layer and the element alone.
 *
 * @param p The probability, in [0, 1). Default 0.5.
 * @example
 * new Network([784], [linear(128), relu(), dropout(0.2), linear(10)]);
 */
export function dropout(p = 0.5, options?: LayerOptions): Layer {
  return new Layer("dropout", options, ({ owner, shape, seed, index }) => {
    const probability = belowOne.read(owner, "p", p);
    readOptions(owner, options, {}, {});
    const size = sizeOf(shape);
    const threshold = Math.min(Math.round(probability * 2 ** 32), 2 ** 32 - 1);
    const ofSeed = mixed(mixed(seed) + Math.floor(seed / 2 ** 32));
    const scale = 1 / (1 - probability);
    return {
      output: shape,
      inPlace: true,
      inPlaceBackward: true,
      bind({ kernels, x, y, dx, dy, order }) {
        const channels = order === "last" ? shape[0] : size;
        const drop = (rows: number, step: number, from: number, to: number): void => {
          const key = mixed(mixed(ofSeed + step) + index);
          kernels.dropout(rows, size / channels, channels, key, threshold, scale, from, to);
        };
        return {
          forward({ rows, training, step }) {
            if (training) drop(rows, step, x, y);
            else if (x !== y) kernels.copy(rows * size, x, y);
          },
          backward({ rows, training, step }, needsInputGradient) {
            if (!needsInputGradient) return;
            if (training) drop(rows, step, dy, dx);
            else if (dx !== dy) kernels.copy(rows * size, dy, dx);
          },
        };
      },
    };
  });
}

/** The hash of assembly/nn/dropout.ts, of the lower 32 bits of a whole number. */
function mixed(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return h ^ (h >>> 15);
}
