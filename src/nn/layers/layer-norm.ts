// Layer normalization, of the last dimension.
import { epsilon } from "../../util/check.js";
import { Layer, type LayerOptions, readOptions, sizeOf } from "./layer.js";

/** Options of {@link layerNorm}. */
export interface LayerNormOptions extends LayerOptions {
  /** ε, added to the variance, >= 0. Default 1e-5. */
  eps?: number | undefined;
}

/**
 * Normalization of the last dimension, as `torch.nn.LayerNorm`, on any shape. Parameters: `weight` and `bias`, of the last
 * dimension's size.
 * @example
 * new Network([16], [linear(32), layerNorm(), gelu(), linear(4)]);
 */
export function layerNorm(options?: LayerNormOptions): Layer {
  return new Layer("layerNorm", options, ({ owner, shape, rows: most }) => {
    const { eps } = readOptions(owner, options, { eps: epsilon }, { eps: 1e-5 });
    const size = shape[shape.length - 1];
    const others = sizeOf(shape) / size;
    return {
      output: shape,
      takes: "first",
      parameters: [
        { name: "weight", shape: [size], start: 1 },
        { name: "bias", shape: [size], start: 0 },
      ],
      reads: "x",
      kept: 8 * others * most,
      bind({ kernels, x, y, dx, dy, kept, parameters: [w, b] }) {
        return {
          forward({ rows }) {
            kernels.layerNorm(rows * others, size, eps, x, w.dataAt, b.dataAt, y, kept);
          },
          backward({ rows }, needsInputGradient) {
            if (w.trains || b.trains) kernels.layerNormWeight(rows * others, size, x, kept, dy, w.gradAt, b.gradAt);
            if (needsInputGradient) kernels.layerNormInput(rows * others, size, x, w.dataAt, kept, dy, dx);
          },
        };
      },
    };
  });
}
