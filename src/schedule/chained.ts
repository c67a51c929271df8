import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
// Several schedules that run at the same time.
import { type Curve, recursive, scaling } from "./curve.js";
import type { CommonScheduleOptions, Definition } from "./definition.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link ChainedScheduler}. */
export interface ChainedSchedulerOptions extends CommonScheduleOptions {
  /** Schedules of the same optimizer, in the order in which they change the rate. */
  schedulers: readonly LRScheduler[];
}

const definition: Definition<Readonly<Record<string, unknown>>> = {
  name: "ChainedScheduler",
  kinds: {},
  shorthands: ["schedulers"],
  defaults: {},
  curve: (_, inner): Curve => ({
    ...(product(inner) ?? recursion(inner)),
    ...momentumOf(inner),
    check: (e) => inner.forEach((curve) => curve.check?.(e)),
  }),
  schedulers: { together: true, counter: (_, _i, e) => e, active: () => true },
};

/** The closed form of a chain in which all curves scale. */
function product(inner: readonly Curve[]): Curve | undefined {
  const scales = inner.flatMap(({ scale }) => (scale ? [scale] : []));
  if (scales.length < inner.length) return undefined;
  return scaling({
    factor: (e) => scales.reduce((f, { factor }) => f * factor(e), 1),
    ratio: (e) => scales.reduce((r, { ratio }) => r * ratio(e), 1),
  });
}

/** Any chain: each curve changes the rate that the one before it set, which may be below 0 in between, as in PyTorch. */
function recursion(inner: readonly Curve[]): Curve {
  const chain: Curve["chain"] = (lr, base, e, g) => inner.reduce((rate, curve) => curve.chain(rate, base, e, g), lr);
  const replayFrom = (e: number, g: number): number => Math.max(...inner.map((curve) => curve.replayFrom?.(e, g) ?? 0));
  return recursive({
    chain,
    replayFrom,
    rate(base, e, g) {
      let lr = base;
      for (let at = replayFrom(e, g); at <= e; at++) lr = Math.max(0, chain(lr, base, at, g));
      return lr;
    },
  });
}

function momentumOf(inner: readonly Curve[]): Pick<Curve, "momentum"> {
  if (!inner.some(({ momentum }) => momentum)) return {};
  return {
    momentum: (e, g) =>
      inner.reduce<number | undefined>((momentum, curve) => curve.momentum?.(e, g) ?? momentum, undefined),
  };
}

/**
 * Several schedules at once: each changes the rate that the one before it set. Those that scale the base rate multiply;
 * `CosineAnnealingLR` scales the distance to its lowest rate; the others set the rate whatever it was, as in PyTorch, so
 * put them first. Make the inner schedules first, on the same optimizer. The chain then steps, saves and loads them.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedulers = [new ConstantLR(optimizer, { factor: 0.1 }), new ExponentialLR(optimizer, { gamma: 0.9 })];
 * const schedule = new ChainedScheduler(optimizer, { schedulers });
 */
export class ChainedScheduler extends LRScheduler {
  /**
   * @param optimizer The optimizer of the inner schedules. Its rates are set for e = 0.
   * @param options The schedules.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: ChainedSchedulerOptions) {
    super(definition, optimizer, options);
  }
}
