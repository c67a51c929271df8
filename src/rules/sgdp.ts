// SGDP: SGD with momentum and AdamP's projection.
import { belowOne, finite, flag } from "../util/check.js";
import { padded } from "../memory/arena.js";
import { StepOptimizer } from "../optimizer/step-optimizer.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { OptimizerOptions, TensorState } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import { DEC, OWN, commonDefaults, commonKinds, exact, setDecay } from "../optimizer/rule.js";
import { type ProjectionOptions, projectUpdate, projectionDefaults, projectionKinds } from "./projection.js";

/** Options of {@link SGDP}. */
export interface SGDPOptions extends CommonOptions, ProjectionOptions {
  /** Learning rate, >= 0; must be given. */
  lr?: number | undefined;
  /** λ of the weight decay, >= 0, which is decoupled: lr·λ·θ/(1 − momentum). Default 0. */
  weightDecay?: number | undefined;
  /** μ, in [0, 1). Default 0. */
  momentum?: number | undefined;
  /** The gradient enters the buffer times 1 − dampening, at the first step too; any finite number. Default 0. */
  dampening?: number | undefined;
  /** Nesterov momentum. Default false. */
  nesterov?: boolean | undefined;
}

/** A tensor's state under {@link SGDP}. */
export type SGDPState = TensorState<Record<"momentum", Vector>>;

// The kernels do, one rounding per operation, with Muon's momentum:
//   b = mu·b + c·x         c = 1 − dampening, at the first step too
//   u = b                  Nesterov: μ·b + x
// then project u as in assembly/rules/adamp.ts, and end in sgd's kernel with u as the gradient:
//   θ = θ − (dec·θ + lr·u)    dec = lr·λ/(1 − μ), times wdRatio where u was projected
const rule: Rule<SGDPOptions> = {
  name: "SGDP",
  kinds: { ...commonKinds, momentum: belowOne, dampening: finite, nesterov: flag, ...projectionKinds },
  defaults: { torch: { ...commonDefaults, momentum: 0, dampening: 0, nesterov: false, ...projectionDefaults } },
  sweepAll: sweepTensors,
  slots: () => ({ momentum: exact() }),
  scratch: (_, { size }) => padded(size),
  sweep(kernels, run, o) {
    const { at, c, scratch } = run;
    c[OWN] = o.momentum;
    c[OWN + 1] = 1 - o.dampening;
    c[OWN + 2] = o.nesterov ? o.momentum : 1;
    c[OWN + 3] = o.nesterov ? 1 : 0;
    c[OWN + 4] = o.lr;
    kernels.muon(at[0], at[2], at[3], scratch, c[0], c[3], c[4], c[5], c[6]);
    setDecay(c, o, true);
    c[DEC] /= 1 - o.momentum;
    if (projectUpdate(kernels, run, o)) c[DEC] *= o.wdRatio;
    kernels.sgd(at[0], at[1], scratch, 0, 1, 0, c[DEC], 0, 0, c[7], 0);
  },
};

/**
 * SGDP: SGD with momentum, b = μb + (1 − dampening)g from 0, whose update, where gradient and weights are nearly orthogonal,
 * loses its part along the weights, as AdamP's. θ decays by lr·λ/(1 − μ), there times `wdRatio`.
 *
 * State: `momentum`; 4 bytes per parameter. Also scratch for one copy of the largest tensor.
 * @see Heo et al. (2021), https://arxiv.org/abs/2006.08217
 * @throws TypeError or RangeError for a bad option; Error when another live optimizer owns one of the tensors.
 * @example
 * const optimizer = new SGDP(params, { lr: 0.1, momentum: 0.9, weightDecay: 1e-5 });
 * optimizer.step();
 */
export class SGDP<Name extends string = string> extends StepOptimizer<SGDPOptions, Name, SGDPState> {
  /** @param params The tensors to train, owned by this optimizer until {@link dispose}.
   *  @param options Options for all tensors; `groups` overrides them for some. Default: PyTorch's defaults. */
  constructor(params: ParameterDict<Name>, options: OptimizerOptions<SGDPOptions, Name>) {
    super(rule, params, options);
  }
}
