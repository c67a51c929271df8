// Layers around which their input goes: y = x + layers(x).
import type { Shape } from "../../memory/tensor.js";
import type { Span } from "../memory.js";
import {
  type Chain,
  Layer,
  type LayerOptions,
  type Plan,
  type Value,
  readOptions,
  showShape,
  sizeOf,
} from "./layer.js";

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
  new Layer("residual", options, undefined, (chain, owner, path, prefix, value) => {
    readOptions(owner, options, {}, {});
    return around(layers, chain, owner, path, prefix, value);
  });

/** A fork before the layers, which adds the gradients of both ways, and a sum after them. */
function around(layers: unknown, chain: Chain, owner: string, path: string, prefix: string, value: Value): Value {
  const { span, shape, order } = value;
  chain.rows.push({ path, kind: "residual", output: shape, parameters: 0 });
  const size = sizeOf(shape);
  const skip: Skip = { gradient: undefined };
  chain.push({ owner, plan: forkPlan(shape, size, skip), order, x: span, y: span });
  span.holds++;
  const inner = chain.chain(layers, owner, `${path}.`, `${prefix}.`, value);
  if (showShape(inner.shape) !== showShape(shape))
    throw new RangeError(
      `${owner}: expected layers that give the shape of their input, ${showShape(shape)}, got ${showShape(inner.shape)}`,
    );
  const branch = chain.ordered(inner, order);
  span.holds--;
  span.read(chain.nodes.length);
  return chain.node(owner, sumPlan(shape, size, span, skip), branch);
}

/** The gradient with respect to the sum, which goes on to the fork. */
interface Skip {
  gradient: Span | undefined;
}

/** Before the layers of a residual. Their input goes on as it is; its gradient is the sum of the branch's and the whole's. */
const forkPlan = (shape: Shape, size: number, skip: Skip): Plan => ({
  output: shape,
  inPlaceBackward: true,
  route(_, time) {
    skip.gradient!.holds--;
    skip.gradient!.read(time);
  },
  bind({ kernels, dy, dx }) {
    const { at } = skip.gradient!;
    return {
      forward: () => undefined,
      backward({ rows }, needsInputGradient) {
        if (needsInputGradient) kernels.add(rows * size, dy, at, dx);
      },
    };
  },
});

/** After the layers of a residual: adds their input. */
const sumPlan = (shape: Shape, size: number, input: Span, skip: Skip): Plan => ({
  output: shape,
  inPlace: true,
  identityBackward: true,
  route(gradient) {
    skip.gradient = gradient;
    gradient.holds++;
  },
  bind: ({ kernels, x, y }) => ({
    forward: ({ rows }) => kernels.add(rows * size, x, input.at, y),
    backward: () => undefined,
  }),
});
