// Initializes the parameters of layers.
import type { Vector } from "../memory/tensor.js";
import { cos, log } from "../util/exact.js";
import type { Generator } from "../init/generator.js";

/**
 * The distribution of initial values. `"torch"` is each layer's default in PyTorch: uniform in ±1/√inputs for weights and
 * biases of linear layers and convolutions, normal with deviation 1 for embeddings. `"glorot"` is uniform in
 * ±√(6/(inputs + outputs)) and `"he"` in ±√(6/inputs), both with biases of 0 and PyTorch's fans; `"gpt"` is normal with
 * deviation 0.02, with biases of 0. Normalizations start at 1 and 0.
 */
export type Init = "torch" | "glorot" | "he" | "gpt";
export const inits = ["torch", "glorot", "he", "gpt"] as const satisfies readonly Init[];

/** How a parameter starts: a constant by every `Init`, or as its kind says. */
export type Start =
  | number
  /** Weights of so many inputs and outputs; `torch` names the bound that PyTorch takes, if it is not 1/√inputs. */
  | { readonly kind: "weight"; readonly fanIn: number; readonly fanOut: number; readonly torch?: "glorot" }
  /** Biases beside weights of so many inputs: uniform by "torch", else 0. */
  | { readonly kind: "bias"; readonly fanIn: number; readonly fanOut?: never; readonly torch?: never }
  /** A table of embeddings. */
  | { readonly kind: "table" };

/** Fills a parameter in order: one draw per element if uniform, two if normal, none if constant. */
export function fill(init: Init, random: Generator, start: Start, values: Vector): void {
  if (typeof start === "number") values.fill(start);
  else if (start.kind === "bias" && init !== "torch") values.fill(0);
  else if (init === "gpt") normal(random, 0.02, values);
  else if (start.kind === "table") normal(random, 1, values);
  else uniform(random, bound(init === "torch" ? start.torch : init, start.fanIn, start.fanOut), values);
}

function bound(init: "glorot" | "he" | undefined, fanIn: number, fanOut = NaN): number {
  if (init === "glorot") return Math.sqrt(6 / (fanIn + fanOut));
  return Math.sqrt((init === "he" ? 6 : 1) / fanIn);
}

function uniform(random: Generator, bound: number, values: Vector): void {
  for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random.uniform() - 1);
}

/** Box and Muller (1958). 1 − u is in (0, 1], so the logarithm is finite. */
function normal(random: Generator, deviation: number, values: Vector): void {
  for (let i = 0; i < values.length; i++) {
    const radius = Math.sqrt(-2 * log(1 - random.uniform()));
    values[i] = deviation * radius * cos(2 * Math.PI * random.uniform());
  }
}
