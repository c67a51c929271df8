/**
 * Multi-layer perceptrons, whose gradients are computed in the memory that the optimizers use, and a seeded generator.
 *
 * @example
 * import { Adam } from "gradstep";
 * import { MLP } from "gradstep/nn";
 *
 * const mlp = new MLP([784, 128, 10]);
 * const optimizer = new Adam(mlp.params);
 * const loss = mlp.trainBatch(x, y);
 * optimizer.step();
 *
 * @module gradstep/nn
 */

export { MLP, type Evaluation, type MLPOptions } from "./mlp.js";
export type { Inputs, Labels } from "./data.js";
export type { Init } from "./init.js";
export type { Activation, Loss } from "./network.js";
export { Random } from "../init/random.js";
