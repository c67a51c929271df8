/**
 * Parameters, optimizers, clipping and averages of parameters. Tensors are float32, row-major, in one memory that the
 * kernels read; `data`, `grad` and an optimizer's `state()` are views of it.
 *
 * A wrong type is a `TypeError`, a wrong value a `RangeError`, both as
 * `Adam: "betas[0]" expected a number in [0, 1), got 1.5`; use after a dispose is an `Error`. A call that throws changes nothing.
 *
 * @example
 * import { AdamW, ParameterDict } from "gradstep";
 *
 * const params = new ParameterDict({ w: [128, 784], b: [128] });
 * const optimizer = new AdamW(params, { lr: 1e-3 });
 * params.grad.w.fill(0.1);
 * optimizer.step();
 *
 * @module gradstep
 */

export { Arena, type ArenaOptions } from "./memory/arena.js";
export type { AverageState } from "./averages/average.js";
export { WeightAverage } from "./averages/weight-average.js";
export { WeightEma, type WeightEmaOptions } from "./averages/weight-ema.js";
export type { MemoryOptions, ThreadPool } from "./memory/memory-options.js";
export { Optimizer } from "./optimizer/optimizer.js";
export {
  type ClipGradAdaptiveOptions,
  type ClipGradNormOptions,
  type GradNormOptions,
  clipGradAdaptive,
  clipGradNorm,
  clipGradValue,
  gradNorm,
} from "./gradients/clip.js";
export { Lookahead, type LookaheadOptions, type LookaheadState } from "./averages/lookahead.js";
export { StepOptimizer } from "./optimizer/step-optimizer.js";
export type {
  GroupOptions,
  OptimizerOptions,
  ParamGroup,
  StepOptions,
  TensorName,
  TensorState,
} from "./optimizer/options.js";
export { ParameterDict } from "./memory/parameters.js";
export type { Shape, Values, Vector } from "./memory/tensor.js";
export type { SmallSlot, StateFormat } from "./state/small-formats.js";
export type { CommonOptions, Dialect, NonFinitePolicy, WholeOptions } from "./optimizer/rule.js";
export { AdaBelief, type AdaBeliefOptions } from "./rules/adabelief.js";
export { Adadelta, type AdadeltaOptions } from "./rules/adadelta.js";
export { Adagrad, type AdagradOptions } from "./rules/adagrad.js";
export { Adafactor, type AdafactorOptions } from "./rules/adafactor.js";
export { Adam, type AdamOptions, type AdamState } from "./rules/adam.js";
export { Adamax, type AdamaxOptions } from "./rules/adamax.js";
export { AdamW, type AdamWOptions } from "./rules/adamw.js";
export { Adan, type AdanOptions } from "./rules/adan.js";
export { AdEMAMix, type AdEMAMixOptions } from "./rules/ademamix.js";
export { ADOPT, type ADOPTOptions } from "./rules/adopt.js";
export { ASGD, type ASGDOptions } from "./rules/asgd.js";
export { Ftrl, type FtrlOptions } from "./rules/ftrl.js";
export { LAMB, type LAMBOptions } from "./rules/lamb.js";
export { LARS, type LARSOptions } from "./rules/lars.js";
export { LBFGS, type LBFGSOptions } from "./rules/lbfgs/lbfgs.js";
export { Lion, type LionOptions } from "./rules/lion.js";
export { MADGRAD, type MADGRADOptions } from "./rules/madgrad.js";
export { Muon, type MuonOptions } from "./rules/muon.js";
export { NAdam, type NAdamOptions } from "./rules/nadam.js";
export { NovoGrad, type NovoGradOptions } from "./rules/novograd.js";
export { Prodigy, type ProdigyOptions } from "./rules/prodigy.js";
export { RAdam, type RAdamOptions } from "./rules/radam.js";
export { RMSprop, type RMSpropOptions } from "./rules/rmsprop.js";
export { Rprop, type RpropOptions } from "./rules/rprop.js";
export { ScheduleFreeAdamW, type ScheduleFreeAdamWOptions } from "./rules/schedulefreeadamw.js";
export { type ScheduleFreeOptions, ScheduleFreeSGD, type ScheduleFreeSGDOptions } from "./rules/schedulefreesgd.js";
export { SGD, type SGDOptions } from "./rules/sgd.js";
export { Yogi, type YogiOptions } from "./rules/yogi.js";
export type { SavedTensor } from "./state/validation.js";
export type { OptimizerState, TensorStateDict } from "./state/state-dict.js";
