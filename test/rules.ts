// The table: a row per rule. Every property in test/ is driven by it, and a kernel without a row fails.
import * as gradstep from "../src/index.js";
import type { Kernels } from "../src/kernels.js";
import * as classic from "./reference/classic.js";
import type { Settled, Update } from "./reference/common.js";

export type Options = Record<string, unknown>;
type Bad = [options: Options, error: ErrorConstructor, message: RegExp];

export interface Row {
  readonly rule: string;
  readonly kernel: keyof Kernels;
  readonly update: Update;
  /** Each way through the kernel, in the dialects that have it. */
  readonly variants: readonly Options[];
  /** Start values that are not 0. */
  readonly start?: (o: Settled) => Record<string, number>;
  /** Options of the rule's own that must be refused. */
  readonly bad: readonly Bad[];
  /** Options that are settled at the start, with a value for a live optimizer to refuse. */
  readonly fixed: Options;
}

const dialects = (...variants: Options[]): Options[] =>
  variants.flatMap((options) => [options, { ...options, dialect: "keras" }]);
const badBetas: Bad[] = [
  [{ betas: [1.5, 0.9] }, RangeError, /"betas\[0\]" expected a number in \[0, 1\), got 1.5/],
  [{ betas: [0.9, 1] }, RangeError, /"betas\[1\]" expected a number in \[0, 1\), got 1$/],
  [{ betas: [0.9, "0.999"] }, TypeError, /"betas\[1\]" expected a number in \[0, 1\), got "0.999"/],
  [{ betas: [NaN, 0.9] }, RangeError, /"betas\[0\]" expected .* got NaN/],
  [{ betas: [0.9] }, RangeError, /"betas" expected an array of two numbers, got \[0.9\]/],
  [{ betas: 0.9 }, TypeError, /"betas" expected an array of two numbers, got 0.9/],
];
const badEps: Bad[] = [
  [{ eps: -1e-8 }, RangeError, /"eps" expected a finite number >= 0, got -1e-8/],
  [{ eps: "1e-8" }, TypeError, /"eps" expected a finite number >= 0, got "1e-8"/],
];

