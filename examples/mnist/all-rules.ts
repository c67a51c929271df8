import {
  ADOPT,
  ASGD,
  AdEMAMix,
  AdaBelief,
  AdaBound,
  Adafactor,
  AdamP,
  AdamW,
  Adamax,
  Adan,
  DAdaptAdam,
  type Dialect,
  Ftrl,
  LAMB,
  LARS,
  LBFGS,
  LaProp,
  Lion,
  MADGRAD,
  MARS,
  Muon,
  NovoGrad,
  ParameterDict,
  Prodigy,
  RAdam,
  Rprop,
  SGDP,
  ScheduleFreeAdamW,
  ScheduleFreeSGD,
  Signum,
  StableAdamW,
  type StepOptimizer,
  Yogi,
} from "gradstep";
import { UserError, asUsage } from "../command/errors.ts";
import { type RuleName as Common, type RuleOptions, rules } from "./rules.ts";

/** What a rule is made with. */
type Given = RuleOptions & { readonly lr: number };

interface RuleOnOffer {
  /** A learning rate that suits MNIST in batches of 64. */
  readonly lr: number;
  readonly hasBetas?: true;
  /** Room for its state, as the network takes it. */
  readonly slots?: number;
  /** Optimizers of all the tensors together: one, but for a rule that does not take all shapes. */
  readonly make: (params: ParameterDict, options: Given) => AnyOptimizer[];
}

/** An optimizer of the command: LBFGS takes a closure in each step, the others none. */
export type AnyOptimizer = StepOptimizer | LBFGS;

const hasBetas = true;

/** Muon, which is for matrices, with AdamW for all others: biases, convolutions, normalization. */
function muon(params: ParameterDict, { lr, dialect }: Given): AnyOptimizer[] {
  const names = Object.keys(params.data);
  const of = (matrix: boolean) => params.subset(names.filter((name) => (params.shapes[name].length === 2) === matrix));
  return [new Muon(of(true), { lr, dialect }), new AdamW(of(false), { lr: lr / 10, dialect })];
}

const common = Object.fromEntries(
  Object.entries(rules).map(([name, { make, ...rest }]): [string, RuleOnOffer] => [
    name,
    { ...rest, make: (params, options) => [make(params, options)] },
  ]),
) as Record<Common, RuleOnOffer>;

/** All the rules that gradstep has: optimizers, and a learning rate for MNIST. */
export const allRules = {
  ...common,
  adamax: { lr: 0.005, hasBetas, make: (p, o) => [new Adamax(p, o)] },
  radam: { lr: 0.002, hasBetas, make: (p, o) => [new RAdam(p, o)] },
  adabelief: { lr: 0.001, hasBetas, make: (p, o) => [new AdaBelief(p, o)] },
  yogi: { lr: 0.005, hasBetas, make: (p, o) => [new Yogi(p, o)] },
  adopt: { lr: 0.001, hasBetas, make: (p, o) => [new ADOPT(p, o)] },
  lion: { lr: 0.0003, hasBetas, make: (p, o) => [new Lion(p, o)] },
  lamb: { lr: 0.01, hasBetas, make: (p, o) => [new LAMB(p, o)] },
  novograd: { lr: 0.03, hasBetas, make: (p, o) => [new NovoGrad(p, o)] },
  prodigy: { lr: 1, hasBetas, make: (p, o) => [new Prodigy(p, o)] },
  laprop: { lr: 0.001, hasBetas, make: (p, o) => [new LaProp(p, o)] },
  mars: { lr: 0.003, hasBetas, make: (p, o) => [new MARS(p, o)] },
  adamp: { lr: 0.001, hasBetas, make: (p, o) => [new AdamP(p, o)] },
  stableadamw: { lr: 0.001, hasBetas, make: (p, o) => [new StableAdamW(p, o)] },
  adabound: { lr: 0.001, hasBetas, make: (p, o) => [new AdaBound(p, o)] },
  dadaptadam: { lr: 1, hasBetas, make: (p, o) => [new DAdaptAdam(p, o)] },
  schedulefreeadamw: { lr: 0.003, hasBetas, make: (p, o) => [new ScheduleFreeAdamW(p, o)] },
  schedulefreesgd: { lr: 1, make: (p, o) => [new ScheduleFreeSGD(p, o)] },
  adan: { lr: 0.003, make: (p, { lr, dialect }) => [new Adan(p, { lr, dialect })] },
  ademamix: { lr: 0.001, make: (p, { lr, dialect }) => [new AdEMAMix(p, { lr, dialect })] },
  adafactor: { lr: 0.03, make: (p, o) => [new Adafactor(p, o)] },
  asgd: { lr: 0.5, make: (p, o) => [new ASGD(p, o)] },
  ftrl: { lr: 0.05, make: (p, o) => [new Ftrl(p, o)] },
  lars: { lr: 1, make: (p, o) => [new LARS(p, o)] },
  lbfgs: { lr: 0.1, slots: 16, make: (p, o) => [new LBFGS(p, { ...o, maxIter: 4, historySize: 5 })] },
  madgrad: { lr: 0.002, make: (p, o) => [new MADGRAD(p, o)] },
  muon: { lr: 0.02, make: muon },
  sgdp: { lr: 0.05, make: (p, o) => [new SGDP(p, { ...o, momentum: 0.9 })] },
  signum: { lr: 0.0003, make: (p, o) => [new Signum(p, o)] },
  rprop: { lr: 0.0005, make: (p, o) => [new Rprop(p, o)] },
} satisfies Record<string, RuleOnOffer>;

export type RuleName = keyof typeof allRules;
export const ruleNames = Object.keys(allRules) as RuleName[];
const offer = (name: RuleName): RuleOnOffer => allRules[name];

export const takesBetas = (name: RuleName): boolean => offer(name).hasBetas === true;

/** The rule's optimizers. Betas are left out where the rule has none. */
export function makeOptimizers(name: RuleName, params: ParameterDict, given: RuleOptions): AnyOptimizer[] {
  const { lr, make } = offer(name);
  const options = { lr: given.lr ?? lr, dialect: given.dialect };
  return make(params, given.betas !== undefined && takesBetas(name) ? { ...options, betas: given.betas } : options);
}

/** Room that the rule needs for its state, where the network's default does not do. */
export const slotsOf = (name: RuleName): number | undefined => offer(name).slots;

/** The options that a rule comes to, defaults filled in. */
export interface SettledRule {
  readonly rule: RuleName;
  readonly lr: number;
  readonly betas?: readonly [number, number];
  readonly dialect: Dialect;
}

/**
 * Checks the options of rules, before any file is read.
 * @throws UserError for a value that a rule refuses, and for betas that none of them has.
 */
export function settleRules(names: readonly RuleName[], options: RuleOptions): SettledRule[] {
  if (options.betas !== undefined && !names.some(takesBetas))
    throw new UserError(
      `--betas is for ${ruleNames.filter(takesBetas).join(", ")}; ${names.join(", ")} ${names.length > 1 ? "have" : "has"} none`,
      2,
    );
  return names.map((rule) =>
    asUsage(() => {
      const params = new ParameterDict({ weight: [1, 1], bias: [1] }, { slots: slotsOf(rule) });
      const optimizers = makeOptimizers(rule, params, options);
      const { lr, dialect, ...others } = optimizers[0].paramGroups[0];
      const betas = "betas" in others ? { betas: others.betas as readonly [number, number] } : {};
      for (const optimizer of optimizers) optimizer.dispose();
      params.dispose();
      return { rule, lr, ...betas, dialect };
    }),
  );
}
