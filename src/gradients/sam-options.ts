// What users pass to SAM and get from it.
import type { LookaheadState } from "../averages/lookahead.js";
import type { Tensor } from "../memory/tensor.js";
import type { StepOptions } from "../optimizer/options.js";
import type { OptimizerState } from "../state/state-dict.js";
import { record } from "../util/check.js";

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

/** @internal The options of the second step, which skips what the first has skipped or has not seen. */
export function withSkipped<Name extends string>(
  options: StepOptions<Name> | undefined,
  climbed: Uint8Array,
  tensors: readonly Tensor[],
): StepOptions<Name> | undefined {
  if (climbed.length === tensors.length && !climbed.includes(0)) return options;
  const { skip = [] } = options === undefined ? {} : record("SAM", "step options", options);
  if (!Array.isArray(skip)) return options; // which the optimizer refuses
  const left = tensors.filter(({ name }, i) => climbed[i] !== 1 && !skip.includes(name));
  return { ...options, skip: [...(skip as string[]), ...left.map(({ name }) => name)] };
}
