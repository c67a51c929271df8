/**
 * Parameters, optimizers, clipping and averages of parameters. Tensors are float32, row-major, in one memory that the
 * kernels read; `data`, `grad` and an optimizer's `state()` are views of it.
 *
 * A wrong type throws a `TypeError` and a wrong value a `RangeError`, such as
 * `Adam: "betas[0]" expected a number in [0, 1), got 1.5`; use after dispose() throws an `Error`. A call that throws changes
 * nothing.
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
export { centralizeGradients } from "./gradients/centralize.js";
export { SAM } from "./gradients/sam.js";
export type { SAMFirstStepOptions, SAMOptions, SAMState } from "./gradients/sam-options.js";
export { Lookahead, type LookaheadOptions, type LookaheadState } from "./averages/lookahead.js";
export { StepOptimizer } from "./optimizer/step-optimizer.js";
export type {
  GroupOptions,
  GroupPredicate,
  OptimizerOptions,
  ParamGroup,
  StepOptions,
  TensorName,
  TensorState,
} from "./optimizer/options.js";
export { ParameterDict } from "./memory/parameters.js";
export {
  type KaimingOptions,
  type Nonlinearity,
  type NormalOptions,
  type TruncNormalOptions,
  type UniformOptions,
  type XavierOptions,
  calculateGain,
  kaimingNormal,
  kaimingUniform,
  normal,
  truncNormal,
  uniform,
  xavierNormal,
  xavierUniform,
} from "./init/initializers.js";
export { type NumericalGradientOptions, numericalGradient } from "./gradients/numerical.js";
export { fromJSON, toJSON } from "./state/json-text.js";
export { Random } from "./init/random.js";
export type { Shape, Values, Vector } from "./memory/tensor.js";
export type { SmallSlot, StateFormat } from "./state/small-formats.js";
export type { CommonOptions, Dialect, NonFinitePolicy, WholeOptions } from "./optimizer/rule.js";
export { AdaBelief, type AdaBeliefOptions, type AdaBeliefState } from "./rules/adabelief.js";
export { AdaBound, type AdaBoundOptions, type AdaBoundState } from "./rules/adabound.js";
export { Adadelta, type AdadeltaOptions, type AdadeltaState } from "./rules/adadelta.js";
export { Adagrad, type AdagradOptions, type AdagradState } from "./rules/adagrad.js";
export { Adafactor, type AdafactorOptions, type AdafactorState } from "./rules/adafactor.js";
export { Adam, type AdamOptions, type AdamState } from "./rules/adam.js";
export { Adamax, type AdamaxOptions, type AdamaxState } from "./rules/adamax.js";
export { AdamP, type AdamPOptions, type AdamPState } from "./rules/adamp.js";
export { AdamW, type AdamWOptions, type AdamWState } from "./rules/adamw.js";
export { Adan, type AdanOptions, type AdanState } from "./rules/adan.js";
export { AdEMAMix, type AdEMAMixOptions, type AdEMAMixState } from "./rules/ademamix.js";
export { ADOPT, type ADOPTOptions, type ADOPTState } from "./rules/adopt.js";
export { ASGD, type ASGDOptions, type ASGDState } from "./rules/asgd.js";
export type { CautiousOptions } from "./rules/cautious.js";
export { DAdaptAdam, type DAdaptAdamOptions, type DAdaptAdamState } from "./rules/dadaptadam.js";
export { Ftrl, type FtrlOptions, type FtrlState } from "./rules/ftrl.js";
export { LAMB, type LAMBOptions, type LAMBState } from "./rules/lamb.js";
export { LaProp, type LaPropOptions, type LaPropState } from "./rules/laprop.js";
export { LARS, type LARSOptions, type LARSState } from "./rules/lars.js";
export { LBFGS } from "./rules/lbfgs/lbfgs.js";
export type { LBFGSOptions, LBFGSState } from "./rules/lbfgs/options.js";
export { Lion, type LionOptions, type LionState } from "./rules/lion.js";
export { MADGRAD, type MADGRADOptions, type MADGRADState } from "./rules/madgrad.js";
export { MARS, type MARSOptions, type MARSState } from "./rules/mars.js";
export { Muon, type MuonOptions, type MuonState } from "./rules/muon.js";
export { NAdam, type NAdamOptions, type NAdamState } from "./rules/nadam.js";
export { NovoGrad, type NovoGradOptions, type NovoGradState } from "./rules/novograd.js";
export { Prodigy, type ProdigyOptions, type ProdigyState } from "./rules/prodigy.js";
export { RAdam, type RAdamOptions, type RAdamState } from "./rules/radam.js";
export { RMSprop, type RMSpropOptions, type RMSpropState } from "./rules/rmsprop.js";
export { Rprop, type RpropOptions, type RpropState } from "./rules/rprop.js";
export {
  ScheduleFreeAdamW,
  type ScheduleFreeAdamWOptions,
  type ScheduleFreeAdamWState,
} from "./rules/schedulefreeadamw.js";
export {
  type ScheduleFreeOptions,
  ScheduleFreeSGD,
  type ScheduleFreeSGDOptions,
  type ScheduleFreeSGDState,
} from "./rules/schedulefreesgd.js";
export { SGD, type SGDOptions, type SGDState } from "./rules/sgd.js";
export type { ProjectionOptions } from "./rules/projection.js";
export { SGDP, type SGDPOptions, type SGDPState } from "./rules/sgdp.js";
export { Signum, type SignumOptions, type SignumState } from "./rules/signum.js";
export { StableAdamW, type StableAdamWOptions, type StableAdamWState } from "./rules/stableadamw.js";
export { Yogi, type YogiOptions, type YogiState } from "./rules/yogi.js";
export type { SavedTensor } from "./state/validation.js";
export type { OptimizerState, TensorStateDict } from "./state/state-dict.js";
