// Layers around which their input goes: y = x + layers(x).
import { Layer, type LayerOptions } from "./layer.js";

/**
 * A `torch.nn.Sequential` of layers that adds its input: y = x + layers(x). The layers' output must have the input's shape.
 * Parameters are named by the index of the residual and that of the layer, as in "3.1.weight".
 *
 * @param layers One or more layers; other residuals may be among them.
 * @throws RangeError, when a network is made of it, unless the shapes agree.
 * @example
 * new Network([16], [residual([linear(64), gelu(), linear(16)])]);
 */
export const residual = (layers: readonly Layer[], options?: LayerOptions): Layer =>
  new Layer("residual", options, undefined, layers);
