// Muon: momentum for matrices, made nearly orthogonal by Newton–Schulz steps.
import { padded } from "../memory/arena.js";
import { belowOne, finite, flag, number, oneOf, triple, wrongValue } from "../util/check.js";
import { PACK_BYTES } from "../wasm/generated/layout/products.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import { type CommonOptions, type Rule, type Settled, commonKinds, exact } from "../optimizer/rule.js";

/** Options of {@link Muon}. */
export interface MuonOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** Weight decay λ, >= 0, decoupled: lr·λ, for every `adjustLr`. Default 0.1. */
  weightDecay?: number | undefined;
  /** μ of the moving average of the gradient, in [0, 1). Default 0.95. */
  momentum?: number | undefined;
  /** Nesterov momentum. Default true. */
  nesterov?: boolean | undefined;
  /** Newton–Schulz steps, a whole number in [0, 99]. Default 5. */
  nsSteps?: number | undefined;
  /** a, b and c of a Newton–Schulz step, finite numbers. Default [3.4445, -4.775, 2.0315]. */
  nsCoefficients?: readonly [number, number, number] | undefined;
  /**
   * The rate of an [A, B] matrix: "original" (default): lr·√max(1, A/B). "match_rms_adamw": 0.2·lr·√max(A, B), so that lr
   * is AdamW's. "spectral_unclamped": lr·√(A/B).
   */
  adjustLr?: "original" | "match_rms_adamw" | "spectral_unclamped" | undefined;
}

/** A tensor's state under {@link Muon}. */
export type MuonState = TensorState<Record<"momentumBuffer", Vector>>;

const MIN_NORM = 1e-7;

/** The factor on lr of a matrix of that shape. */
function lrFactor(adjustLr: Settled<MuonOptions>["adjustLr"], rows: number, columns: number): number {
  if (adjustLr === "match_rms_adamw") return 0.2 * Math.sqrt(Math.max(rows, columns));
  return Math.sqrt(adjustLr === "original" ? Math.max(1, rows / columns) : rows / columns);
}

const rule: Rule<MuonOptions> = {
  name: "Muon",
  aliases: "nsSteps=newtonschulz,steps adjustLr=scale",
  kinds: {
    ...commonKinds,
    momentum: belowOne,
    nesterov: flag,
    nsSteps: number("a whole number in [0, 99]", (x) => Number.isInteger(x) && x >= 0 && x <= 99),
    nsCoefficients: triple(finite),
    adjustLr: oneOf(["original", "match_rms_adamw", "spectral_unclamped"]),
  },
  defaults: {
    torch: {
      ...{ lr: 1e-3, weightDecay: 0.1, maximize: false },
      ...{ momentum: 0.95, nesterov: true, nsSteps: 5, adjustLr: "original" },
      nsCoefficients: [3.4445, -4.775, 2.0315],
    },
  },
  later: ["nsCoefficients"],
  sweepAll: sweepTensors,
  accept({ shape }, option) {
    if (shape.length !== 2)
      throw wrongValue("Muon", option, "a 2-D tensor (use another optimizer for the rest, on a subset)", shape);
  },
  slots: () => ({ momentumBuffer: exact() }),
  // X, its next value, two square matrices and the packed panels of a product.
  scratch(_, { shape, size }) {
    const side = Math.min(...shape);
    return 2 * padded(size) + 2 * padded(side * side) + padded(PACK_BYTES / 4);
  },
  sweep(kernels, { at, c, size, shape, scratch }, o) {
    const { muon, sumOfSquares, scale, addScaled, product, sgd } = kernels;
    const { momentum, nsCoefficients } = o;
    const length = at[0];
    const rows = shape[0];
    const columns = shape[1];
    const wide = rows <= columns;
    const side = wide ? rows : columns;
    let x = scratch;
    let y = x + length * 4;
    const gram = y + length * 4;
    const square = gram + padded(side * side);
    const pack = square + padded(side * side);

    const bufferWeight = o.nesterov ? momentum : 1;
    muon(length, at[2], at[3], x, c[0], momentum, 1 - momentum, bufferWeight, o.nesterov ? 1 - momentum : 0);
    scale(length, x, 1 / Math.max(Math.sqrt(sumOfSquares(size, x)), MIN_NORM));
    for (let step = 0; step < o.nsSteps; step++) {
      if (wide) product(rows, rows, columns, true, true, x, x, gram, pack);
      else product(columns, columns, rows, false, false, x, x, gram, pack);
      product(side, side, side, true, true, gram, gram, square, pack); // gram is exactly symmetric, so this is gram²
      scale(side * side, square, nsCoefficients[2]);
      addScaled(side * side, square, gram, nsCoefficients[1]);
      if (wide) product(rows, columns, rows, true, false, square, x, y, pack);
      else product(rows, columns, columns, true, true, x, square, y, pack);
      addScaled(length, y, x, nsCoefficients[0]);
      const swap = x;
      x = y;
      y = swap;
    }
    sgd(length, at[1], x, 0, 1, 0, o.lr * o.weightDecay, 0, 0, o.lr * lrFactor(o.adjustLr, rows, columns), 0);
  },
};

/**
 * Muon: Newton–Schulz steps X ← aX + (bXXᵀ + c(XXᵀ)²)X bring the singular values of the momentum to about 1. For the hidden
 * matrices of a network; use another optimizer for embeddings, the output layer and everything that is not a matrix.
 *
 * State: `momentumBuffer`; 4 bytes per parameter. Also scratch memory for two copies of the largest tensor, two squares of
 * its smaller side, and 160 KB.
 * @see Jordan et al. (2024), https://kellerjordan.github.io/posts/muon/; Liu et al. (2025), https://arxiv.org/abs/2502.16982
 * @throws TypeError or RangeError for a bad option or a tensor that is not 2-D; Error when another live optimizer owns one
 * of the tensors.
 * @example
 * const matrices = params.names.filter((name) => params.shapes[name].length === 2);
 * const muon = new Muon(params.subset(matrices), { lr: 0.02 });
 * const rest = new AdamW(params.subset(params.names.filter((name) => !matrices.includes(name))));
 * for (const optimizer of [muon, rest]) optimizer.step();
 */
export class Muon<Name extends string = string> extends StepOptimizer<MuonOptions, Name, MuonState> {
  /**
   * @param params The matrices to train (2-D tensors only), owned by this optimizer until {@link dispose}.
   * @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<MuonOptions, Name> = {}) {
    super(rule, params, options);
  }
}
