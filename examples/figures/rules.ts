import { Adadelta, Adagrad, Adam, AdamW, NAdam, type ParameterDict, RMSprop, SGD, type StepOptimizer } from "gradstep";
import type { SurfaceKey } from "./surfaces.ts";
import { hue, inks } from "./theme.ts";

/** What a descent needs of an optimizer. */
export type Stepper = Pick<StepOptimizer, "step" | "dispose">;

/** A rule as the pictures show it: everywhere the same name, colour and dash. */
export interface FigureRule {
  readonly label: string;
  readonly family: (typeof families)[number];
  /** On a light page; the names beside the curves tell them apart for all readers. */
  readonly colour: string;
  /** SVG's stroke-dasharray, for a rule whose path runs on top of another's. */
  readonly dash?: string;
  /** By hand from a 1-2-3-5-7 grid: quick, yet inside the frame. All other options keep PyTorch's defaults. */
  readonly lr: Readonly<Record<SurfaceKey, number>>;
  make(params: ParameterDict, lr: number): Stepper;
}

/** The two families, drawn side by side. */
export const families = ["momentum", "adaptive"] as const;
export const familyTitles = {
  momentum: "One rate for all parameters",
  adaptive: "A step size for each parameter",
} as const;

const momentum = 0.9;

export const rules: readonly FigureRule[] = [
  {
    label: "SGD",
    family: "momentum",
    colour: inks.ink,
    lr: { quadratic: 0.07, rosenbrock: 0.002, beale: 0.02 },
    make: (params, lr) => new SGD(params, { lr }),
  },
  {
    label: "Momentum 0.9",
    family: "momentum",
    colour: hue("amber"),
    lr: { quadratic: 0.01, rosenbrock: 0.001, beale: 0.002 },
    make: (params, lr) => new SGD(params, { lr, momentum }),
  },
  {
    label: "Nesterov 0.9",
    family: "momentum",
    colour: hue("blue"),
    lr: { quadratic: 0.01, rosenbrock: 0.001, beale: 0.002 },
    make: (params, lr) => new SGD(params, { lr, momentum, nesterov: true }),
  },
  {
    label: "EMA 0.9",
    family: "momentum",
    colour: hue("magenta"),
    dash: "5 3",
    lr: { quadratic: 0.05, rosenbrock: 0.002, beale: 0.01 },
    make: (params, lr) => new SGD(params, { lr, momentum, momentumForm: "ema", biasCorrection: true }),
  },
  {
    label: "Adagrad",
    family: "adaptive",
    colour: hue("red"),
    lr: { quadratic: 1, rosenbrock: 0.5, beale: 1 },
    make: (params, lr) => new Adagrad(params, { lr }),
  },
  {
    label: "Adadelta",
    family: "adaptive",
    colour: hue("teal"),
    lr: { quadratic: 50, rosenbrock: 0.5, beale: 2 },
    make: (params, lr) => new Adadelta(params, { lr }),
  },
  {
    label: "RMSprop",
    family: "adaptive",
    colour: hue("sky"),
    lr: { quadratic: 0.2, rosenbrock: 0.01, beale: 0.03 },
    make: (params, lr) => new RMSprop(params, { lr }),
  },
  {
    label: "Adam",
    family: "adaptive",
    colour: hue("wine"),
    lr: { quadratic: 0.5, rosenbrock: 0.1, beale: 0.2 },
    make: (params, lr) => new Adam(params, { lr }),
  },
  {
    label: "AdamW",
    family: "adaptive",
    colour: hue("olive"),
    dash: "5 3",
    lr: { quadratic: 0.5, rosenbrock: 0.1, beale: 0.2 },
    make: (params, lr) => new AdamW(params, { lr }),
  },
  {
    label: "NAdam",
    family: "adaptive",
    colour: hue("violet"),
    lr: { quadratic: 0.5, rosenbrock: 0.05, beale: 0.2 },
    make: (params, lr) => new NAdam(params, { lr }),
  },
];

/** The rule of a label. */
export function ruleOf(label: string): FigureRule {
  const rule = rules.find((r) => r.label === label);
  if (rule === undefined) throw new RangeError(`no rule "${label}" among ${rules.map((r) => r.label).join(", ")}`);
  return rule;
}
