import type { ParameterDict } from "../parameters.js";
import type { LBFGS } from "../rules/lbfgs.js";
import type { StepOptimizer } from "../optimizer.js";
import * as all from "../index.js";

/** Options of each rule, by the name of its class in lower case. */
export interface RuleOptions {
  adabelief: all.AdaBeliefOptions;
  adadelta: all.AdadeltaOptions;
  adafactor: all.AdafactorOptions;
  adagrad: all.AdagradOptions;
  adam: all.AdamOptions;
  adamax: all.AdamaxOptions;
  adamw: all.AdamWOptions;
  adan: all.AdanOptions;
  ademamix: all.AdEMAMixOptions;
  adopt: all.ADOPTOptions;
  asgd: all.ASGDOptions;
  ftrl: all.FtrlOptions;
  lamb: all.LAMBOptions;
  lars: all.LARSOptions;
  lbfgs: all.LBFGSOptions;
  lion: all.LionOptions;
  madgrad: all.MADGRADOptions;
  muon: all.MuonOptions;
  nadam: all.NAdamOptions;
  novograd: all.NovoGradOptions;
  prodigy: all.ProdigyOptions;
  radam: all.RAdamOptions;
  rmsprop: all.RMSpropOptions;
  rprop: all.RpropOptions;
  schedulefreeadamw: all.ScheduleFreeAdamWOptions;
  schedulefreesgd: all.ScheduleFreeSGDOptions;
  sgd: all.SGDOptions;
  yogi: all.YogiOptions;
}

/** A rule's name: that of its class in lower case. */
export type RuleName = keyof RuleOptions;

/** An optimizer over the copies of the variables. */
export type Inner = StepOptimizer<object> | LBFGS;

/** Every rule's class, by its name in lower case. */
export const rules = {
  adabelief: all.AdaBelief,
  adadelta: all.Adadelta,
  adafactor: all.Adafactor,
  adagrad: all.Adagrad,
  adam: all.Adam,
  adamax: all.Adamax,
  adamw: all.AdamW,
  adan: all.Adan,
  ademamix: all.AdEMAMix,
  adopt: all.ADOPT,
  asgd: all.ASGD,
  ftrl: all.Ftrl,
  lamb: all.LAMB,
  lars: all.LARS,
  lbfgs: all.LBFGS,
  lion: all.Lion,
  madgrad: all.MADGRAD,
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
  yogi: all.Yogi,
} as unknown as Readonly<Record<RuleName, new (params: ParameterDict, options: object) => Inner>>;
