// The exports of nn.wasm, the kernels of gradstep/nn. They take sizes, then addresses, and check nothing.
//
// It is a binary of its own, so that who only takes an optimizer does not load it. Both binaries are instantiated on the
// memory of one arena; the constants of this one lie at 8192, behind those of the other (assembly/build.mjs).
export { takePart } from "../products/parts";
export { dense, denseInput, denseWeight } from "./dense";
export { convertBytes } from "./bytes";
export { gelu, multiply, leakyRelu, leakyReluGradient, relu, reluGradient } from "./activation";
export { sigmoid, sigmoidGradient, silu, siluGradient, tanh, tanhGradient } from "./activation";
export { dropout } from "./dropout";
export { binaryCrossEntropy, crossEntropy, huber, squaredError } from "./loss";
export { add, addRows, copy, sumRows } from "./rows";
export { transpose } from "./transpose";
export { convolve } from "./convolution-forward";
export { convolveGradient, convolveWeight } from "./convolution-gradient";
export { pool } from "./pooling";
export { embed, embedGradient } from "./embedding";
export { layerNorm, layerNormInput, layerNormWeight } from "./layer-norm";
export { channelConstants, channelGradients, channelStatistics, normalizeChannels, normalizeChannelsGradient } from "./channel-norm";
export { attend, attendGradient } from "./attention";
