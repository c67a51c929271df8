// Options of layers that are one number, or one for height and one for width.
import { type Kind, wholeFrom, wrongType } from "../../util/check.js";

/** A number for both dimensions, or [height, width]. */
export type Extent = number | readonly [number, number];

/** Reads a number >= `least`, or a pair of them, as a pair. */
export function extent(least: number): Kind<readonly [number, number]> {
  const one = wholeFrom(least);
  return {
    read(owner, name, value) {
      if (!Array.isArray(value)) {
        if (typeof value !== "number")
          throw wrongType(owner, name, `a whole number >= ${least}, or [height, width]`, value);
        const both = one.read(owner, name, value);
        return [both, both];
      }
      if (value.length !== 2) throw wrongType(owner, name, `a whole number >= ${least}, or [height, width]`, value);
      return [one.read(owner, `${name}[0]`, value[0]), one.read(owner, `${name}[1]`, value[1])];
    },
  };
}
