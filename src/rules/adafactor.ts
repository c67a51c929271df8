import { padded } from "../memory/arena.js";
import { type Kind, epsilon, float, wrongType, wrongValue } from "../util/check.js";
import { raiseTo } from "../util/exact.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Shape } from "../memory/tensor.js";
import {
  type CommonOptions,
  OWN,
  type Rule,
  type TensorInfo,
  commonDefaults,
  commonKinds,
  exact,
} from "../optimizer/rule.js";

type Eps = readonly [number | null, number];

/** Options of {@link Adafactor}. */
export interface AdafactorOptions extends CommonOptions {
  /** Learning rate, >= 0: the largest relative step, which falls as 1/√t from where that is smaller. Default 1e-2. */
  lr?: number | undefined;
  /** β of the second moment's rate 1 − t^β, <= 0. Default -0.8. */
  beta2Decay?: number | undefined;
  /**
   * ε₁ (its square is the least that the second moment counts as; null: 2⁻²³) and ε₂ (the least root mean square that a
   * tensor counts as), each >= 0. Default [null, 1e-3].
   */
  eps?: readonly [number | null, number] | undefined;
  /** The largest root mean square of an update before it is scaled, >= 1. Default 1. */
  d?: number | undefined;
}

const DEFAULT_FLOOR = 1.1920928955078125e-7; // 2⁻²³
/** The least that float32 holds: what the square of an ε₁ that is not 0 counts as at least. */
const LEAST = 1.401298464324817e-45;
const epsKind: Kind<Eps> = {
  live: true,
  read(owner, name, value) {
    const expected = "an array of two numbers, or null and a number";
    if (!Array.isArray(value)) throw wrongType(owner, name, expected, value);
    if (value.length !== 2) throw wrongValue(owner, name, expected, value);
    const [first, second] = value as unknown[];
    const floor = first === null ? null : epsilon.read(owner, `${name}[0]`, first);
    return Object.freeze([floor, epsilon.read(owner, `${name}[1]`, second)] as const);
  },
};

const product = (shape: Shape): number => shape.reduce((count, length) => count * length, 1);
const isFactored = ({ shape }: TensorInfo): boolean => shape.length > 1;
/** An element a row, an element a column of each matrix. */
const rowSums = ({ shape }: TensorInfo): number => product(shape.slice(0, -1));
const columnSums = ({ shape }: TensorInfo): number => product(shape.slice(0, -2)) * shape[shape.length - 1];

const A = OWN + 1;
const exponent = new Float64Array(1);

const rule: Rule<AdafactorOptions> = {
  name: "Adafactor",
  kinds: {
    ...commonKinds,
    beta2Decay: float("a finite number <= 0", (x) => x <= 0 && x > -Infinity),
    eps: epsKind,
    d: float("a finite number >= 1", (x) => x >= 1 && x < Infinity),
  },
  defaults: { torch: { ...commonDefaults, lr: 1e-2, beta2Decay: -0.8, eps: [null, 1e-3], d: 1 } },
  scope: "tensor",
  slots: (_, tensor) => ({
    rowVar: isFactored(tensor) ? exact(0, rowSums(tensor)) : undefined,
    colVar: isFactored(tensor) ? exact(0, columnSums(tensor)) : undefined,
    variance: isFactored(tensor) ? undefined : exact(),
  }),
  scratch: (_, tensor) => padded(tensor.size) + (isFactored(tensor) ? padded(2 * (tensor.shape.at(-1) ?? 0)) : 0),
  coefficients(c, o, t) {
    c[A] = t;
    exponent[0] = o.beta2Decay;
    raiseTo(c, A, exponent, 0);
    c[OWN] = 1 - c[A];
    c[OWN + 3] = o.eps[0] ?? DEFAULT_FLOOR;
    c[OWN + 2] = Math.max(c[OWN + 3] * c[OWN + 3], c[OWN + 3] > 0 ? LEAST : 0);
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
 * Adafactor: Adam without a first moment, and with a second one that is kept only as means of each row and of each column
 * (over a tensor's last two dimensions). The step is relative to the root mean square of the tensor, and no update's root
 * mean square is larger than `d`. Weight decay is decoupled.
 *
 * State: `rowVar`, `colVar`, 4 bytes a row and a column; of vectors and scalars `variance`, 4 bytes a parameter. And room
 * for one copy of the largest tensor.
 *
 * @see Shazeer, Stern (2018), https://arxiv.org/abs/1804.04235
 * @throws TypeError, RangeError for a wrong option; Error when a live optimizer owns one of the tensors.
 * @example
 * const optimizer = new Adafactor(params, { lr: 1e-2 });
 * optimizer.step();
 */
export class Adafactor<Name extends string = string> extends StepOptimizer<AdafactorOptions, Name> {
  /**
   * @param params The tensors to train, none of them another live optimizer's; this one's until {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<AdafactorOptions, Name> = {}) {
    super(rule, params, options);
  }
}
