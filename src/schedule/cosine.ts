// Rates that fall along half a cosine, once or repeatedly.
import { nonNegative, wholeFrom } from "../util/check.js";
import { sin } from "../util/exact.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { absolute, closed } from "./curve.js";
import type { CommonScheduleOptions, Definition } from "./definition.js";
import { LRScheduler } from "./scheduler.js";

/** Options of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions extends CommonScheduleOptions {
  /** Calls of `step()` to the lowest rate, a whole number >= 1. */
  tMax: number;
  /** The lowest rate, >= 0. Default 0. */
  etaMin?: number | undefined;
}

/** (1 + cos(πe/period))/2: from 1 at e = 0 to 0 at e = period and back. Written as sin², since 1 + cos cancels near 0. */
function halfCosine(e: number, period: number): number {
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
      rate: (base, e) => etaMin + (base - etaMin) * halfCosine(e, tMax),
      // PyTorch's recursive form: the distance to etaMin scales. At etaMin it rises by as much as the closed form does.
      chain(lr, base, e) {
        if (e === 0) return lr;
        const before = halfCosine(e - 1, tMax);
        if (before === 0) return lr + (base - etaMin) * halfCosine(e, tMax);
        return etaMin + (lr - etaMin) * (halfCosine(e, tMax) / before);
      },
      // At the end of a fall the rate is etaMin, whatever it was before.
      replayFrom: (e) => Math.max(0, e - ((e + tMax) % (2 * tMax))),
    }),
};

/**
 * lr = etaMin + (base − etaMin)·(1 + cos(πe/tMax))/2: it falls until e = tMax and rises again after that.
 *
 * @see Loshchilov, Hutter (2017), https://arxiv.org/abs/1608.03983
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new CosineAnnealingLR(optimizer, { tMax: 1000, etaMin: 1e-5 });
 */
export class CosineAnnealingLR extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Those without a default are required.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: CosineAnnealingLROptions) {
    super(annealing, optimizer, options);
  }
}

/** Options of {@link CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions extends CommonScheduleOptions {
  /** Calls of `step()` until the first restart, a whole number >= 1. */
  t0: number;
  /** Factor of the length from each period to the next, a whole number >= 1. Default 1. */
  tMult?: number | undefined;
  /** The lowest rate, >= 0. Default 0. */
  etaMin?: number | undefined;
}

const warmRestarts: Definition<CosineAnnealingWarmRestartsOptions> = {
  name: "CosineAnnealingWarmRestarts",
  kinds: { t0: wholeFrom(1), tMult: wholeFrom(1), etaMin: nonNegative },
  defaults: { tMult: 1, etaMin: 0 },
  position: nonNegative,
  curve: ({ t0, tMult, etaMin }) =>
    absolute((base, e) => {
      let period = t0;
      let c = tMult === 1 ? e % t0 : e;
      for (; c >= period; period *= tMult) c -= period;
      return etaMin + (base - etaMin) * halfCosine(c, period);
    }),
};

/**
 * lr = etaMin + (base − etaMin)·(1 + cos(πc/T))/2, where c counts calls of `step()` since the last restart, and the
 * periods T are t0, t0·tMult, t0·tMult² …
 *
 * @see Loshchilov, Hutter (2017), https://arxiv.org/abs/1608.03983
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const schedule = new CosineAnnealingWarmRestarts(optimizer, { t0: 10, tMult: 2 });
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /**
   * @param optimizer The optimizer whose rates are set: now for e = 0, then at each {@link step}.
   * @param options Those without a default are required.
   */
  constructor(optimizer: Pick<AnyOptimizer, "paramGroups">, options: CosineAnnealingWarmRestartsOptions) {
    super(warmRestarts, optimizer, options);
  }

  /**
   * Sets every group's next rate, or that of a position: `step(epoch + i / batches)` after each batch, for example.
   * @param epoch The position in calls of `step()`, a finite number >= 0. Default: the next one.
   * @throws TypeError, RangeError for a wrong position, and as {@link LRScheduler.step}; nothing is changed then.
   * @example
   * schedule.step(2.5); // in the middle of the third epoch
   */
  override step(epoch?: number): void;
  override step(...given: readonly unknown[]): void {
    this.move(given, true);
  }
}
