// Types of what users pass to SAM and get from it.
import type { LookaheadState } from "../averages/lookahead.js";
import type { StepOptions } from "../optimizer/options.js";
import type { OptimizerState } from "../state/state-dict.js";

/** Options of `SAM`. */
export interface SAMOptions {
  /** How far to climb, >= 0: the length of the way from the parameters, or with `adaptive` relative to them. Default 0.05. */
  rho?: number | undefined;
  /** ASAM: climbs further along elements that are larger. `rho` is then 10 to 20 times as large. Default false. */
  adaptive?: boolean | undefined;
}

/** Options of `firstStep()` of `SAM`: those of a step that matter there. */
export type SAMFirstStepOptions<Name extends string = string> = Pick<
  StepOptions<Name>,
  "skip" | "gradScale" | "zeroGrad"
>;

/** What `stateDict()` of `SAM` returns: owned and structured-cloneable. */
export interface SAMState {
  /** A load refuses any other. */
  readonly format: "gradstep/sam";
  /** The version of this format; a load refuses any other. */
  readonly version: 1;
  /** How far to climb, >= 0; a load restores it. */
  readonly rho: number;
  /** Whether larger elements climb further; a load restores it. */
  readonly adaptive: boolean;
  /** The state of the wrapped optimizer. */
  readonly optimizer: OptimizerState | LookaheadState;
}
