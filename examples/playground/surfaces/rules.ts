// The rules to choose from: every optimizer of gradstep, with its main hyper-parameters.
import * as gradstep from "gradstep";
import type { ParameterDict, StepOptimizer } from "gradstep";
import { type Knob, beta, decayRate, linear, log, momentum, weightDecay } from "./knobs.ts";

/** An optimizer as a race drives it: `closure` fills the gradients and gives the loss. */
export interface Runner {
  step(closure: () => number): void;
  dispose(): void;
}

/** A rule on offer. */
export interface RuleOnOffer {
  readonly label: string;
  /** The class that it is, for a test that none is missing. */
  readonly className: string;
  /** Its sliders beside that of the learning rate. */
  readonly knobs: readonly Knob[];
  make(params: ParameterDict, options: object): Runner;
}

type Maker = new (params: ParameterDict, options: never) => StepOptimizer;

function offer(className: keyof typeof gradstep, knobs: readonly Knob[], label: string = className, fixed = {}) {
  const Rule = gradstep[className] as unknown as Maker;
  const make = (params: ParameterDict, options: object): Runner => {
    const optimizer = new Rule(params, { ...fixed, ...options } as never);
    return {
      step(closure) {
        closure();
        optimizer.step();
      },
      dispose: () => optimizer.dispose(),
    };
  };
  return { label, className, knobs, make } satisfies RuleOnOffer;
}

/** A step is one iteration with a line search: it may evaluate the surface more than once. */
const lbfgs: RuleOnOffer = {
  label: "LBFGS",
  className: "LBFGS",
  knobs: [],
  make(params, options) {
    const optimizer = new gradstep.LBFGS(params, {
      ...{ maxIter: 1, maxEval: 25, historySize: 5, lineSearch: "strong-wolfe" },
      ...options,
    });
    return { step: (closure) => void optimizer.step(closure), dispose: () => optimizer.dispose() };
  },
};

const betas = [beta(1, 0.9), beta(2, 0.999)] as const;

export const rules = {
  sgd: offer("SGD", [weightDecay()]),
  momentum: offer("SGD", [momentum()], "SGD, momentum"),
  nesterov: offer("SGD", [momentum()], "SGD, Nesterov", { nesterov: true }),
  ema: offer("SGD", [momentum()], "SGD, moving average", { momentumForm: "ema", biasCorrection: true }),
  adagrad: offer("Adagrad", [log("eps", "ε", 1e-10, 1, 1e-10)]),
  adadelta: offer("Adadelta", [decayRate("rho", "ρ", 0.9), log("eps", "ε", 1e-10, 1e-2, 1e-6)]),
  rmsprop: offer("RMSprop", [decayRate("alpha", "α", 0.99), momentum(0)]),
  adam: offer("Adam", [...betas, log("eps", "ε", 1e-10, 1, 1e-8)]),
  amsgrad: offer("Adam", betas, "Adam, AMSGrad", { amsgrad: true }),
  adamw: offer("AdamW", [...betas, weightDecay(0.01)]),
  adamp: offer("AdamP", [...betas, log("delta", "δ", 1e-2, 10, 0.1)]),
  adamax: offer("Adamax", betas),
  nadam: offer("NAdam", [...betas, log("momentumDecay", "momentum decay", 1e-4, 1, 4e-3)]),
  radam: offer("RAdam", betas),
  adabelief: offer("AdaBelief", betas),
  yogi: offer("Yogi", betas),
  adopt: offer("ADOPT", [beta(1, 0.9), beta(2, 0.9999)]),
  ademamix: offer("AdEMAMix", [beta(1, 0.9), beta(2, 0.999), beta(3, 0.9999), linear("alpha", "α", 0, 10, 5)]),
  adan: offer("Adan", [beta(1, 0.98), beta(2, 0.92), beta(3, 0.99)]),
  laprop: offer("LaProp", [...betas, weightDecay()]),
  mars: offer("MARS", [beta(1, 0.9), beta(2, 0.99), linear("gamma", "γ", 0, 1, 0.025)]),
  stableAdamw: offer("StableAdamW", [beta(1, 0.9), beta(2, 0.99), weightDecay(0.01)]),
  adabound: offer("AdaBound", [...betas, log("finalLr", "final lr", 1e-3, 1, 0.1)]),
  madgrad: offer("MADGRAD", [momentum()]),
  ftrl: offer("Ftrl", [log("initialAccumulatorValue", "first accumulator", 1e-3, 10, 0.1)]),
  lion: offer("Lion", [beta(1, 0.9), beta(2, 0.99)]),
  signum: offer("Signum", [momentum()]),
  asgd: offer("ASGD", [linear("alpha", "α", 0, 1, 0.75), log("lambd", "λ", 1e-6, 1, 1e-4)]),
  rprop: offer("Rprop", [linear("etas.0", "η−", 0.1, 0.9, 0.5), linear("etas.1", "η+", 1.05, 2, 1.2)]),
  lamb: offer("LAMB", [...betas, weightDecay()]),
  lars: offer("LARS", [momentum(), log("trustCoefficient", "trust", 1e-4, 1, 1e-3), weightDecay(0.001)]),
  sgdp: offer("SGDP", [momentum(), log("delta", "δ", 1e-2, 10, 0.1)]),
  novograd: offer("NovoGrad", [beta(1, 0.9), beta(2, 0.25)]),
  adafactor: offer("Adafactor", [linear("d", "clipping d", 0.1, 4, 1)]),
  muon: offer("Muon", [momentum(0.95), weightDecay()]),
  prodigy: offer("Prodigy", [...betas, log("d0", "d₀", 1e-6, 1, 1e-3)]),
  dadaptAdam: offer("DAdaptAdam", [...betas, log("d0", "d₀", 1e-6, 1, 1e-3)]),
  scheduleFreeSgd: offer("ScheduleFreeSGD", [momentum()]),
  scheduleFreeAdamw: offer("ScheduleFreeAdamW", [...betas, weightDecay()]),
  lbfgs,
} as const satisfies Record<string, RuleOnOffer>;
export type RuleKey = keyof typeof rules;
export const ruleKeys = Object.keys(rules) as RuleKey[];

/** Those that a person meets first: few, and of every kind. */
export const FIRST_RULES: readonly RuleKey[] = ["sgd", "momentum", "adagrad", "rmsprop", "adam", "lion", "lbfgs"];
