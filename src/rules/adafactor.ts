// Adafactor: Adam without a first moment, whose second moment is stored as row and column means.
import { padded } from "../memory/arena.js";
import { type Kind, epsilon, float, wrongType, wrongValue } from "../util/check.js";
import { raiseTo } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Shape, Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule, TensorInfo } from "../optimizer/rule.js";
import { OWN, commonDefaults, commonKinds, exact } from "../optimizer/rule.js";

type Eps = readonly [number | null, number];

/** Options of {@link Adafactor}. */
export interface AdafactorOptions extends CommonOptions {
  /** Learning rate, >= 0: the relative step is min(lr, 1/√t). Default 1e-2. */
  lr?: number | undefined;
  /** β in the second moment's decay rate 1 − t^β, <= 0. Default -0.8. */
  beta2Decay?: number | undefined;
  /**
   * ε₁, whose square is the lower bound of the second moment (null: 2⁻²³), and ε₂, the lower bound of a tensor's root mean
   * square; each >= 0. Default [null, 1e-3].
   */
  eps?: readonly [number | null, number] | undefined;
  /** Clips the root mean square of an update before it is scaled, >= 1. Default 1. */
  d?: number | undefined;
}

/** A tensor's state under {@link Adafactor}. Vectors and scalars have `variance`, other tensors `rowVar` and `colVar`. */
export type AdafactorState = TensorState<Partial<Record<"rowVar" | "colVar" | "variance", Vector>>>;

const DEFAULT_EPS1 = 1.1920928955078125e-7; // 2⁻²³
/** The smallest float32 above 0: keeps the square of an ε₁ above 0 from becoming 0. */
const MIN_FLOAT32 = 1.401298464324817e-45;
const epsKind: Kind<Eps> = {
  live: true,
  read(owner, name, value) {
    const expected = "an array of two numbers, or null and a number";
    if (!Array.isArray(value)) throw wrongType(owner, name, expected, value);
    if (value.length !== 2) throw wrongValue(owner, name, expected, value);
    const [first, second] = value as unknown[];
    const eps1 = first === null ? null : epsilon.read(owner, `${name}[0]`, first);
    return Object.freeze([eps1, epsilon.read(owner, `${name}[1]`, second)] as const);
  },
};

const product = (shape: Shape): number => shape.reduce((count, length) => count * length, 1);
const isFactored = ({ shape }: TensorInfo): boolean => shape.length > 1;
// One sum per row and one per column of each matrix in the last two dimensions.
const rowSums = ({ shape }: TensorInfo): number => product(shape.slice(0, -1));
const columnSums = ({ shape }: TensorInfo): number => product(shape.slice(0, -2)) * shape[shape.length - 1];

const rule: Rule<AdafactorOptions> = {
  name: "Adafactor",
  aliases: "beta2Decay=decayrate,beta2 d=clipthreshold,clippingthreshold eps=eps1,eps2",
  kinds: {
    ...commonKinds,
    beta2Decay: float("a finite number <= 0", (x) => x <= 0 && x > -Infinity),
    eps: epsKind,
    d: float("a finite number >= 1", (x) => x >= 1 && x < Infinity),
  },
  defaults: { torch: { ...commonDefaults, lr: 1e-2, beta2Decay: -0.8, eps: [null, 1e-3], d: 1 } },
  sweepAll: sweepTensors,
  slots: (_, tensor) => ({
    rowVar: isFactored(tensor) ? exact(0, rowSums(tensor)) : undefined,
    colVar: isFactored(tensor) ? exact(0, columnSums(tensor)) : undefined,
    variance: isFactored(tensor) ? undefined : exact(),
  }),
  scratch: (_, tensor) => padded(tensor.size) + (isFactored(tensor) ? padded(2 * (tensor.shape.at(-1) ?? 0)) : 0),
  coefficients(c, o, t) {
    const eps1 = o.eps[0] ?? DEFAULT_EPS1;
    c[OWN + 1] = t;
    c[OWN + 2] = o.beta2Decay;
    raiseTo(c, OWN + 1, c, OWN + 2);
    c[OWN] = 1 - c[OWN + 1];
    c[OWN + 2] = Math.max(eps1 * eps1, eps1 > 0 ? MIN_FLOAT32 : 0);
    c[OWN + 3] = eps1;
  },
  sweep({ adafactor, sumOfSquares, sgd }, { at, c, t, size, shape, scratch }, o) {
    const columns = shape.length > 1 ? shape[shape.length - 1] : size;
    const rows = shape.length > 1 ? shape[shape.length - 2] : 1;
    const batch = size / (rows * columns);
    const sums = scratch + at[0] * 4;
    // prettier-ignore
    adafactor(at[0], batch, rows, columns, at[2], at[3], at[4], at[5], scratch, sums, c[0], c[3], c[4], c[5], c[6]);
    const root = Math.sqrt(size);
    const weights = Math.sqrt(sumOfSquares(size, at[1])) / root;
    const update = Math.sqrt(sumOfSquares(size, scratch)) / (root * o.d);
    const rate = Math.max(o.eps[1], weights) * Math.min(o.lr, 1 / Math.sqrt(t));
    sgd(at[0], at[1], scratch, 0, 1, 0, o.lr * o.weightDecay, 0, 0, rate / Math.max(1, update), 0);
  },
};

/**
 * Adafactor: Adam without a first moment, whose second moment is stored as the means of each row and each column (of a
 * tensor's last two dimensions). The step is relative to the tensor's root mean square, and an update's root mean square
 * is at most `d`. Weight decay is decoupled.
 *
 * State: `rowVar` and `colVar`, 4 bytes per row and per column; for vectors and scalars `variance`, 4 bytes per parameter.
 * Also scratch for one copy of the largest tensor.
 * @see Shazeer, Stern (2018), https://arxiv.org/abs/1804.04235
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Adafactor(params, { lr: 1e-2 });
 * optimizer.step();
 */
export class Adafactor<Name extends string = string> extends StepOptimizer<AdafactorOptions, Name, AdafactorState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdafactorOptions, Name> = {}) {
    super(rule, params, options);
  }
}
