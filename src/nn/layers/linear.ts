// The dense layer y = x·Wᵀ + b on the last dimension.
import { flag, wholeFrom } from "../../util/check.js";
import { PACK_BYTES } from "../../wasm/generated/layout/products.js";
import { Layer, type LayerOptions, readOptions, sizeOf } from "./layer.js";

/** Options of {@link linear}. */
export interface LinearOptions extends LayerOptions {
  /** Whether there is a bias. Default true. */
  bias?: boolean | undefined;
}

/**
 * A dense layer, y = x·Wᵀ + b, on the last dimension of any shape: [..., inputs] to [..., `outputs`]. Parameters as those of
 * `torch.nn.Linear`: `weight` [outputs, inputs], `bias` [outputs].
 *
 * @param outputs The width of the output, a whole number >= 1.
 * @param options `bias`: default true.
 * @example
 * const classifier = new Network([784], [linear(128), relu(), linear(10)]);
 */
export function linear(outputs: number, options?: LinearOptions): Layer {
  return new Layer("linear", options, ({ owner, shape, skipZeros, threads }) => {
    const width = wholeFrom(1).read(owner, "outputs", outputs);
    const { bias } = readOptions(owner, options, { bias: flag }, { bias: true });
    const inputs = shape[shape.length - 1];
    const outer = shape.slice(0, -1);
    const others = sizeOf(outer);
    const start = { kind: "weight", fanIn: inputs, fanOut: width } as const;
    return {
      output: [...outer, width],
      takes: "first",
      parameters: [
        { name: "weight", shape: [width, inputs], start },
        ...(bias ? [{ name: "bias", shape: [width], start: { kind: "bias", fanIn: inputs } as const }] : []),
      ],
      reads: "x",
      scratch: threads * PACK_BYTES,
      flops: others * inputs * width,
      bind({ kernels, x, y, dx, dy, scratch, parameters: [w, b] }) {
        return {
          forward({ rows }) {
            kernels.dense(rows * others, inputs, width, skipZeros, x, w.dataAt, y, scratch);
            if (bias) kernels.addRows(rows * others, 1, width, y, b.dataAt, y);
          },
          backward({ rows }, needsInputGradient) {
            if (w.trains) kernels.denseWeight(rows * others, inputs, width, skipZeros, dy, x, w.gradAt, scratch);
            if (bias && b.trains) kernels.sumRows(rows * others, 1, width, dy, b.gradAt);
            if (needsInputGradient)
              kernels.denseInput(rows * others, inputs, width, skipZeros, dy, w.dataAt, dx, scratch);
          },
        };
      },
    };
  });
}
