// Chooses parameters by name.
import type { Shape, Tensor } from "../memory/tensor.js";
import { wrongType, wrongValue } from "../util/check.js";

/** One part of a {@link Pattern}. */
export type PatternPart = string | RegExp | ((name: string, shape: Shape) => boolean);
/** Which parameters: a name, or the beginning of names up to a dot; a RegExp; a function; or several of them. */
export type Pattern = PatternPart | readonly PatternPart[];

/** The tensors that match, maybe several times. Throws for a pattern that matches none. */
export function matching(owner: string, pattern: Pattern, tensors: readonly Tensor[]): readonly Tensor[] {
  return [pattern].flat().flatMap((part: PatternPart) => {
    const found = tensors.filter(({ name, shape }) => {
      if (typeof part === "string") return `${name}.`.startsWith(`${part}.`);
      if (part instanceof RegExp) return name.search(part) >= 0; // search() ignores lastIndex
      if (typeof part === "function") return part(name, shape);
      throw wrongType(owner, "pattern", "a name, a RegExp, a function or an array of them", part);
    });
    if (found.length === 0)
      throw wrongValue(owner, "pattern", "a name, or the beginning of names, of parameters", part);
    return found;
  });
}
