import { padded } from "../memory/arena.js";
import { belowOne, finite, flag, number, oneOf, triple, wrongValue } from "../util/check.js";
import { PACK_BYTES } from "../wasm/generated/layout/products.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import type { OptimizerOptions } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import { type CommonOptions, type Rule, type Settled, commonKinds, exact } from "../optimizer/rule.js";

/** Options of {@link Muon}. */
export interface MuonOptions extends CommonOptions {
  /** Learning rate, >= 0. Default 1e-3. */
  lr?: number | undefined;
  /** Weight decay λ, >= 0, decoupled: lr·λ, whatever `adjustLr`. Default 0.1. */
  weightDecay?: number | undefined;
  /** μ of the moving average of the gradient, in [0, 1). Default 0.95. */
  momentum?: number | undefined;
  /** Nesterov's form. Default true. */
  nesterov?: boolean | undefined;
  /** Newton–Schulz steps, a whole number in [0, 99]. Default 5. */
  nsSteps?: number | undefined;
  /** a, b and c of a Newton–Schulz step, finite numbers. Default [3.4445, -4.775, 2.0315]. */
  nsCoefficients?: readonly [number, number, number] | undefined;
  /**
   * For an [A, B] matrix: "original" (default): lr·√max(1, A/B). "match_rms_adamw": 0.2·lr·√max(A, B), for AdamW's lr.
   * "spectral_unclamped": lr·√(A/B).
   */
  adjustLr?: "original" | "match_rms_adamw" | "spectral_unclamped" | undefined;
}

const LEAST_NORM = 1e-7;

function adjusted(adjustLr: Settled<MuonOptions>["adjustLr"], rows: number, columns: number): number {
  if (adjustLr === "match_rms_adamw") return 0.2 * Math.sqrt(Math.max(rows, columns));
  return Math.sqrt(adjustLr === "original" ? Math.max(1, rows / columns) : rows / columns);
}

const rule: Rule<MuonOptions> = {
  name: "Muon",
  kinds: {
    ...commonKinds,
    momentum: belowOne,
    nesterov: flag,
    nsSteps: number("a whole number in [0, 99]", (x) => Number.isInteger(x) && x >= 0 && x <= 99),
    nsCoefficients: triple(finite),
    adjustLr: oneOf("original", "match_rms_adamw", "spectral_unclamped"),
  },
  defaults: {
    torch: {
      ...{ lr: 1e-3, weightDecay: 0.1, maximize: false },
      ...{ momentum: 0.95, nesterov: true, nsSteps: 5, adjustLr: "original" },
      nsCoefficients: [3.4445, -4.775, 2.0315],
    },
  },
  later: ["nsCoefficients"],
  scope: "tensor",
  accept({ shape }, option) {
    if (shape.length !== 2)
      throw wrongValue("Muon", option, "a 2-D tensor (use another optimizer for the rest, on a subset)", shape);
  },
  slots: () => ({ momentumBuffer: exact() }),
  // X, its product, and two of the Gram matrix's size
  scratch(_, { shape, size }) {
    const side = Math.min(...shape);
    return 2 * padded(size) + 2 * padded(side * side) + padded(PACK_BYTES / 4);
  },
  sweep(kernels, { at, c, size, shape, scratch }, o) {
    const { muon, sumOfSquares, scale, addScaled, dense, denseInput, denseWeight, sgd } = kernels;
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

    muon(
      length,
      at[2],
      at[3],
      x,
      c[0],
      momentum,
      1 - momentum,
      o.nesterov ? momentum : 1,
      o.nesterov ? 1 - momentum : 0,
    );
    scale(length, x, 1 / Math.max(Math.sqrt(sumOfSquares(size, x)), LEAST_NORM));
    for (let step = 0; step < o.nsSteps; step++) {
      if (wide) dense(rows, columns, rows, x, x, gram, pack);
      else denseWeight(rows, columns, columns, x, x, gram, pack);
      dense(side, side, side, gram, gram, square, pack); // gram is symmetric to the bit
      scale(side * side, square, nsCoefficients[2]);
      addScaled(side * side, square, gram, nsCoefficients[1]);
      if (wide) denseInput(rows, columns, rows, square, x, y, pack);
      else dense(rows, columns, columns, x, square, y, pack);
      addScaled(length, y, x, nsCoefficients[0]);
      const swap = x;
      x = y;
      y = swap;
    }
    sgd(length, at[1], x, 0, 1, 0, o.lr * o.weightDecay, 0, 0, o.lr * adjusted(o.adjustLr, rows, columns), 0);
  },
};

/**
 * Muon: momentum, made nearly orthogonal: its singular values go to about 1 by Newton–Schulz steps
 * X ← aX + (bXXᵀ + c(XXᵀ)²)X. For the hidden matrices of a network; give embeddings, the output layer and all that is no
 * matrix to another optimizer.
 *
 * State: `momentumBuffer`; 4 bytes a parameter, and room for two copies of the largest tensor, twice the square of its
 * smaller side, and 160 KB.
 *
 * @see Jordan et al. (2024), https://kellerjordan.github.io/posts/muon/; Liu et al. (2025), https://arxiv.org/abs/2502.16982
 * @throws TypeError, RangeError for a wrong option or a tensor that is not 2-D; Error when a live optimizer owns one of the
 * tensors.
 * @example
 * const matrices = params.names.filter((name) => params.shapes[name].length === 2);
 * const muon = new Muon(params.subset(matrices), { lr: 0.02 });
 * const rest = new AdamW(params.subset(params.names.filter((name) => !matrices.includes(name))));
 * for (const optimizer of [muon, rest]) optimizer.step();
 */
export class Muon<Name extends string = string> extends StepOptimizer<MuonOptions, Name> {
  /**
   * @param params The matrices to train (2-D tensors alone), none of them another live optimizer's; this one's until
   * {@link dispose}.
   * @param options For all tensors, with `groups` of those that want others. Default: the defaults of PyTorch's dialect.
   */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<MuonOptions, Name> = {}) {
    super(rule, params, options);
  }
}
