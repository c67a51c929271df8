// The table of rules that drives the tests of all properties: one row per rule. A kernel without a row fails.
import * as gradstep from "../../src/index.js";
import type { Kernels } from "../../src/kernels.js";
import * as classic from "../support/reference/classic.js";
import { matrixOf } from "../support/harness.js";
import type { Plain, Settled, Update } from "../support/reference/common.js";
import * as more from "../support/reference/more.js";
import * as moments from "../support/reference/moments.js";
import * as others from "../support/reference/others.js";
import * as scheduleFree from "../support/reference/schedulefree.js";
import * as tensorwise from "../support/reference/tensorwise.js";

export type Options = Record<string, unknown>;
type Bad = [options: Options, error: ErrorConstructor, message: RegExp];

export interface Row {
  readonly rule: string;
  /** The kernels that the file in assembly/rules exports, or the kernel of another rule that does the update. */
  readonly kernels: readonly (keyof Kernels)[];
  readonly update: Update;
  /** The dialects besides "torch". */
  readonly dialects: readonly ("keras" | "optax")[];
  /** Options that cover every path through the kernel, in each dialect. */
  readonly variants: readonly Options[];
  /** Start values of slots other than 0; "parameters" for a copy of these. */
  readonly start?: (o: Settled) => Record<string, number | "parameters">;
  /** Start values of the numbers of a tensor. */
  readonly scalars?: Record<string, number>;
  /** Start values of the numbers that a group shares, and how a step advances them before it updates tensors. */
  readonly shared?: {
    start(o: Settled): Record<string, number>;
    advance?(o: Settled, shared: Record<string, number>): void;
  };
  /** A first pass over all tensors of a step; false ends the step. */
  readonly gather?: (
    tensors: readonly Plain[],
    o: Settled,
    gradScale: number,
    shared: Record<string, number>,
    optionsOf?: (tensor: Plain) => Settled,
  ) => boolean;
  /** Options without which the rule cannot be made in PyTorch's dialect. */
  readonly required?: Options;
  /** Which options make the rule reduce over whole tensors, if any do. */
  readonly whole?: (options: Options) => boolean;
  /** A shape of n elements, for rules that refuse vectors or treat them differently. */
  readonly shape?: (n: number) => readonly number[];
  /** Why a NaN in a gradient reaches the whole tensor, if it does. */
  readonly spreads?: string;
  /** Why groups depend on each other and cannot differ in lr, if so. */
  readonly together?: string;
  /** Why nothing decays before the first gradient that is not 0, if so. */
  readonly waits?: string;
  /** Why a zero gradient without decay moves parameters, if it does. */
  readonly moves?: string;
  /** Why a rate of 0 moves parameters, if it does. */
  readonly rateless?: string;
  /** The first step that moves a parameter, and why, if it is not step 1. */
  readonly firstMove?: readonly [step: number, why: string];
  /** Options of this rule that must be refused. */
  readonly bad: readonly Bad[];
  /** Options that cannot be set live, with a value that must be refused. */
  readonly fixed: Options;
}

const inEach = (dialects: Row["dialects"], ...variants: Options[]): Options[] =>
  variants.flatMap((options) => [options, ...dialects.map((dialect) => ({ ...options, dialect }))]);
const both = ["keras", "optax"] as const;
const always = (): boolean => true;
const cautious = (options: Options): boolean => options.cautious === true;
const badBetas: Bad[] = [
  [{ betas: [1.5, 0.9] }, RangeError, /"betas\[0\]" expected a number in \[0, 1\), got 1.5/],
  [{ betas: [0.9, 1] }, RangeError, /"betas\[1\]" expected a number in \[0, 1\), got 1$/],
  [{ betas: [0.9, "0.999"] }, TypeError, /"betas\[1\]" expected a number in \[0, 1\), got "0.999"/],
  [{ betas: [NaN, 0.9] }, RangeError, /"betas\[0\]" expected .* got NaN/],
  [{ betas: [0.9] }, RangeError, /"betas" expected an array of two numbers, got \[0.9\]/],
  [{ betas: 0.9 }, TypeError, /"betas" expected an array of two numbers, got 0.9/],
];
const badThreeBetas: Bad[] = [
  [{ betas: [0.9, 0.9, 1] }, RangeError, /"betas\[2\]" expected a number in \[0, 1\), got 1$/],
  [{ betas: [0.9, 0.9, "0.9"] }, TypeError, /"betas\[2\]" expected a number in \[0, 1\), got "0.9"/],
  [{ betas: [0.9, 0.99] }, RangeError, /"betas" expected an array of three numbers, got \[0.9, 0.99\]/],
  [{ betas: "0.9" }, TypeError, /"betas" expected an array of three numbers, got "0.9"/],
];
const badEps: Bad[] = [
  [{ eps: -1e-8 }, RangeError, /"eps" expected a finite number >= 0, got -1e-8/],
  [{ eps: "1e-8" }, TypeError, /"eps" expected a finite number >= 0, got "1e-8"/],
  [{ eps: 1e-50 }, RangeError, /"eps" expected a finite number >= 0 that float32 can hold, got 1e-50$/],
];

