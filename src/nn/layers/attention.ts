// Multi-head self-attention of the tokens of a row.
import { flag, wholeFrom, wrongType, wrongValue } from "../../util/check.js";
import { PACK_BYTES } from "../../wasm/generated/layout/products.js";
import { Layer, type LayerOptions, misfit, readOptions } from "./layer.js";

/** Options of {@link selfAttention}. */
export interface SelfAttentionOptions extends LayerOptions {
  /** The number of heads, a whole number >= 1 that divides the features. */
  heads: number;
  /** Whether a token attends only to itself and those before it. Default false. */
  causal?: boolean | undefined;
  /** Whether there are biases. Default true. */
  bias?: boolean | undefined;
}

/**
 * Attention of tokens to one another, [tokens, features] to the same, as `torch.nn.MultiheadAttention(batch_first)` of an input
 * to itself. Parameters: `in_proj_weight` [3·features, features], `in_proj_bias`, `out_proj.weight` [features, features],
 * `out_proj.bias`.
 *
 * @param options `heads` must be given.
 * @example
 * new Network([16, 32], [residual([layerNorm(), selfAttention({ heads: 4, causal: true })]), linear(8)]);
 */
export function selfAttention(options: SelfAttentionOptions): Layer {
  return new Layer("selfAttention", options, (place) => {
    const { owner, shape, rows: most, skipZeros, threads } = place;
    const kinds = { heads: wholeFrom(1), causal: flag, bias: flag };
    const { heads, causal, bias } = readOptions(owner, options, kinds, { heads: 0, causal: false, bias: true });
    if (heads === 0) throw wrongType(owner, "heads", "a whole number >= 1", undefined);
    if (shape.length !== 2) throw misfit(place, "[tokens, features]");
    const [tokens, width] = shape;
    if (width % heads !== 0) throw wrongValue(owner, "heads", `a divisor of the ${width} features`, heads);
    const matrix = 4 * tokens * Math.ceil(tokens / 4) * 4;
    const projection = 4 * most * tokens * width;
    const [weights, mixed] = [most * heads * matrix, roundUp(3 * projection)];
    const scratch = threads * (PACK_BYTES + roundUp(matrix));
    return {
      output: shape,
      takes: "first",
      parameters: [
        {
          name: "in_proj_weight",
          shape: [3 * width, width],
          start: { kind: "weight", fanIn: width, fanOut: 3 * width, torch: "glorot" },
        },
        ...(bias ? [{ name: "in_proj_bias", shape: [3 * width], start: 0 }] : []),
        { name: "out_proj.weight", shape: [width, width], start: { kind: "weight", fanIn: width, fanOut: width } },
        ...(bias ? [{ name: "out_proj.bias", shape: [width], start: 0 }] : []),
      ],
      reads: "x",
      // Queries, keys and values; what the heads give; their weights.
      kept: mixed + roundUp(projection) + roundUp(weights),
      // The gradients of the first two.
      scratch: scratch + mixed + roundUp(projection),
      flops: tokens * width * (4 * width + 2 * tokens),
      bind({ kernels, x, y, dx, dy, kept, scratch: at, parameters }) {
        const [inWeight, outWeight] = bias ? [parameters[0], parameters[2]] : parameters;
        const [, inBias, , outBias] = parameters;
        const [result, attention] = [kept + mixed, kept + mixed + roundUp(projection)];
        const [dqkv, dresult] = [at + scratch, at + scratch + mixed];
        return {
          forward({ rows }) {
            const n = rows * tokens;
            kernels.dense(n, width, 3 * width, skipZeros, x, inWeight.dataAt, kept, at);
            if (bias) kernels.addRows(n, 1, 3 * width, kept, inBias.dataAt, kept);
            kernels.attend(rows, tokens, width, heads, causal, kept, attention, result, at);
            kernels.dense(n, width, width, skipZeros, result, outWeight.dataAt, y, at);
            if (bias) kernels.addRows(n, 1, width, y, outBias.dataAt, y);
          },
          backward({ rows }, needsInputGradient) {
            const n = rows * tokens;
            if (outWeight.trains) kernels.denseWeight(n, width, width, skipZeros, dy, result, outWeight.gradAt, at);
            if (bias && outBias.trains) kernels.sumRows(n, 1, width, dy, outBias.gradAt);
            kernels.denseInput(n, width, width, skipZeros, dy, outWeight.dataAt, dresult, at);
            kernels.attendGradient(rows, tokens, width, heads, causal, kept, attention, dresult, dqkv, at);
            if (inWeight.trains) kernels.denseWeight(n, width, 3 * width, skipZeros, dqkv, x, inWeight.gradAt, at);
            if (bias && inBias.trains) kernels.sumRows(n, 1, 3 * width, dqkv, inBias.gradAt);
            if (needsInputGradient) kernels.denseInput(n, width, 3 * width, skipZeros, dqkv, inWeight.dataAt, dx, at);
          },
        };
      },
    };
  });
}

const roundUp = (bytes: number): number => Math.ceil(bytes / 64) * 64;
