// Initial values for the weights of networks of one's own: those of torch.nn.init, with the same bits on every engine.
import { checkValues, shapeSize } from "../memory/tensor.js";
import type { Shape, Values, Vector } from "../memory/tensor.js";
import { finite, kindOf, nonNegative, oneOf, optionsOf, wrongType, wrongValue } from "../util/check.js";
import { cos, log } from "../util/exact.js";
import { Random } from "./random.js";

/** What follows a layer, which decides how large its weights should be. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leaky_relu" | "selu";
const nonlinearities = oneOf(["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]);
const modes = oneOf(["fan_in", "fan_out"]);

/** Options of {@link kaimingUniform} and {@link kaimingNormal}. */
export interface KaimingOptions {
  /** The negative slope of "leaky_relu", a finite number. Default 0. */
  a?: number | undefined;
  /** Keep the variance of the outputs, "fan_in" (default), or of the gradients, "fan_out". */
  mode?: "fan_in" | "fan_out" | undefined;
  /** What follows the layer. Default "leaky_relu", which with a = 0 is "relu". */
  nonlinearity?: Nonlinearity | undefined;
}

/** Options of {@link xavierUniform} and {@link xavierNormal}. */
export interface XavierOptions {
  /** A factor, >= 0: {@link calculateGain} of what follows the layer. Default 1. */
  gain?: number | undefined;
}

/** Options of {@link uniform}. */
export interface UniformOptions {
  /** The lower bound, finite. Default 0. */
  a?: number | undefined;
  /** The upper bound, finite, >= a. Default 1. */
  b?: number | undefined;
}

/** Options of {@link normal}. */
export interface NormalOptions {
  /** Finite. Default 0. */
  mean?: number | undefined;
  /** The standard deviation, >= 0. Default 1. */
  std?: number | undefined;
}

/** Options of {@link truncNormal}. */
export interface TruncNormalOptions extends NormalOptions {
  /** The lower bound, finite. Default -2. */
  a?: number | undefined;
  /** The upper bound, finite, above a. The range must be at least std/10 wide, and at most 2·std from the mean. Default 2. */
  b?: number | undefined;
}

type Options = Readonly<Record<string, unknown>>;

const HINTS = { aliases: "a=low,minval b=high,maxval std=stddev" };

const numberOr = (owner: string, options: Options, name: string, otherwise: number, kind = finite): number =>
  options[name] === undefined ? otherwise : kind.read(owner, name, options[name]);

/** Checks what is filled, and with what. */
function check(owner: string, values: unknown, random: unknown): asserts values is Vector {
  if (kindOf(values) !== "Float32Array")
    throw wrongType(owner, "values", "a Float32Array, such as params.data.w", values);
  if (!(random instanceof Random)) throw wrongType(owner, "random", "a Random, such as new Random(1)", random);
}

/** Inputs and outputs of each unit: for a shape [out, in, …] in·… and out·…, as in PyTorch. */
function fans(owner: string, values: Values, shape: Shape): { fanIn: number; fanOut: number } {
  checkValues(owner, values, shapeSize(owner, shape, "shape"), "values");
  if (shape.length < 2) throw wrongValue(owner, "shape", "at least two dimensions, [out, in, …]", shape);
  const field = shape.slice(2).reduce((product, size) => product * size, 1);
  return { fanIn: shape[1] * field, fanOut: shape[0] * field };
}

function fillUniform(values: Vector, random: Random, low: number, high: number): void {
  for (let i = 0; i < values.length; i++) values[i] = low + (high - low) * random.uniform();
}

/** A normal number, from two draws (Box and Muller). */
const draw = (random: Random): number => {
  const radius = Math.sqrt(-2 * log(1 - random.uniform()));
  return radius * cos(2 * Math.PI * random.uniform());
};

function fillNormal(values: Vector, random: Random, mean: number, std: number): void {
  for (let i = 0; i < values.length; i++) values[i] = mean + std * draw(random);
}

/**
 * Fills with numbers that are uniform in [a, b).
 *
 * @param values The tensor to fill, row-major.
 * @param random The generator: one draw per element.
 * @param options Default: `{ a: 0, b: 1 }`.
 * @throws TypeError, RangeError for a wrong argument; nothing is changed then.
 * @example
 * uniform(params.data.w, new Random(1), { a: -0.1, b: 0.1 });
 */
