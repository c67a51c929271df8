import { Average } from "./average.js";
import { flag, fraction, knownOnly, record } from "../util/check.js";
import { raise } from "../util/exact.js";
import type { ParameterDict } from "../memory/parameters.js";

/** Options of {@link WeightEma}. */
export interface WeightEmaOptions {
  /** How much of the average stays at each update, in [0, 1]. Default 0.999. */
  decay?: number | undefined;
  /**
   * Correct the bias of an average that starts from 0, as `optax.ema` does by default: at update k the parameters enter with
   * (1 − decay)/(1 − decayᵏ), so that the first updates count less than in the average that starts from a copy. Default false.
   */
  debias?: boolean | undefined;
}

/**
 * The exponential moving average of the parameters: avg ← avg + (1 − decay)·(θ − avg); the first update copies.
 * With `debias` it is the corrected average that starts from 0, whose first update is a copy too.
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
   * @param params What is averaged: a dictionary or a subset of one. The average's memory is taken in its arena, now.
   * @param options Default: `{ decay: 0.999, debias: false }`.
   */
  constructor(params: ParameterDict<Name>, options: WeightEmaOptions = {}) {
    const owner = "WeightEma";
    const given = record(owner, "options", options);
    knownOnly(owner, "", given, ["decay", "debias"]);
    const decay = given.decay === undefined ? 0.999 : fraction.read(owner, "decay", given.decay);
    const debias = given.debias !== undefined && flag.read(owner, "debias", given.debias);
    super(owner, "gradstep/weight-ema", params);
    this.#decay = decay;
    this.#debias = debias;
  }

  /** How much of the average stays at each update; can be set, to a number in [0, 1]. */
  get decay(): number {
    this.check();
    return this.#decay;
  }

  /** @throws TypeError, RangeError for what is no number in [0, 1]; Error after a dispose. The average so far stays as it is. */
  set decay(value: number) {
    this.check();
    this.#decay = fraction.read("WeightEma", "decay", value);
    this.setNextWeight(this.updates);
  }

  /** @internal */
  protected setNextWeight(k: number): void {
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
  protected options(): { readonly decay: number; readonly debias: boolean } {
    return { decay: this.#decay, debias: this.#debias };
  }

  /** @internal */
  protected readOptions(saved: Readonly<Record<string, unknown>>): () => void {
    const decay = fraction.read("WeightEma", "saved.decay", saved.decay);
    const debias = saved.debias !== undefined && flag.read("WeightEma", "saved.debias", saved.debias);
    return () => {
      this.#decay = decay;
      this.#debias = debias;
    };
  }
}
