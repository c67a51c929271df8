import { type Curve, recursive, scaling } from "./curve.js";
import type { CommonScheduleOptions, Definition } from "./definition.js";
import type { AnyOptimizer } from "./rates.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link ChainedScheduler}. */
export interface ChainedSchedulerOptions extends CommonScheduleOptions {
  /** Schedules of the same optimizer, in the order in which they move the rate. */
  schedulers: readonly LRScheduler[];
}

const definition: Definition<Readonly<Record<string, unknown>>> = {
  name: "ChainedScheduler",
  kinds: {},
  shorthands: ["schedulers"],
  defaults: {},
  curve: (_, inner): Curve => ({
    ...(product(inner) ?? recurrence(inner)),
    ...momentumOf(inner),
    check: (e) => inner.forEach((curve) => curve.check?.(e)),
  }),
  schedulers: { together: true, counter: (_, _i, e) => e, active: () => true },
};

/** A chain of curves that only scale. */
function product(inner: readonly Curve[]): Curve | undefined {
  const scales = inner.flatMap(({ scale }) => (scale ? [scale] : []));
  if (scales.length < inner.length) return undefined;
  return scaling({
    factor: (e) => scales.reduce((f, { factor }) => f * factor(e), 1),
    ratio: (e) => scales.reduce((r, { ratio }) => r * ratio(e), 1),
  });
}

/** Any chain: each curve in turn moves the rate that the one before left. Between them it may be below 0, as in PyTorch. */
function recurrence(inner: readonly Curve[]): Curve {
  const chain: Curve["chain"] = (lr, base, e, g) => inner.reduce((rate, curve) => curve.chain(rate, base, e, g), lr);
  const since = (e: number, g: number): number => Math.max(...inner.map((curve) => curve.since?.(e, g) ?? 0));
  return recursive({
    chain,
    since,
    rate(base, e, g) {
      let lr = base;
      for (let at = since(e, g); at <= e; at++) lr = Math.max(0, chain(lr, base, at, g));
      return lr;
    },
  });
}

function momentumOf(inner: readonly Curve[]): Pick<Curve, "momentum"> {
  const cycling = inner.filter(({ momentum }) => momentum);
  if (cycling.length === 0) return {};
  return {
    momentum: (e, g) =>
      cycling.reduce<number | undefined>((momentum, curve) => curve.momentum?.(e, g) ?? momentum, undefined),
  };
}

/**
 * Several schedules at once: each in turn moves the rate that the one before left. Those that scale the base rate
 * multiply; `CosineAnnealingLR` scales the distance to its lowest rate; the others set the rate, whatever it was, as in
 * PyTorch: put those first. Make them first, on the same optimizer; from then on they are stepped, saved and loaded with
 * the whole.
 *
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedulers = [new ConstantLR(optimizer, { factor: 0.1 }), new ExponentialLR(optimizer, { gamma: 0.9 })];
 * const schedule = new ChainedScheduler(optimizer, { schedulers });
 */
export class ChainedScheduler extends LRScheduler {
  /**
   * @param optimizer The optimizer that the inner schedules were made on. Its rates are set for e = 0.
   * @param options The schedules.
   */
  constructor(optimizer: AnyOptimizer, options: ChainedSchedulerOptions) {
    super(definition, optimizer, options);
  }
}
