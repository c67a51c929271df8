/**
 * Networks, whose gradients are computed in the memory that the optimizers use, and a seeded generator.
 *
 * @example
 * import { AdamW } from "gradstep";
 * import { Network, linear, relu } from "gradstep/nn";
 *
 * const network = new Network([784], [linear(128), relu(), linear(10)]);
 * const optimizer = new AdamW(network.params);
 * const loss = network.trainBatch(x, y);
 * optimizer.step();
 *
 * @module gradstep/nn
 */

export { Network } from "./network.js";
export type { BaseNetwork } from "./base-network.js";
export type { EpochResult, FitOptions } from "./fit.js";
export type { Evaluation } from "./passes.js";
export type { NetworkOptions } from "./options.js";
export { MLP, type Activation, type MLPOptions } from "./mlp.js";
export { linear, type LinearOptions } from "./layers/linear.js";
export { conv1d, conv2d, type Conv1dOptions, type Conv2dOptions } from "./layers/convolution.js";
export { avgPool2d, globalAvgPool2d, maxPool2d, type PoolOptions } from "./layers/pooling.js";
export type { Extent } from "./layers/extent.js";
export { batchNorm, groupNorm, type BatchNormOptions, type GroupNormOptions } from "./layers/channel-norm.js";
export { layerNorm, type LayerNormOptions } from "./layers/layer-norm.js";
export { embedding, positionEmbedding } from "./layers/embedding.js";
export { selfAttention, type SelfAttentionOptions } from "./layers/attention.js";
export { flatten } from "./layers/flatten.js";
export { gelu, leakyRelu, relu, sigmoid, silu, tanh, type LeakyReluOptions } from "./layers/activation.js";
export { dropout } from "./layers/dropout.js";
export { residual } from "./layers/residual.js";
export type { Layer, LayerOptions } from "./layers/layer.js";
export type { Inputs, Labels, Nested, Targets } from "./data.js";
export type { Init } from "./init.js";
export type { Pattern, PatternPart } from "./patterns.js";
export type { Loss } from "./losses.js";
export { Random } from "../init/random.js";