export const rows: readonly Row[] = [
  {
    rule: "SGD",
    kernel: "sgd",
    update: classic.sgd,
    variants: [
      ...dialects({ lr: 0.1 }, { lr: 0.1, momentum: 0.9 }, { lr: 0.1, momentum: 0.9, nesterov: true }),
      { lr: 0.1, momentum: 0.9, dampening: 0.3 },
      ...dialects(
        { lr: 0.1, momentum: 0.9, momentumForm: "ema" },
        { lr: 0.1, momentum: 0.9, momentumForm: "ema", biasCorrection: true },
      ),
    ],
    bad: [
      [{ momentum: -0.1 }, RangeError, /"momentum" expected a finite number >= 0, got -0.1/],
      [{ dampening: NaN }, RangeError, /"dampening" expected a finite number, got NaN/],
      [{ nesterov: true }, RangeError, /"nesterov" expected false unless there is a momentum/],
      [{ nesterov: "yes", momentum: 0.9 }, TypeError, /"nesterov" expected true or false, got "yes"/],
      [{ nesterov: true, momentum: 0.9, dampening: 0.1 }, RangeError, /"dampening" expected nothing but 0/],
      [{ momentumForm: "polyak" }, RangeError, /"momentumForm" expected one of "torch", "ema", got "polyak"/],
      [{ momentumForm: "ema", momentum: 1 }, RangeError, /"momentum" expected a number in \[0, 1\)/],
      [{ biasCorrection: true, momentum: 0.9 }, RangeError, /"biasCorrection" expected false unless/],
    ],
    fixed: { momentumForm: "ema", biasCorrection: true },
  },
  {
    rule: "Adagrad",
    kernel: "adagrad",
    update: classic.adagrad,
    variants: dialects({ lr: 0.1 }, { lr: 0.1, lrDecay: 0.01, initialAccumulatorValue: 0.3 }),
    start: (o) => ({ sum: o.initialAccumulatorValue }),
    bad: [
      ...badEps,
      [{ lrDecay: -1 }, RangeError, /"lrDecay" expected a finite number >= 0, got -1/],
      [{ initialAccumulatorValue: -1 }, RangeError, /"initialAccumulatorValue" expected .* got -1/],
    ],
    fixed: {},
  },
  {
    rule: "Adadelta",
    kernel: "adadelta",
    update: classic.adadelta,
    variants: dialects({ lr: 0.5 }),
    bad: [...badEps, [{ rho: 1.1 }, RangeError, /"rho" expected a number in \[0, 1\], got 1.1/]],
    fixed: {},
  },
  {
    rule: "RMSprop",
    kernel: "rmsprop",
    update: classic.rmsprop,
    variants: dialects(
      { lr: 0.01 },
      { lr: 0.01, centered: true },
      { lr: 0.01, momentum: 0.8 },
      { lr: 0.01, centered: true, momentum: 0.8 },
    ),
    bad: [
      ...badEps,
      [{ alpha: -0.1 }, RangeError, /"alpha" expected a number in \[0, 1\], got -0.1/],
      [{ momentum: -1 }, RangeError, /"momentum" expected a finite number >= 0, got -1/],
      [{ centered: 1 }, TypeError, /"centered" expected true or false, got 1/],
    ],
    fixed: { centered: true },
  },
  {
    rule: "Adam",
    kernel: "adam",
    update: classic.adam(false),
    variants: dialects({ lr: 0.01 }, { lr: 0.01, amsgrad: true, betas: [0.8, 0.9] }),
    bad: [...badBetas, ...badEps, [{ amsgrad: 1 }, TypeError, /"amsgrad" expected true or false, got 1/]],
    fixed: { amsgrad: true },
  },
  {
    rule: "AdamW",
    kernel: "adam",
    update: classic.adam(true),
    variants: dialects({ lr: 0.01 }, { lr: 0.01, amsgrad: true, betas: [0.8, 0.9] }),
    bad: [...badBetas, ...badEps, [{ amsgrad: 1 }, TypeError, /"amsgrad" expected true or false, got 1/]],
    fixed: { amsgrad: true },
  },
  {
    rule: "NAdam",
    kernel: "nadam",
    update: classic.nadam,
    variants: dialects({ lr: 0.01 }, { lr: 0.01, decoupledWeightDecay: true, momentumDecay: 0.02 }),
    bad: [
      ...badBetas,
      ...badEps,
      [{ momentumDecay: -1 }, RangeError, /"momentumDecay" expected a finite number >= 0, got -1/],
      [{ decoupledWeightDecay: 1 }, TypeError, /"decoupledWeightDecay" expected true or false, got 1/],
    ],
    fixed: { decoupledWeightDecay: true },
  },
];

/** Makes the optimizer of a row, or of a name in the fixtures. */
export function make(
  rule: string,
  params: gradstep.ParameterDict,
  options: Options = {},
): gradstep.StepOptimizer<Options & gradstep.CommonOptions> {
  type Constructor = new (
    params: unknown,
    options: Options,
  ) => gradstep.StepOptimizer<Options & gradstep.CommonOptions>;
  return new (gradstep as unknown as Record<string, Constructor>)[rule](params, options);
}

/** Every variant of every row with and without decay and maximize, and with epsilon 0 where the rule has one. */
export const cases = rows.flatMap((row) =>
  row.variants.flatMap((variant) =>
    [{ weightDecay: 0 }, { weightDecay: 0.05 }, { weightDecay: 0.05, maximize: true }].map((more) => {
      const options = { ...variant, ...more };
      return { row, options, title: `${row.rule} ${JSON.stringify(options)}` };
    }),
  ),
);
