// Activations: the same function of every element.
import type { NetworkKernels } from "../../wasm/generated/nn-kernels.js";
import { finite } from "../../util/check.js";
import { Layer, type LayerOptions, readOptions, sizeOf } from "./layer.js";

type Activation = "relu" | "tanh" | "sigmoid" | "silu";

/** `reads`: what the gradient is computed from. An activation whose gradient needs its input cannot overwrite it. */
function activation(kind: Activation, reads: "x" | "y", options: LayerOptions | undefined): Layer {
  return new Layer(kind, options, ({ owner, shape }) => {
    readOptions(owner, options, {}, {});
    const size = sizeOf(shape);
    return {
      output: shape,
      reads,
      inPlace: reads === "y",
      inPlaceBackward: true,
      bind({ kernels, x, y, dx, dy }) {
        const value: NetworkKernels["relu"] = kernels[kind];
        const gradient: NetworkKernels["reluGradient"] = kernels[`${kind}Gradient`];
        const at = reads === "x" ? x : y;
        return {
          forward({ rows }) {
            value(rows * size, x, y);
          },
          backward({ rows }, needsInputGradient) {
            if (needsInputGradient) gradient(rows * size, at, dy, dx);
          },
        };
      },
    };
  });
}

/**
 * y = max(x, 0), as `torch.nn.ReLU`, on any shape.
 * @example
 * new Network([8], [linear(16), relu(), linear(1)]);
 */
export const relu = (options?: LayerOptions): Layer => activation("relu", "y", options);

/**
 * y = tanh x, as `torch.nn.Tanh`, on any shape.
 * @example
 * new Network([8], [linear(16), tanh(), linear(1)]);
 */
export const tanh = (options?: LayerOptions): Layer => activation("tanh", "y", options);

/**
 * y = 1/(1 + e⁻ˣ), as `torch.nn.Sigmoid`, on any shape. Losses take outputs before it.
 * @example
 * new Network([8], [linear(16), sigmoid(), linear(1)]);
 */
export const sigmoid = (options?: LayerOptions): Layer => activation("sigmoid", "y", options);

/**
 * y = ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), as `torch.nn.GELU(approximate="tanh")`, on any shape.
 * @example
 * new Network([8], [linear(16), gelu(), linear(1)]);
 */
export function gelu(options?: LayerOptions): Layer {
  return new Layer("gelu", options, ({ owner, shape, rows: most }) => {
    readOptions(owner, options, {}, {});
    const size = sizeOf(shape);
    return {
      output: shape,
      inPlace: true,
      inPlaceBackward: true,
      kept: 64 * Math.ceil((most * size) / 16),
      bind: ({ kernels, x, y, dx, dy, kept }) => ({
        forward({ rows }) {
          kernels.gelu(rows * size, x, y, kept);
        },
        backward({ rows }, needsInputGradient) {
          if (needsInputGradient) kernels.multiply(rows * size, kept, dy, dx);
        },
      }),
    };
  });
}

/**
 * y = x/(1 + e⁻ˣ), as `torch.nn.SiLU`, on any shape.
 * @example
 * new Network([8], [linear(16), silu(), linear(1)]);
 */
export const silu = (options?: LayerOptions): Layer => activation("silu", "x", options);

/** Options of {@link leakyRelu}. */
export interface LeakyReluOptions extends LayerOptions {
  /** The factor of inputs below 0, a finite number. Default 0.01. */
  negativeSlope?: number | undefined;
}

/**
 * y = x where x > 0, else x·`negativeSlope`, as `torch.nn.LeakyReLU`, on any shape.
 * @example
 * new Network([8], [linear(16), leakyRelu({ negativeSlope: 0.1 }), linear(1)]);
 */
export function leakyRelu(options?: LeakyReluOptions): Layer {
  return new Layer("leakyRelu", options, ({ owner, shape }) => {
    const { negativeSlope } = readOptions(owner, options, { negativeSlope: finite }, { negativeSlope: 0.01 });
    const size = sizeOf(shape);
    return {
      output: shape,
      reads: "x",
      inPlaceBackward: true,
      bind: ({ kernels, x, y, dx, dy }) => ({
        forward({ rows }) {
          kernels.leakyRelu(rows * size, x, y, negativeSlope);
        },
        backward({ rows }, needsInputGradient) {
          if (needsInputGradient) kernels.leakyReluGradient(rows * size, x, dy, dx, negativeSlope);
        },
      }),
    };
  });
}
