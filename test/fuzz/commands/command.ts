import fc from "fast-check";
import type { World } from "../world.js";

/** One kind of call: its possible arguments, and how it is applied to the real objects and their models. */
export interface Command<Given = unknown> {
  readonly given: fc.Arbitrary<Given>;
  /** How often it is drawn, beside others. */
  readonly weight: number;
  /** Does it; or nothing where the world has nothing to do it to. */
  run(world: World, given: Given): void;
}

/** A command, with the type of what it is given. */
export const command = <Given>(
  weight: number,
  given: fc.Arbitrary<Given>,
  run: (world: World, given: Given) => void,
): Command => ({ weight, given, run: run });

/** An object without some of its entries. */
export const without = (object: object, ...names: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** Which of the things that there are: counted round. */
export const which = fc.nat(11);
export const seed = fc.nat(9999);
/** A number that is mostly the first. */
export const oneOf = <T>(...values: T[]): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(values[0]), weight: 2 }, ...values.slice(1).map((value) => fc.constant(value)));