export function uniform(values: Vector, random: Random, options: UniformOptions = {}): void {
  const owner = "uniform";
  check(owner, values, random);
  const given = optionsOf(owner, options, ["a", "b"], HINTS);
  const a = numberOr(owner, given, "a", 0);
  const b = numberOr(owner, given, "b", 1);
  if (b < a) throw wrongValue(owner, "b", `a number >= a, which is ${a}`, b);
  fillUniform(values, random, a, b);
}

/**
 * Fills with normal numbers.
 *
 * @param values The tensor to fill, row-major.
 * @param random The generator: two draws per element.
 * @param options Default: `{ mean: 0, std: 1 }`.
 * @throws TypeError, RangeError for a wrong argument; nothing is changed then.
 * @example
 * normal(params.data.embedding, new Random(1), { std: 0.02 });
 */
export function normal(values: Vector, random: Random, options: NormalOptions = {}): void {
  const owner = "normal";
  check(owner, values, random);
  const given = optionsOf(owner, options, ["mean", "std"], HINTS);
  fillNormal(values, random, numberOr(owner, given, "mean", 0), numberOr(owner, given, "std", 1, nonNegative));
}

/**
 * Fills with normal numbers that are within [a, b]; others are drawn anew.
 *
 * @param values The tensor to fill, row-major.
 * @param random The generator: two draws per element, and two more for each that is out of bounds.
 * @param options Default: `{ mean: 0, std: 1, a: -2, b: 2 }`; as in PyTorch the bounds are values, not multiples of `std`.
 * @throws TypeError, RangeError for a wrong argument, and for bounds that nearly no number is between; nothing is changed then.
 * @example
 * truncNormal(params.data.w, new Random(1), { std: 0.02, a: -0.04, b: 0.04 });
 */
export function truncNormal(values: Vector, random: Random, options: TruncNormalOptions = {}): void {
  const owner = "truncNormal";
  check(owner, values, random);
  const given = optionsOf(owner, options, ["mean", "std", "a", "b"], HINTS);
  const mean = numberOr(owner, given, "mean", 0);
  const std = numberOr(owner, given, "std", 1, nonNegative);
  const a = numberOr(owner, given, "a", -2);
  const b = numberOr(owner, given, "b", 2);
  // Of other ranges, fewer than one draw in 250 would count.
  const reachable = a <= mean + 2 * std && b >= mean - 2 * std && b - a >= 0.1 * std;
  if (!reachable)
    throw wrongValue(owner, "b", "a range [a, b] that is at least std/10 wide and 2·std from the mean", b);
  for (let i = 0; i < values.length; i++) {
    let value = NaN;
    while (!(value >= a && value <= b)) value = std === 0 ? mean : mean + std * draw(random);
    values[i] = value;
  }
}

/**
 * Glorot's uniform initialization: ±gain·√(6/(in + out)).
 *
 * @param values The tensor to fill, row-major.
 * @param shape Its shape, [out, in, …].
 * @param random The generator: one draw per element.
 * @param options Default: `{ gain: 1 }`.
 * @see Glorot, Bengio (2010), https://proceedings.mlr.press/v9/glorot10a.html
 * @throws TypeError, RangeError for a wrong argument; nothing is changed then.
 * @example
 * xavierUniform(params.data.w, params.shapes.w, new Random(1), { gain: calculateGain("tanh") });
 */
export function xavierUniform(values: Vector, shape: Shape, random: Random, options: XavierOptions = {}): void {
  const bound = Math.sqrt(3) * xavierStd("xavierUniform", values, shape, random, options);
  fillUniform(values, random, -bound, bound);
}

/**
 * Glorot's normal initialization: the standard deviation is gain·√(2/(in + out)).
 *
 * @param values The tensor to fill, row-major.
 * @param shape Its shape, [out, in, …].
 * @param random The generator: two draws per element.
 * @param options Default: `{ gain: 1 }`.
 * @see Glorot, Bengio (2010), https://proceedings.mlr.press/v9/glorot10a.html
 * @throws TypeError, RangeError for a wrong argument; nothing is changed then.
 * @example
 * xavierNormal(params.data.w, params.shapes.w, new Random(1));
 */
