// Embeddings of tokens and positions.
import { wholeFrom } from "../../util/check.js";
import { tokensBelow } from "../tokens.js";
import { Layer, type LayerOptions, misfit, readOptions } from "./layer.js";

/**
 * A row of a table for each token: [tokens] to [tokens, `width`], as `torch.nn.Embedding`. Only as the first layer; tokens are
 * whole numbers in [0, `count`) in any integer array, and are not scaled. Parameter: `weight` [count, width].
 *
 * @param count The number of different tokens, a whole number >= 1.
 * @param width The width of a row, a whole number >= 1.
 * @example
 * new Network([64], [embedding(65, 128), positionEmbedding(), linear(65)]);
 */
export function embedding(count: number, width: number, options?: LayerOptions): Layer {
  return new Layer("embedding", options, (place) => {
    const { owner, shape, index } = place;
    const size = wholeFrom(1).read(owner, "count", count);
    const wide = wholeFrom(1).read(owner, "width", width);
    readOptions(owner, options, {}, {});
    if (index > 0) throw new RangeError(`${owner}: expected to be the first layer, which alone gets tokens`);
    if (shape.length !== 1) throw misfit(place, "[tokens]");
    const [length] = shape;
    return {
      output: [length, wide],
      takes: "first",
      parameters: [{ name: "weight", shape: [size, wide], start: { kind: "table" } }],
      reads: "x",
      input: tokensBelow(size),
      bind({ kernels, x, y, dy, parameters: [table] }) {
        return {
          forward({ rows }) {
            kernels.embed(rows * length, wide, x, table.dataAt, y);
          },
          backward({ rows }) {
            if (table.trains) kernels.embedGradient(rows * length, wide, size, x, dy, table.gradAt);
          },
        };
      },
    };
  });
}

/**
 * Adds a row of a table to each position: [tokens, features] to the same. Parameter: `weight` [tokens, features].
 * @example
 * new Network([64], [embedding(65, 128), positionEmbedding(), linear(65)]);
 */
export function positionEmbedding(options?: LayerOptions): Layer {
  return new Layer("positionEmbedding", options, (place) => {
    const { owner, shape } = place;
    readOptions(owner, options, {}, {});
    if (shape.length !== 2) throw misfit(place, "[tokens, features]");
    const [length, width] = shape;
    return {
      output: shape,
      takes: "first",
      parameters: [{ name: "weight", shape: [length, width], start: { kind: "table" } }],
      inPlace: true,
      inPlaceBackward: true,
      bind({ kernels, x, y, dx, dy, parameters: [table] }) {
        return {
          forward({ rows }) {
            kernels.addRows(rows * length, length, width, x, table.dataAt, y);
          },
          backward({ rows }, needsInputGradient) {
            if (table.trains) kernels.sumRows(rows * length, length, width, dy, table.gradAt);
            if (needsInputGradient && dx !== dy) kernels.copy(rows * length * width, dy, dx);
          },
        };
      },
    };
  });
}
