// Initializes the weights and biases of dense layers.
import type { Vector } from "../memory/tensor.js";
import type { Random } from "../init/random.js";

/**
 * The distribution of initial values, uniform in ±bound: `"torch"` is the default of `torch.nn.Linear`, 1/√inputs for weights
 * and biases; `"glorot"` is √(6/(inputs + outputs)) and `"he"` √(6/inputs), both with biases of 0.
 */
export type Init = "torch" | "glorot" | "he";
export const inits = ["torch", "glorot", "he"] as const satisfies readonly Init[];

const bounds: Record<Init, (inputs: number, outputs: number) => number> = {
  torch: (inputs) => Math.sqrt(1 / inputs),
  glorot: (inputs, outputs) => Math.sqrt(6 / (inputs + outputs)),
  he: (inputs) => Math.sqrt(6 / inputs),
};

/** Fills a layer with one draw per element: the weights row by row, then, with `"torch"`, the biases. */
export function fillLayer(init: Init, random: Random, inputs: number, weight: Vector, bias: Vector): void {
  const bound = bounds[init](inputs, bias.length);
  for (let i = 0; i < weight.length; i++) weight[i] = bound * (2 * random.uniform() - 1);
  for (let i = 0; i < bias.length; i++) bias[i] = init === "torch" ? bound * (2 * random.uniform() - 1) : 0;
}
