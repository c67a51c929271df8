// Chooses parameters by name.
import type { Shape, Tensor } from "../memory/tensor.js";
import { wrongType, wrongValue } from "../util/check.js";

/** One part of a {@link Pattern}. */
export type PatternPart = string | RegExp | ((name: string, shape: Shape) => boolean);
/** Which parameters: a name, or the beginning of names up to a dot; a RegExp; a function; or several of them. */
export type Pattern = PatternPart | readonly PatternPart[];

/** The tensors that match. Throws for a pattern that matches none. */
export function matching(owner: string, pattern: Pattern, tensors: readonly Tensor[]): readonly Tensor[] {
  const chosen = new Set<Tensor>();
  for (const one of (Array.isArray(pattern) ? pattern : [pattern]) as readonly PatternPart[]) {
    const test = testOf(owner, one);
    const found = tensors.filter(test);
    if (found.length === 0)
      throw wrongValue(owner, "pattern", "a name, or the beginning of names, of parameters", String(one));
    for (const tensor of found) chosen.add(tensor);
  }
  return [...chosen];
}

function testOf(owner: string, one: unknown): (tensor: Tensor) => boolean {
  if (typeof one === "string") return ({ name }) => name === one || name.startsWith(`${one}.`);
  if (one instanceof RegExp) return ({ name }) => name.search(one) >= 0; // search() ignores lastIndex
  if (typeof one === "function")
    return ({ name, shape }) => Boolean((one as (...args: unknown[]) => unknown)(name, shape));
  throw wrongType(owner, "pattern", "a name, a RegExp, a function or an array of them", one);
}
