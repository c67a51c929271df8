// The type of an optimizer for code that works with all of them.
import type { Optimizer } from "./optimizer.js";

/** Any optimizer, whatever its options and the names of its tensors. */
export type AnyOptimizer = Pick<Optimizer, "stateDict" | "loadStateDict" | "dispose"> & {
  /** The groups whose rates a schedule sets, in order. */
  readonly paramGroups: readonly {
    /** The group's learning rate, which the optimizer checks when it is set. */
    lr: number;
    /** The rate before a schedule set it, which the first schedule writes. */
    initialLr?: number | undefined;
  }[];
};
