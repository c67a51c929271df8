import { Average } from "./average.js";
import { fraction, knownOnly, record } from "./check.js";
import type { ParameterDict } from "./parameters.js";

/** Options of {@link WeightEma}. */
export interface WeightEmaOptions {
  /** How much of the average stays at each update, in [0, 1]. Default 0.999. */
  decay?: number | undefined;
}

/**
 * The exponential moving average of the parameters: avg ← avg + (1 − decay)·(θ − avg); the first update copies.
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

  /**
   * @param params What is averaged: a dictionary or a subset of one. The average's memory is taken in its arena, now.
   * @param options Default: `{ decay: 0.999 }`.
   */
  constructor(params: ParameterDict<Name>, options: WeightEmaOptions = {}) {
    const owner = "WeightEma";
    const given = record(owner, "options", options);
    knownOnly(owner, "", given, ["decay"]);
    const decay = given.decay === undefined ? 0.999 : fraction.read(owner, "decay", given.decay);
    super(owner, "gradstep/weight-ema", params);
    this.#decay = decay;
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
    this.setPace();
  }

  /** @internal */
  protected setPace(): void {
    this.pace[0] = 1 - this.#decay;
  }

  /** @internal */
  protected options(): { readonly decay: number } {
    return { decay: this.#decay };
  }

  /** @internal */
  protected readOptions(saved: Readonly<Record<string, unknown>>): () => void {
    const decay = fraction.read("WeightEma", "saved.decay", saved.decay);
    return () => {
      this.#decay = decay;
    };
  }
}
