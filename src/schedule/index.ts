/**
 * PyTorch's learning-rate schedulers, for any optimizer, including `Lookahead`, `SAM` and `GradstepOptimizer`. Call `step()`
 * after the optimizer's.
 *
 * @example
 * import { StepLR } from "gradstep/schedule";
 *
 * const schedule = new StepLR(optimizer, { stepSize: 30, gamma: 0.1 });
 * optimizer.step();
 * schedule.step();
 *
 * @module gradstep/schedule
 */

export type { AnyOptimizer } from "../optimizer/any-optimizer.js";
export { ChainedScheduler, type ChainedSchedulerOptions } from "./chained.js";
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from "./cosine.js";
export { CyclicLR, type CyclicLROptions } from "./cyclic.js";
export type { CommonScheduleOptions, PerGroup } from "./definition.js";
export { LambdaLR, type LambdaLROptions, MultiplicativeLR, type MultiplicativeLROptions } from "./lambda.js";
export {
  ConstantLR,
  type ConstantLROptions,
  LinearLR,
  type LinearLROptions,
  PolynomialLR,
  type PolynomialLROptions,
} from "./linear.js";
export { OneCycleLR, type OneCycleLROptions } from "./onecycle.js";
export { type PlateauState, ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./plateau.js";
export { LRScheduler } from "./scheduler.js";
export { SequentialLR, type SequentialLROptions } from "./sequential.js";
export type { InnerState, ScheduleState } from "./state.js";
export {
  ExponentialLR,
  type ExponentialLROptions,
  MultiStepLR,
  type MultiStepLROptions,
  StepLR,
  type StepLROptions,
} from "./step.js";
export { SWALR, type SWALROptions } from "./swa.js";
