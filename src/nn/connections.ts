// What is between layers: the ends of residuals, and transpositions.
import type { Shape } from "../memory/tensor.js";
import type { Order, Plan } from "./layers/layer.js";
import type { Span } from "./memory.js";

/** Before the layers of a residual. Their input goes on as it is; its gradient is the sum of the branch's and the whole's. */
export const forkPlan = (shape: Shape, size: number, whole: () => Span): Plan => ({
  output: shape,
  inPlaceBackward: true,
  bind({ kernels, dy, dx }) {
    const skip = whole().at;
    return {
      forward: () => undefined,
      backward({ rows }, needsInputGradient) {
        if (needsInputGradient) kernels.add(rows * size, dy, skip, dx);
      },
    };
  },
});

/** After the layers of a residual: adds their input. */
export const sumPlan = (shape: Shape, size: number, input: Span): Plan => ({
  output: shape,
  inPlace: true,
  bind: ({ kernels, x, y }) => ({
    forward: ({ rows }) => kernels.add(rows * size, x, input.at, y),
    backward: () => undefined,
  }),
});

/** Changes the order of the elements. */
export function transposition(shape: Shape, channels: number, positions: number, gives: Order): Plan {
  const [height, width] = gives === "last" ? [channels, positions] : [positions, channels];
  return {
    output: shape,
    gives,
    bind: ({ kernels, x, y, dx, dy }) => ({
      forward: ({ rows }) => kernels.transpose(rows, height, width, x, y),
      backward({ rows }, needsInputGradient) {
        if (needsInputGradient) kernels.transpose(rows, width, height, dy, dx);
      },
    }),
  };
}
