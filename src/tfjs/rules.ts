import type { ParameterDict } from "../memory/parameters.js";
import type { LBFGS } from "../rules/lbfgs/lbfgs.js";
import type { StepOptimizer } from "../optimizer/step-optimizer.js";
import * as all from "../index.js";

/** Options of each rule, by the name of its class in lower case, with the default learning rate in the default dialect. */
export interface RuleOptions {
  /** Of {@link all.AdaBelief | AdaBelief}: lr 1e-3. */
  adabelief: all.AdaBeliefOptions;
  /** Of {@link all.AdaBound | AdaBound}: lr 1e-3. */
  adabound: all.AdaBoundOptions;
  /** Of {@link all.Adadelta | Adadelta}: lr 1. */
  adadelta: all.AdadeltaOptions;
  /** Of {@link all.Adafactor | Adafactor}: lr 0.01. */
  adafactor: all.AdafactorOptions;
  /** Of {@link all.Adagrad | Adagrad}: lr 0.01. */
  adagrad: all.AdagradOptions;
  /** Of {@link all.Adam | Adam}: lr 1e-3. */
  adam: all.AdamOptions;
  /** Of {@link all.Adamax | Adamax}: lr 0.002. */
  adamax: all.AdamaxOptions;
  /** Of {@link all.AdamP | AdamP}: lr 1e-3. */
  adamp: all.AdamPOptions;
  /** Of {@link all.AdamW | AdamW}: lr 1e-3. */
  adamw: all.AdamWOptions;
  /** Of {@link all.Adan | Adan}: lr 1e-3. */
  adan: all.AdanOptions;
  /** Of {@link all.AdEMAMix | AdEMAMix}: lr 1e-3. */
  ademamix: all.AdEMAMixOptions;
  /** Of {@link all.ADOPT | ADOPT}: lr 1e-3. */
  adopt: all.ADOPTOptions;
  /** Of {@link all.ASGD | ASGD}: lr 0.01. */
  asgd: all.ASGDOptions;
  /** Of {@link all.DAdaptAdam | DAdaptAdam}: lr 1, which should not be changed. */
  dadaptadam: all.DAdaptAdamOptions;
  /** Of {@link all.Ftrl | Ftrl}: lr 1e-3. */
  ftrl: all.FtrlOptions;
  /** Of {@link all.LAMB | LAMB}: lr 1e-3. */
  lamb: all.LAMBOptions;
  /** Of {@link all.LaProp | LaProp}: lr 4e-4. */
  laprop: all.LaPropOptions;
  /** Of {@link all.LARS | LARS}: lr 1. */
  lars: all.LARSOptions;
  /** Of {@link all.LBFGS | LBFGS}: lr 1. For `minimize()` only, without `groups`, `clipNorm` and `gradScale`. */
  lbfgs: all.LBFGSOptions;
  /** Of {@link all.Lion | Lion}: lr 1e-4. */
  lion: all.LionOptions;
  /** Of {@link all.MADGRAD | MADGRAD}: lr 0.01. */
  madgrad: all.MADGRADOptions;
  /** Of {@link all.MARS | MARS}: lr 3e-3. */
  mars: all.MARSOptions;
  /** Of {@link all.Muon | Muon}: lr 1e-3. For matrices only. */
  muon: all.MuonOptions;
  /** Of {@link all.NAdam | NAdam}: lr 0.002. */
  nadam: all.NAdamOptions;
  /** Of {@link all.NovoGrad | NovoGrad}: lr 1e-3. */
  novograd: all.NovoGradOptions;
  /** Of {@link all.Prodigy | Prodigy}: lr 1, which should not be changed. */
  prodigy: all.ProdigyOptions;
  /** Of {@link all.RAdam | RAdam}: lr 1e-3. */
  radam: all.RAdamOptions;
  /** Of {@link all.RMSprop | RMSprop}: lr 0.01. */
  rmsprop: all.RMSpropOptions;
  /** Of {@link all.Rprop | Rprop}: lr 0.01. */
  rprop: all.RpropOptions;
  /** Of {@link all.ScheduleFreeAdamW | ScheduleFreeAdamW}: lr 0.0025. `optimizer.eval()` before evaluation. */
  schedulefreeadamw: all.ScheduleFreeAdamWOptions;
  /** Of {@link all.ScheduleFreeSGD | ScheduleFreeSGD}: lr 1. `optimizer.eval()` before evaluation. */
  schedulefreesgd: all.ScheduleFreeSGDOptions;
  /** Of {@link all.SGD | SGD}: lr 1e-3. */
  sgd: all.SGDOptions;
  /** Of {@link all.SGDP | SGDP}: lr must be given. */
  sgdp: all.SGDPOptions;
  /** Of {@link all.Signum | Signum}: lr 1e-3. */
  signum: all.SignumOptions;
  /** Of {@link all.StableAdamW | StableAdamW}: lr 1e-3. */
  stableadamw: all.StableAdamWOptions;
  /** Of {@link all.Yogi | Yogi}: lr 1e-3. */
  yogi: all.YogiOptions;
}

/** The name of a rule's class in lower case. */
export type RuleName = keyof RuleOptions;

/** The optimizer that steps the copies of the variables. */
export type Inner = StepOptimizer<object> | LBFGS;

/** Every rule's class, by {@link RuleName}. */
export const rules = {
  adabelief: all.AdaBelief,
  adabound: all.AdaBound,
  adadelta: all.Adadelta,
  adafactor: all.Adafactor,
  adagrad: all.Adagrad,
  adam: all.Adam,
  adamax: all.Adamax,
  adamp: all.AdamP,
  adamw: all.AdamW,
  adan: all.Adan,
  ademamix: all.AdEMAMix,
  adopt: all.ADOPT,
  asgd: all.ASGD,
  dadaptadam: all.DAdaptAdam,
  ftrl: all.Ftrl,
  lamb: all.LAMB,
  laprop: all.LaProp,
  lars: all.LARS,
  lbfgs: all.LBFGS,
  lion: all.Lion,
  madgrad: all.MADGRAD,
  mars: all.MARS,
  muon: all.Muon,
  nadam: all.NAdam,
  novograd: all.NovoGrad,
  prodigy: all.Prodigy,
  radam: all.RAdam,
  rmsprop: all.RMSprop,
  rprop: all.Rprop,
  schedulefreeadamw: all.ScheduleFreeAdamW,
  schedulefreesgd: all.ScheduleFreeSGD,
  sgd: all.SGD,
  sgdp: all.SGDP,
  signum: all.Signum,
  stableadamw: all.StableAdamW,
  yogi: all.Yogi,
} as unknown as Readonly<Record<RuleName, new (params: ParameterDict, options: object) => Inner>>;
