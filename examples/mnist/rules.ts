import {
  Adadelta,
  Adagrad,
  Adam,
  AdamW,
  type Dialect,
  NAdam,
  ParameterDict,
  RMSprop,
  SGD,
  type StepOptimizer,
} from "gradstep";

/** What the command line says about a rule. */
export interface RuleOptions {
  readonly lr?: number | undefined;
  readonly betas?: readonly [number, number] | undefined;
  readonly dialect: Dialect;
}

interface RuleOnOffer {
  /** What `--help` says. */
  readonly about: string;
  /** A learning rate that suits MNIST in batches of 64. */
  readonly lr: number;
  readonly hasBetas?: true;
  readonly make: (params: ParameterDict, options: RuleOptions) => StepOptimizer;
}

const momentum = 0.9;

/** The common rules: name, class, options, and a learning rate for MNIST. */
export const rules = {
  sgd: { about: "SGD", lr: 0.2, make: (p, o) => new SGD(p, o) },
  momentum: { about: "SGD, momentum 0.9", lr: 0.05, make: (p, o) => new SGD(p, { ...o, momentum }) },
  nesterov: {
    about: "SGD, Nesterov's momentum 0.9",
    lr: 0.05,
    make: (p, o) => new SGD(p, { ...o, momentum, nesterov: true }),
  },
  adagrad: { about: "Adagrad", lr: 0.05, make: (p, o) => new Adagrad(p, o) },
  adadelta: { about: "Adadelta", lr: 1, make: (p, o) => new Adadelta(p, o) },
  rmsprop: { about: "RMSprop", lr: 0.001, make: (p, o) => new RMSprop(p, o) },
  adam: { about: "Adam", lr: 0.001, hasBetas: true, make: (p, o) => new Adam(p, o) },
  adamw: { about: "AdamW", lr: 0.001, hasBetas: true, make: (p, o) => new AdamW(p, o) },
  nadam: { about: "NAdam", lr: 0.001, hasBetas: true, make: (p, o) => new NAdam(p, o) },
} as const satisfies Record<string, RuleOnOffer>;

export type RuleName = keyof typeof rules;
export const ruleNames = Object.keys(rules) as RuleName[];
const offer = (name: RuleName): RuleOnOffer => rules[name];

export const hasBetas = (name: RuleName): boolean => offer(name).hasBetas === true;

/** The rule's optimizer. Betas are left out where the rule has none. */
export function makeOptimizer(name: RuleName, params: ParameterDict, given: RuleOptions): StepOptimizer {
  const { lr, make } = offer(name);
  const options = { lr: given.lr ?? lr, dialect: given.dialect };
  return make(params, given.betas !== undefined && hasBetas(name) ? { ...options, betas: given.betas } : options);
}
