// Transpositions, between layers that have the elements in different orders. Only layers that change the order import this file.
import type { Shape } from "../memory/tensor.js";
import { type Order, type Plan, sizeOf } from "./layers/layer.js";

/** Changes the order of the elements; undefined where that moves none. */
function transposition(shape: Shape, gives: Order): Plan | undefined {
  const [channels, positions] = [shape[0], sizeOf(shape.slice(1))];
  if (channels === 1 || positions === 1) return undefined;
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

/** What the plan of a layer that computes with channels last has. */
export const channelsLast = { takes: "last", gives: "last", transposition } as const;
