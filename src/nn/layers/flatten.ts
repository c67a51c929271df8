// Gives the input as one dimension.
import { Layer, type LayerOptions, readOptions, sizeOf } from "./layer.js";

/**
 * The input as one dimension, in PyTorch's order: [channels, height, width] to [channels·height·width]. As
 * `torch.nn.Flatten`.
 * @example
 * new Network([1, 28, 28], [flatten(), linear(10)]);
 */
export function flatten(options?: LayerOptions): Layer {
  return new Layer("flatten", options, ({ owner, shape }) => {
    readOptions(owner, options, {}, {});
    return { output: [sizeOf(shape)], takes: "first", identity: true, bind: () => nothing };
  });
}

const nothing = { forward: () => undefined, backward: () => undefined };
