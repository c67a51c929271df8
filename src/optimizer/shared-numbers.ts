// Numbers that the tensors of a group, or of the optimizer, share. Only rules that have such numbers import this file.
import type { Settled, SharedNumbers } from "./rule.js";

type StartOf<Options> = (options: Settled<Options>) => Record<string, number>;

/** Each group has its own numbers, which start as `start` says. */
/* @__NO_SIDE_EFFECTS__ */
export const perGroup = <Options>(start: StartOf<Options>): SharedNumbers<Options> => ({
  start,
  of: (_, added) => added.map(({ options }) => numbers(start, options)),
});

/** All groups share the numbers, which start by the options of the first group that has tensors. */
/* @__NO_SIDE_EFFECTS__ */
export const perOptimizer = <Options>(start: StartOf<Options>): SharedNumbers<Options> => ({
  start,
  of(groups, added) {
    const { options } = added.find(({ params }) => params.length > 0) ?? added[0];
    const shared = groups.at(0)?.shared ?? numbers(start, options);
    if (!groups.some(({ occupied }) => occupied)) shared.set(numbers(start, options));
    return added.map(() => shared);
  },
});

const numbers = <Options>(start: StartOf<Options>, options: Settled<Options>): Float64Array =>
  Float64Array.from(Object.values(start(options)));
