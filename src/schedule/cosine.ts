// Rates that fall along half a cosine, once or again and again.
import { nonNegative, wholeFrom } from "../util/check.js";
import { sin } from "../util/exact.js";
import { closed, setting } from "./curve.js";
import type { CommonScheduleOptions, Definition } from "./definition.js";
import type { AnyOptimizer } from "./rates.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions extends CommonScheduleOptions {
  /** Calls of `step()` until the lowest rate, a whole number >= 1. */
  tMax: number;
  /** The lowest rate, >= 0. Default 0. */
  etaMin?: number | undefined;
}

/**
 * (1 + cos(πe/period))/2: from 1 at e = 0 to 0 at e = period and back. As sin² of the way that is left, which keeps its
 * digits near the end, where 1 + cos cancels.
 */
function half(e: number, period: number): number {
  const left = Math.abs(period - (e % (2 * period)));
  const root = sin((Math.PI * left) / (2 * period));
  return root * root;
}

const annealing: Definition<CosineAnnealingLROptions> = {
  name: "CosineAnnealingLR",
  kinds: { tMax: wholeFrom(1), etaMin: nonNegative },
  defaults: { etaMin: 0 },
  curve: ({ tMax, etaMin }) =>
    closed({
      rate: (base, e) => etaMin + (base - etaMin) * half(e, tMax),
      // PyTorch's recurrence: the distance to the lowest rate scales, and rises from there by what it would alone.
      chain(lr, base, e) {
        if (e === 0) return lr;
        const before = half(e - 1, tMax);
        if (before === 0) return lr + (base - etaMin) * half(e, tMax);
        return etaMin + (lr - etaMin) * (half(e, tMax) / before);
      },
      // At the end of a fall the rate is the lowest one, whatever it was before.
      since: (e) => Math.max(0, e - ((e + tMax) % (2 * tMax))),
    }),
};

/**
 * lr = etaMin + (base − etaMin)·(1 + cos(πe/tMax))/2: down until e = tMax, and up again if you go on.
 *
 * @see Loshchilov, Hutter (2017), https://arxiv.org/abs/1608.03983
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new CosineAnnealingLR(optimizer, { tMax: 1000, etaMin: 1e-5 });
 */
export class CosineAnnealingLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates it sets: now for e = 0, then at each {@link step}.
   * @param options Those without a default must be given.
   */
  constructor(optimizer: AnyOptimizer, options: CosineAnnealingLROptions) {
    super(annealing, optimizer, options);
  }
}

/** Options of {@link CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions extends CommonScheduleOptions {
  /** Calls of `step()` until the first restart, a whole number >= 1. */
  t0: number;
  /** How many times as long each period is as the one before, a whole number >= 1. Default 1. */
  tMult?: number | undefined;
  /** The rate that each period falls to, >= 0. Default 0. */
  etaMin?: number | undefined;
}

const warmRestarts: Definition<CosineAnnealingWarmRestartsOptions> = {
  name: "CosineAnnealingWarmRestarts",
  kinds: { t0: wholeFrom(1), tMult: wholeFrom(1), etaMin: nonNegative },
  defaults: { tMult: 1, etaMin: 0 },
  position: nonNegative,
  curve: ({ t0, tMult, etaMin }) =>
    setting((base, e) => {
      let period = t0;
      let since = tMult === 1 ? e % t0 : e;
      for (; since >= period; period *= tMult) since -= period;
      return etaMin + (base - etaMin) * half(since, period);
    }),
};

/**
 * lr = etaMin + (base − etaMin)·(1 + cos(πc/T))/2, c calls of `step()` after the last restart; the periods T are t0,
 * t0·tMult, t0·tMult² …
 *
 * @see Loshchilov, Hutter (2017), https://arxiv.org/abs/1608.03983
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new CosineAnnealingWarmRestarts(optimizer, { t0: 10, tMult: 2 });
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates it sets: now for e = 0, then at each {@link step}.
   * @param options Those without a default must be given.
   */
  constructor(optimizer: AnyOptimizer, options: CosineAnnealingWarmRestartsOptions) {
    super(warmRestarts, optimizer, options);
  }

  /**
   * Moves every group's rate on; or to a position, as `step(epoch + i / batches)` does after each batch.
   * @param epoch Where to go, in calls of `step()`: a finite number >= 0. Default: 1 further.
   * @throws TypeError, RangeError for a wrong position, and as {@link LRScheduler.step}; nothing is changed then.
   * @example
   * schedule.step(2.5); // in the middle of the third epoch
   */
  override step(epoch?: number): void;
  override step(...given: readonly unknown[]): void {
    this.move(given, true);
  }
}
