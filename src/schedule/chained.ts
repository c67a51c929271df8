import { type Curve, scaling } from "./curve.js";
import type { Definition } from "./definition.js";
import type { AnyOptimizer } from "./rates.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link ChainedScheduler}. */
export interface ChainedSchedulerOptions {
  /** Schedules of the same optimizer, in the order in which they move the rate. */
  schedulers: readonly LRScheduler[];
}

const definition: Definition<Readonly<Record<string, unknown>>> = {
  name: "ChainedScheduler",
  kinds: {},
  shorthands: ["schedulers"],
  defaults: {},
  curve: (_, inner): Curve => ({ ...(product(inner) ?? recurrence(inner)), ...momentumOf(inner) }),
  schedulers: { counter: (_, _i, e) => e },
};

/** A chain of curves that only scale. */
function product(inner: readonly Curve[]): Curve | undefined {
  const factors = inner.flatMap(({ factor }) => (factor ? [factor] : []));
  return factors.length === inner.length ? scaling((e) => factors.reduce((f, factor) => f * factor(e), 1)) : undefined;
}

/** Any chain: each curve in turn moves the rate that the one before left. Replayed from e = 0 unless e goes on from the last. */
function recurrence(inner: readonly Curve[]): Curve {
  const chain: Curve["chain"] = (lr, base, e, g) => inner.reduce((rate, curve) => curve.chain(rate, base, e, g), lr);
  const last: { base: number; e: number; lr: number }[] = [];
  return {
    chain,
    rate(base, e, g) {
      const from = last.at(g);
      let { e: at, lr } = from?.base === base && from.e <= e ? from : { e: -1, lr: base };
      while (at < e) lr = chain(lr, base, ++at, g);
      last[g] = { base, e, lr };
      return lr;
    },
  };
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