const cautiousKernels = ["agreeing", "cautious"] as const;
const badCautious: Bad[] = [[{ cautious: 1 }, TypeError, /"cautious" expected true or false, got 1/]];
const badProjection: Bad[] = [
  [{ delta: -1 }, RangeError, /"delta" expected a finite number >= 0, got -1/],
  [{ wdRatio: "0.1" }, TypeError, /"wdRatio" expected a finite number >= 0, got "0.1"/],
  [{ nesterov: 1 }, TypeError, /"nesterov" expected true or false, got 1/],
];

const badScheduleFree: Bad[] = [
  [{ warmupSteps: 1.5 }, RangeError, /"warmupSteps" expected a whole number >= 0, got 1.5/],
  [{ warmupSteps: "5" }, TypeError, /"warmupSteps" expected a whole number >= 0, got "5"/],
  [{ r: -1 }, RangeError, /"r" expected a finite number >= 0, got -1/],
  [{ weightLrPower: NaN }, RangeError, /"weightLrPower" expected a finite number >= 0, got NaN/],
];

export const rows: readonly Row[] = [
  {
    rule: "SGD",
    kernels: ["sgd"],
    update: classic.sgd,
    dialects: both,
    variants: [
      ...inEach(both, { lr: 0.1 }, { lr: 0.1, momentum: 0.9 }, { lr: 0.1, momentum: 0.9, nesterov: true }),
      { lr: 0.1, nesterov: true, dialect: "keras" },
      { lr: 0.1, nesterov: true, dialect: "optax" },
      { lr: 0.1, momentum: 0.9, dampening: 0.3 },
      ...inEach(
        both,
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
    kernels: ["adagrad"],
    update: classic.adagrad,
    dialects: both,
    variants: inEach(both, { lr: 0.1 }, { lr: 0.1, lrDecay: 0.01, initialAccumulatorValue: 0.3 }).concat({
      lr: 0.1,
      initialAccumulatorValue: 0,
      dialect: "optax",
    }),
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
    kernels: ["adadelta"],
    update: classic.adadelta,
    dialects: both,
    variants: inEach(both, { lr: 0.5 }),
    bad: [...badEps, [{ rho: 1.1 }, RangeError, /"rho" expected a number in \[0, 1\], got 1.1/]],
    fixed: {},
  },
  {
    rule: "RMSprop",
    kernels: ["rmsprop"],
    update: classic.rmsprop,
    dialects: both,
    variants: inEach(
      both,
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
    kernels: ["adam"],
    update: classic.adam(false),
    dialects: both,
    variants: inEach(both, { lr: 0.01 }, { lr: 0.01, amsgrad: true, betas: [0.8, 0.9] }),
    bad: [...badBetas, ...badEps, [{ amsgrad: 1 }, TypeError, /"amsgrad" expected true or false, got 1/]],
    fixed: { amsgrad: true },
  },
  {
    rule: "AdamW",
    whole: cautious,
    kernels: ["adam", "adamUpdate", ...cautiousKernels],
    update: classic.adam(true),
    dialects: both,
    variants: [
      ...inEach(both, { lr: 0.01 }, { lr: 0.01, amsgrad: true, betas: [0.8, 0.9] }),
      { lr: 0.01, cautious: true },
      { lr: 0.01, cautious: true, amsgrad: true, dialect: "optax" },
    ],
    bad: [
      ...badBetas,
      ...badEps,
      [{ amsgrad: 1 }, TypeError, /"amsgrad" expected true or false, got 1/],
      ...badCautious,
    ],
    fixed: { amsgrad: true, cautious: true },
  },
  {
    rule: "NAdam",
    kernels: ["nadam"],
    update: classic.nadam,
    scalars: { muProduct: 1 },
    dialects: both,
    variants: [
      ...inEach(both, { lr: 0.01 }, { lr: 0.01, decoupledWeightDecay: true }),
      ...inEach(["keras"], { lr: 0.01, momentumDecay: 0.02 }),
    ],
    bad: [
      ...badBetas,
      ...badEps,
      [{ momentumDecay: 0.004, dialect: "optax" }, RangeError, /"momentumDecay" expected nothing but 0 with dialect/],
      [{ momentumDecay: -1 }, RangeError, /"momentumDecay" expected a finite number >= 0, got -1/],
      [{ decoupledWeightDecay: 1 }, TypeError, /"decoupledWeightDecay" expected true or false, got 1/],
    ],
    fixed: { decoupledWeightDecay: true },
  },
  {
    rule: "Adamax",
    kernels: ["adamax"],
    update: moments.adamax,
    dialects: both,
    variants: inEach(both, { lr: 0.01 }, { lr: 0.01, betas: [0.8, 0.5], eps: 0.01 }),
    bad: [...badBetas, ...badEps],
    fixed: {},
  },
  {
    rule: "RAdam",
    kernels: ["adam", "radam"],
    update: moments.radam,
    dialects: ["optax"],
    variants: inEach(["optax"], { lr: 0.01 }, { lr: 0.01, betas: [0.8, 0.95], decoupledWeightDecay: true }),
    bad: [
      ...badBetas,
      ...badEps,
      [{ decoupledWeightDecay: 1 }, TypeError, /"decoupledWeightDecay" expected true or false, got 1/],
    ],
    fixed: { decoupledWeightDecay: true },
  },
  {
    rule: "ASGD",
    kernels: ["asgd"],
    update: others.asgd,
    scalars: { eta: 0, mu: 1 },
    dialects: [],
    variants: [{ lr: 0.05 }, { lr: 0.05, lambd: 0.01, alpha: 0.6, t0: 2 }, { lr: 0.05, lambd: 0 }],
    moves: "lambd decays the parameters",
    bad: [
      [{ lambd: -1 }, RangeError, /"lambd" expected a finite number >= 0, got -1/],
      [{ alpha: "0.75" }, TypeError, /"alpha" expected a finite number >= 0, got "0.75"/],
      [{ t0: NaN }, RangeError, /"t0" expected a finite number >= 0, got NaN/],
    ],
    fixed: {},
  },
  {
    rule: "Rprop",
    kernels: ["rprop"],
    update: others.rprop,
    dialects: [],
    variants: [{ lr: 0.02 }, { lr: 0.02, etas: [0.6, 1.1], stepSizes: [0.015, 0.023] }],
    start: (o) => ({ stepSize: o.lr }),
    rateless: "lr is the initial step size, which the smallest step size replaces",
    bad: [
      [{ etas: [0.5, 1] }, RangeError, /"etas" expected a factor in \(0, 1\) and one above 1, got \[0.5, 1\]/],
      [{ etas: [0, 1.2] }, RangeError, /"etas" expected a factor in \(0, 1\) and one above 1, got \[0, 1.2\]/],
      [{ etas: [1, 1.2] }, RangeError, /"etas" expected a factor in \(0, 1\) and one above 1, got \[1, 1.2\]/],
      [{ etas: [0.5, Infinity] }, RangeError, /"etas\[1\]" expected a finite number >= 0, got Infinity/],
      [{ etas: 0.5 }, TypeError, /"etas" expected an array of two numbers, got 0.5/],
      [
        { stepSizes: [1, 0.1] },
        RangeError,
        /"stepSizes" expected the smallest and the largest, in order, got \[1, 0.1\]/,
      ],
      [{ stepSizes: [-1, 1] }, RangeError, /"stepSizes\[0\]" expected a finite number >= 0, got -1/],
    ],
    fixed: {},
  },
  {
    rule: "Lion",
    whole: cautious,
    kernels: ["lion", "lionUpdate", ...cautiousKernels],
    update: others.lion,
    dialects: both,
    variants: [...inEach(both, { lr: 0.01 }, { lr: 0.01, betas: [0.5, 0.6] }), { lr: 0.01, cautious: true }],
    bad: [...badBetas, ...badCautious],
    fixed: { cautious: true },
  },
  {
    rule: "LAMB",
    whole: always,
    kernels: ["lamb"],
    update: tensorwise.lamb,
    dialects: both,
    variants: inEach(both, { lr: 0.01 }, { lr: 0.05, betas: [0.8, 0.9], eps: 1e-3 }),
    bad: [...badBetas, ...badEps],
    fixed: {},
  },
  {
    rule: "LARS",
    whole: always,
    kernels: ["sgd"],
    update: tensorwise.lars,
    dialects: [],
    variants: [
      { lr: 0.5 },
      { lr: 0.5, momentum: 0.9, dampening: 0.3, trustCoefficient: 0.02, eps: 1e-3 },
      { lr: 0.5, momentum: 0.8, nesterov: true },
    ],
    bad: [
      ...badEps,
      [{ momentum: -0.1 }, RangeError, /"momentum" expected a finite number >= 0, got -0.1/],
      [{ dampening: NaN }, RangeError, /"dampening" expected a finite number, got NaN/],
      [{ trustCoefficient: -1 }, RangeError, /"trustCoefficient" expected a finite number >= 0, got -1/],
      [{ nesterov: true }, RangeError, /"nesterov" expected false unless there is a momentum/],
      [{ nesterov: true, momentum: 0.9, dampening: 0.1 }, RangeError, /"dampening" expected nothing but 0/],
    ],
    fixed: {},
  },
  {
    rule: "NovoGrad",
    whole: always,
    kernels: ["sgd"],
    update: tensorwise.novograd,
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.02, betas: [0.95, 0.5], eps: 1e-3 }],
    scalars: { nu: 0 },
    spreads: "gradients are divided by their norm",
    bad: [...badBetas, ...badEps],
    fixed: {},
  },
  {
    rule: "Adafactor",
    whole: always,
    kernels: ["adafactor"],
    update: tensorwise.adafactor,
    dialects: [],
    variants: [{ lr: 0.02 }, { lr: 0.5, beta2Decay: -0.5, eps: [1e-3, 0.01], d: 1.5 }],
    shape: (n) => [[n], matrixOf(n), [...matrixOf(n), 1], [1, ...matrixOf(n)]][n % 4],
    spreads: "updates are divided by their root mean square",
    bad: [
      [{ beta2Decay: 0.8 }, RangeError, /"beta2Decay" expected a finite number <= 0, got 0.8/],
      [{ beta2Decay: "-0.8" }, TypeError, /"beta2Decay" expected a finite number <= 0, got "-0.8"/],
      [{ eps: 1e-8 }, TypeError, /"eps" expected an array of two numbers, or null and a number, got 1e-8/],
      [{ eps: [1e-8] }, RangeError, /"eps" expected an array of two numbers, or null and a number, got \[1e-8\]/],
      [{ eps: [-1, 0] }, RangeError, /"eps\[0\]" expected a finite number >= 0, got -1/],
      [{ eps: [null, null] }, TypeError, /"eps\[1\]" expected a finite number >= 0, got null/],
      [{ d: 0.9 }, RangeError, /"d" expected a finite number >= 1, got 0.9/],
    ],
    fixed: {},
  },
  {
    rule: "Muon",
    whole: always,
    kernels: ["muon"],
    update: tensorwise.muon,
    dialects: [],
    variants: [
      { lr: 0.02 },
      { lr: 0.02, momentum: 0.8, nesterov: false, nsSteps: 2, adjustLr: "match_rms_adamw" },
      { lr: 0.02, nsCoefficients: [2, -1.5, 0.5], adjustLr: "spectral_unclamped" },
    ],
    shape: matrixOf,
    spreads: "the matrix is multiplied by itself",
    bad: [
      [{ momentum: 1 }, RangeError, /"momentum" expected a number in \[0, 1\), got 1$/],
      [{ nesterov: 1 }, TypeError, /"nesterov" expected true or false, got 1/],
      [{ nsSteps: 2.5 }, RangeError, /"nsSteps" expected a whole number in \[0, 99\], got 2.5/],
      [{ nsSteps: 100 }, RangeError, /"nsSteps" expected a whole number in \[0, 99\], got 100/],
      [{ adjustLr: "rms" }, RangeError, /"adjustLr" expected one of "original", .*"spectral_unclamped", got "rms"/],
    ],
    fixed: { adjustLr: "match_rms_adamw" },
  },
  {
    rule: "Prodigy",
    whole: always,
    kernels: ["prodigyMoments", "prodigy"],
    update: tensorwise.prodigy,
    dialects: [],
    variants: [{ d0: 1e-3 }, { lr: 0.5, d0: 1e-3, betas: [0.8, 0.9], eps: 1e-3, dCoef: 2, growthRate: 1.05 }],
    start: () => ({ p0: "parameters" }),
    shared: tensorwise.prodigyShared,
    gather: tensorwise.prodigyGather,
    together: "one step size is estimated from all tensors",
    waits: "there is no step size yet",
    bad: [
      ...badBetas,
      ...badEps,
      [{ d0: 1e-50 }, RangeError, /"d0" expected a finite number > 0 that float32 can hold, got 1e-50$/],
      [{ d0: 0 }, RangeError, /"d0" expected a finite number > 0, got 0$/],
      [{ dCoef: -1 }, RangeError, /"dCoef" expected a finite number >= 0, got -1/],
      [{ growthRate: 0.5 }, RangeError, /"growthRate" expected a number >= 1, got 0.5/],
      [{ growthRate: NaN }, RangeError, /"growthRate" expected a number >= 1, got NaN/],
    ],
    fixed: {},
  },
  {
    rule: "AdaBelief",
    kernels: ["adabelief"],
    update: moments.adabelief,
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.01, betas: [0.8, 0.9], eps: 1e-3 }],
    bad: [...badBetas, ...badEps],
    fixed: {},
  },
  {
    rule: "Yogi",
    kernels: ["yogi"],
    update: moments.yogi,
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.01, betas: [0.8, 0.9], eps: 0.1 }],
    start: () => ({ mu: 1e-6, nu: 1e-6 }),
    moves: "its first moment starts at 1e-6",
    bad: [...badBetas, ...badEps],
    fixed: {},
  },
  {
    rule: "Adan",
    kernels: ["adan"],
    update: moments.adan,
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.01, betas: [0.7, 0.8, 0.9], eps: 1e-3 }],
    bad: [...badThreeBetas, ...badEps],
    fixed: {},
  },
  {
    rule: "ADOPT",
    kernels: ["adopt"],
    update: moments.adopt,
    dialects: ["optax"],
    variants: inEach(["optax"], { lr: 0.01 }, { lr: 0.01, betas: [0.8, 0.9], eps: 0.1 }).concat({
      lr: 0.01,
      clipExponent: 0,
    }),
    firstMove: [2, "the first step only sets the second moment"],
    bad: [
      ...badBetas,
      ...badEps,
      [{ clipExponent: -1 }, RangeError, /"clipExponent" expected a finite number >= 0, got -1/],
    ],
    fixed: {},
  },
  {
    rule: "AdEMAMix",
    kernels: ["ademamix"],
    update: moments.ademamix,
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.01, betas: [0.8, 0.9, 0.95], alpha: 3, eps: 1e-3 }],
    bad: [...badThreeBetas, ...badEps, [{ alpha: -5 }, RangeError, /"alpha" expected a finite number >= 0, got -5/]],
    fixed: {},
  },
  {
    rule: "MADGRAD",
    kernels: ["madgrad"],
    update: others.madgrad,
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.01, momentum: 0, eps: 1e-3 }],
    start: () => ({ x0: "parameters" }),
    bad: [...badEps, [{ momentum: 1 }, RangeError, /"momentum" expected a number in \[0, 1\), got 1$/]],
    fixed: {},
  },
  {
    rule: "Ftrl",
    kernels: ["ftrl"],
    update: others.ftrl,
    dialects: [],
    variants: [
      { lr: 0.05 },
      { lr: 0.1, l1: 0.01, l2: 0.02, beta: 0.1, initialAccumulatorValue: 0.2 },
      { lr: 0.1, l2: 0.1, initialAccumulatorValue: 0 },
    ],
    start: (o) => ({ accumulator: o.initialAccumulatorValue }),
    moves: "the first step discards the initial parameters",
    bad: [
      [{ l1: -1 }, RangeError, /"l1" expected a finite number >= 0, got -1/],
      [{ l2: NaN }, RangeError, /"l2" expected a finite number >= 0, got NaN/],
      [{ beta: "1" }, TypeError, /"beta" expected a finite number >= 0, got "1"/],
      [{ initialAccumulatorValue: -1 }, RangeError, /"initialAccumulatorValue" expected .* got -1/],
    ],
    fixed: {},
  },
  {
    rule: "ScheduleFreeSGD",
    kernels: ["schedulefreesgd"],
    update: scheduleFree.scheduleFreeSGD,
    dialects: [],
    variants: [{ lr: 0.1 }, { lr: 0.1, momentum: 0.7, warmupSteps: 3, r: 1, weightLrPower: 1.5 }],
    start: () => ({ z: "parameters" }),
    shared: scheduleFree.shared,
    bad: [
      [{ momentum: 0 }, RangeError, /"momentum" expected a number in \(0, 1\), got 0$/],
      [{ momentum: 1 }, RangeError, /"momentum" expected a number in \(0, 1\), got 1$/],
      [{ momentum: 1e-39 }, RangeError, /"momentum" expected a number in \(0, 1\), got 1e-39$/],
      ...badScheduleFree,
    ],
    fixed: {},
  },
  {
    rule: "ScheduleFreeAdamW",
    kernels: ["schedulefreeadamw"],
    update: scheduleFree.scheduleFreeAdamW,
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.01, betas: [0.8, 0.9], eps: 1e-3, warmupSteps: 3, r: 0.5, weightLrPower: 1 }],
    start: () => ({ z: "parameters" }),
    shared: scheduleFree.shared,
    bad: [
      ...badBetas,
      [{ betas: [0, 0.9] }, RangeError, /"betas" expected a first rate > 0, without which .* got \[0, 0.9\]$/],
      [{ betas: [1e-39, 0.9] }, RangeError, /"betas" expected a first rate > 0, without which .* got \[1e-39, 0.9\]$/],
      ...badEps,
      ...badScheduleFree,
    ],
    fixed: {},
  },
  {
    rule: "LaProp",
    whole: cautious,
    kernels: ["laprop", "lapropUpdate", ...cautiousKernels],
    update: more.laprop,
    scalars: { expAvgLr1: 0, expAvgLr2: 0 },
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.02, betas: [0.7, 0.8], eps: 1e-3 }, { lr: 0.01, cautious: true }],
    bad: [...badBetas, ...badEps, ...badCautious],
    fixed: { cautious: true },
  },
  {
    rule: "MARS",
    whole: always,
    kernels: ["mars"],
    update: more.mars,
    dialects: [],
    variants: [
      { lr: 0.01 },
      { lr: 0.02, betas: [0.7, 0.8], eps: 1e-3, gamma: 0.3, optimize1d: true },
      { lr: 0.01, cautious: true },
    ],
    shape: (n) => (n % 2 === 0 ? [n] : matrixOf(n)),
    spreads: "gradients are divided by their norm",
    bad: [
      ...badBetas,
      ...badEps,
      ...badCautious,
      [{ gamma: -1 }, RangeError, /"gamma" expected a finite number >= 0, got -1/],
      [{ optimize1d: 0 }, TypeError, /"optimize1d" expected true or false, got 0/],
    ],
    fixed: {},
  },
  {
    rule: "AdamP",
    whole: always,
    kernels: ["adamp", "project"],
    update: more.adamp,
    dialects: [],
    variants: [
      { lr: 0.01 },
      { lr: 0.02, betas: [0.7, 0.8], eps: 1e-3, delta: 1.5, wdRatio: 0.3 },
      { lr: 0.01, nesterov: true, delta: 0.5 },
    ],
    shape: (n) => (n % 4 === 0 ? [n] : matrixOf(n)),
    bad: [...badBetas, ...badEps, ...badProjection],
    fixed: {},
  },
  {
    rule: "SGDP",
    whole: always,
    required: { lr: 0.05 },
    kernels: ["muon", "project"],
    update: more.sgdp,
    dialects: [],
    variants: [
      { lr: 0.05 },
      { lr: 0.05, momentum: 0.9, dampening: 0.3, delta: 1.5, wdRatio: 0.3 },
      { lr: 0.05, momentum: 0.8, nesterov: true, delta: 0.5, eps: 1e-3 },
    ],
    shape: (n) => (n % 4 === 0 ? [n] : matrixOf(n)),
    bad: [
      ...badEps,
      ...badProjection,
      [{ momentum: 1 }, RangeError, /"momentum" expected a number in \[0, 1\), got 1$/],
      [{ dampening: NaN }, RangeError, /"dampening" expected a finite number, got NaN/],
    ],
    fixed: {},
  },
  {
    rule: "StableAdamW",
    whole: always,
    kernels: ["adamUpdate"],
    update: more.stableAdamW,
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.02, betas: [0.7, 0.8], eps: 1e-3 }],
    spreads: "the rate is divided by a mean",
    bad: [
      ...badBetas,
      [{ eps: 0 }, RangeError, /"eps" expected a finite number > 0, got 0$/],
      [{ eps: "1e-8" }, TypeError, /"eps" expected a finite number > 0, got "1e-8"/],
      [{ eps: 1e-50 }, RangeError, /"eps" expected a finite number > 0 that float32 can hold, got 1e-50$/],
    ],
    fixed: {},
  },
  {
    rule: "Signum",
    kernels: ["signum"],
    update: more.signum,
    dialects: [],
    variants: [{ lr: 0.01 }, { lr: 0.01, momentum: 0.5 }, { lr: 0.01, momentum: 0 }],
    bad: [
      [{ momentum: 1 }, RangeError, /"momentum" expected a number in \[0, 1\), got 1$/],
      [{ momentum: "0.9" }, TypeError, /"momentum" expected a number in \[0, 1\), got "0.9"/],
    ],
    fixed: {},
  },
  {
    rule: "AdaBound",
    kernels: ["adabound"],
    update: more.adabound,
    dialects: [],
    variants: [
      { lr: 0.01 },
      { lr: 0.01, finalLr: 0.02, gamma: 0.1, amsbound: true },
      { lr: 0.02, betas: [0.7, 0.8], eps: 1e-3, finalLr: 0.01, gamma: 0.5, decoupledWeightDecay: true },
    ],
    shared: more.adaboundShared,
    bad: [
      ...badBetas,
      ...badEps,
      [{ finalLr: -1 }, RangeError, /"finalLr" expected a finite number >= 0, got -1/],
      [{ gamma: 0 }, RangeError, /"gamma" expected a finite number > 0, got 0$/],
      [{ amsbound: 1 }, TypeError, /"amsbound" expected true or false, got 1/],
      [{ decoupledWeightDecay: 1 }, TypeError, /"decoupledWeightDecay" expected true or false, got 1/],
    ],
    fixed: { amsbound: true, decoupledWeightDecay: true },
  },
  {
    rule: "DAdaptAdam",
    whole: always,
    kernels: ["dadaptadam", "prodigy"],
    update: more.dadaptAdam,
    dialects: [],
    variants: [
      { d0: 1e-3 },
      { lr: 0.5, d0: 1e-3, betas: [0.8, 0.9], eps: 1e-3, growthRate: 1.05 },
      { d0: 1e-3, decoupledWeightDecay: true },
    ],
    shared: more.dadaptShared,
    gather: more.dadaptGather,
    together: "one step size is estimated from all tensors",
    waits: "there is no step size yet",
    bad: [
      ...badBetas,
      ...badEps,
      [{ d0: 1e-50 }, RangeError, /"d0" expected a finite number > 0 that float32 can hold, got 1e-50$/],
      [{ d0: 0 }, RangeError, /"d0" expected a finite number > 0, got 0$/],
      [{ growthRate: 0.5 }, RangeError, /"growthRate" expected a number >= 1, got 0.5/],
      [{ decoupledWeightDecay: 1 }, TypeError, /"decoupledWeightDecay" expected true or false, got 1/],
    ],
    fixed: { decoupledWeightDecay: true },
  },
];

/** Makes the optimizer of a rule. */
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

/** Whether a rule reduces over whole tensors with these options: it then has no small state formats. */
export const reduces = (row: Row, options: Options): boolean => row.whole?.(options) === true;
