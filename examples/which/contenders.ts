// Who takes part: every rule of the library, and what else there is around a rule.
import * as gradstep from "gradstep";
import { AdamW, LARS, LBFGS, Lion, type ParameterDict, SAM, SGD, type StepOptions } from "gradstep";
import { type AnyOptimizer, type RuleName, makeOptimizers, ruleNames, slotsOf } from "../mnist/all-rules.ts";

/** A rule at work on a network. */
export interface Stepper {
  /** Whose learning rates a schedule moves. */
  readonly optimizers: readonly AnyOptimizer[];
  /** One step; `closure` fills the gradients and returns the loss. Returns the loss before the step. */
  step(closure: () => number): number;
}

interface Contender {
  /** What the table and the chart call it. */
  readonly label: string;
  /** Its section in docs/rules.md, or another page. */
  readonly link: string;
  /** How many gradients it computes for one step, at most. */
  readonly gradients: number;
  /** Whether it takes the place of a schedule. */
  readonly scheduleFree: boolean;
  /** Room for its state, where the network's default does not do. */
  readonly slots?: number | undefined;
  readonly make: (params: ParameterDict, lr: number, clipNorm: number | undefined) => Stepper;
}

const momentum = 0.9;

/** A step with each of the optimizers, which have different tensors of the same network. */
function stepAll(optimizers: readonly AnyOptimizer[], clipNorm: number | undefined): Stepper {
  const options: StepOptions = clipNorm === undefined ? {} : { clipNorm };
  const step = (closure: () => number): number => {
    const [first] = optimizers;
    if (first instanceof LBFGS) return first.step(closure);
    const loss = closure();
    for (const optimizer of optimizers) if (!(optimizer instanceof LBFGS)) optimizer.step(options);
    return loss;
  };
  return { optimizers, step };
}

const classes = Object.keys(gradstep);
/** The name of a rule's class, which is its heading in docs/rules.md, too. */
const classOf = (name: RuleName): string => classes.find((one) => one.toLowerCase() === name) ?? "SGD";

const labels: Partial<Record<RuleName, string>> = {
  momentum: "SGD, momentum",
  nesterov: "SGD, Nesterov",
  muon: "Muon with AdamW",
};

function ofRule(name: RuleName): Contender {
  return {
    label: labels[name] ?? classOf(name),
    link: `rules.md#${classOf(name).toLowerCase()}`,
    gradients: name === "lbfgs" ? 5 : 1,
    scheduleFree: name.startsWith("schedulefree"),
    slots: slotsOf(name),
    make: (params, lr, clipNorm) => stepAll(makeOptimizers(name, params, { lr, dialect: "torch" }), clipNorm),
  };
}

const rules = Object.fromEntries(ruleNames.map((name) => [name, ofRule(name)])) as Record<RuleName, Contender>;

/** By name. */
export const contenders = {
  ...rules,
  lars: {
    ...rules.lars,
    label: "LARS, momentum",
    make: (params, lr, clipNorm) => stepAll([new LARS(params, { lr, momentum, weightDecay: 1e-4 })], clipNorm), // SGD without decay
  },
  "adamw-cautious": {
    ...rules.adamw,
    label: "AdamW, cautious",
    make: (params, lr, clipNorm) => stepAll([new AdamW(params, { lr, cautious: true })], clipNorm),
  },
  "lion-cautious": {
    ...rules.lion,
    label: "Lion, cautious",
    make: (params, lr, clipNorm) => stepAll([new Lion(params, { lr, cautious: true })], clipNorm),
  },
  sam: {
    ...rules.momentum,
    label: "SAM, momentum",
    link: "recipes.md#a-flat-minimum-sam",
    gradients: 2,
    make: (params, lr, clipNorm) => {
      const optimizer = new SGD(params, { lr, momentum });
      const sam = new SAM(optimizer);
      const options: StepOptions = clipNorm === undefined ? {} : { clipNorm };
      return { optimizers: [optimizer], step: (closure) => sam.step(closure, options) };
    },
  },
} satisfies Record<string, Contender>;

export type ContenderName = keyof typeof contenders;
export const contenderNames = Object.keys(contenders) as ContenderName[];
export const contender = (name: ContenderName): Contender => contenders[name];
