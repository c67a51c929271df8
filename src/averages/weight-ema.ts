// The exponential moving average of the parameters (EMA).
import { Average } from "./average.js";
import { flag, fraction, optionsOf } from "../util/check.js";
import { raise } from "../util/exact.js";
import type { ParameterDict } from "../memory/parameters.js";

const ALIASES = "decay=momentum,alpha,rate";

/** Options of {@link WeightEma}. */
export interface WeightEmaOptions {
  /** The factor of the old average at each update, in [0, 1]. Default 0.999. */
  decay?: number | undefined;
  /**
   * Start from 0 and correct the bias, as `optax.ema` does by default: at update k, counted from 1, the parameters have the
   * weight (1 − decay)/(1 − decayᵏ). Otherwise the average starts as a copy of the parameters. Default false.
   */
  debias?: boolean | undefined;
}

/**
 * The exponential moving average of the parameters: avg ← avg + (1 − decay)·(θ − avg); the first update copies, with
 * `debias` too.
 *
 * State: 4 bytes a parameter, in the arena of the parameters.
 *
 * @see Polyak, Juditsky (1992), https://doi.org/10.1137/0330046
 * @throws TypeError, RangeError for a wrong option, and when the arena has no room for the average.
 * @example
 * const ema = new WeightEma(params, { decay: 0.99 });
 * optimizer.step();
 * ema.update();
 */
export class WeightEma<Name extends string = string> extends Average<Name> {
  #decay: number;
  #debias: boolean;

  /**
   * @param params The parameters to average: a dictionary or a subset. The average takes memory in their arena at once.
   * @param options Default: `{ decay: 0.999, debias: false }`.
   */
  constructor(params: ParameterDict<Name>, options: WeightEmaOptions = {}) {
    const owner = "WeightEma";
    const given = optionsOf(owner, options, ["decay", "debias"], { aliases: ALIASES });
    const decay = given.decay === undefined ? 0.999 : fraction.read(owner, "decay", given.decay);
    const debias = given.debias !== undefined && flag.read(owner, "debias", given.debias);
    super(owner, "gradstep/weight-ema", params);
    this.#decay = decay;
    this.#debias = debias;
  }

  /** The factor of the old average at each update; can be set to a number in [0, 1]. */
  get decay(): number {
    this.check();
    return this.#decay;
  }

  /** @throws TypeError, RangeError unless it is a number in [0, 1]; Error after dispose(). Affects only later updates. */
  set decay(value: number) {
    this.check();
    this.#decay = fraction.read("WeightEma", "decay", value);
    this.setNextWeight(this.updates);
  }

  /** @internal */
  protected override setNextWeight(k: number): void {
    const decay = this.#decay;
    if (!this.#debias) {
      this.nextWeight[0] = 1 - decay;
    } else if (decay === 1) {
      this.nextWeight[0] = 1 / (k + 1); // the limit
    } else {
      this.nextWeight[0] = decay;
      raise(this.nextWeight, 0, k + 1);
      this.nextWeight[0] = (1 - decay) / (1 - this.nextWeight[0]);
    }
  }

  /** @internal */
  protected override options(): { readonly decay: number; readonly debias: boolean } {
    return { decay: this.#decay, debias: this.#debias };
  }

  /** @internal */
  protected override readOptions(saved: Readonly<Record<string, unknown>>): () => void {
    const decay = fraction.read("WeightEma", "saved.decay", saved.decay);
    const debias = saved.debias !== undefined && flag.read("WeightEma", "saved.debias", saved.debias);
    return () => {
      this.#decay = decay;
      this.#debias = debias;
    };
  }
}