export function xavierNormal(values: Vector, shape: Shape, random: Random, options: XavierOptions = {}): void {
  fillNormal(values, random, 0, xavierStd("xavierNormal", values, shape, random, options));
}

function xavierStd(owner: string, values: Vector, shape: Shape, random: Random, options: XavierOptions): number {
  check(owner, values, random);
  const { fanIn, fanOut } = fans(owner, values, shape);
  const gain = numberOr(owner, optionsOf(owner, options, ["gain"], HINTS), "gain", 1, nonNegative);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/**
 * He's uniform initialization: ±gain·√(3/fan), where the gain is {@link calculateGain} of the nonlinearity.
 *
 * @param values The tensor to fill, row-major.
 * @param shape Its shape, [out, in, …].
 * @param random The generator: one draw per element.
 * @param options Default: `{ a: 0, mode: "fan_in", nonlinearity: "leaky_relu" }`. With a = √5 it is what `torch.nn.Linear` does.
 * @see He et al. (2015), https://arxiv.org/abs/1502.01852
 * @throws TypeError, RangeError for a wrong argument; nothing is changed then.
 * @example
 * kaimingUniform(params.data.w, params.shapes.w, new Random(1), { nonlinearity: "relu" });
 */
export function kaimingUniform(values: Vector, shape: Shape, random: Random, options: KaimingOptions = {}): void {
  const bound = Math.sqrt(3) * kaimingStd("kaimingUniform", values, shape, random, options);
  fillUniform(values, random, -bound, bound);
}

/**
 * He's normal initialization: the standard deviation is gain/√fan, where the gain is {@link calculateGain} of the nonlinearity.
 *
 * @param values The tensor to fill, row-major.
 * @param shape Its shape, [out, in, …].
 * @param random The generator: two draws per element.
 * @param options Default: `{ a: 0, mode: "fan_in", nonlinearity: "leaky_relu" }`.
 * @see He et al. (2015), https://arxiv.org/abs/1502.01852
 * @throws TypeError, RangeError for a wrong argument; nothing is changed then.
 * @example
 * kaimingNormal(params.data.w, params.shapes.w, new Random(1), { mode: "fan_out", nonlinearity: "relu" });
 */
export function kaimingNormal(values: Vector, shape: Shape, random: Random, options: KaimingOptions = {}): void {
  fillNormal(values, random, 0, kaimingStd("kaimingNormal", values, shape, random, options));
}

function kaimingStd(owner: string, values: Vector, shape: Shape, random: Random, options: KaimingOptions): number {
  check(owner, values, random);
  const { fanIn, fanOut } = fans(owner, values, shape);
  const given = optionsOf(owner, options, ["a", "mode", "nonlinearity"], HINTS);
  const slope = numberOr(owner, given, "a", 0);
  const mode = given.mode === undefined ? "fan_in" : modes.read(owner, "mode", given.mode);
  const kind = given.nonlinearity ?? "leaky_relu";
  return gainOf(owner, kind, slope) / Math.sqrt(mode === "fan_in" ? fanIn : fanOut);
}

/**
 * The factor by which weights should be larger before a nonlinearity, as in PyTorch.
 *
 * @param nonlinearity What follows the layer.
 * @param slope The negative slope of "leaky_relu"; PyTorch's default is 0.01.
 * @returns 1 for "linear" and "sigmoid", 5/3 for "tanh", √2 for "relu", √(2/(1 + slope²)) for "leaky_relu", 3/4 for "selu".
 * @throws TypeError, RangeError for a wrong argument.
 * @example
 * const gain = calculateGain("tanh");
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  return gainOf("calculateGain", nonlinearity, finite.read("calculateGain", "slope", slope));
}

function gainOf(owner: string, nonlinearity: unknown, slope: number): number {
  const gains = { linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2, selu: 3 / 4 };
  const kind = nonlinearities.read(owner, "nonlinearity", nonlinearity);
  return kind === "leaky_relu" ? Math.sqrt(2 / (1 + slope * slope)) : gains[kind];
}
