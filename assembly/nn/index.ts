// The exports of nn.wasm, the kernels of gradstep/nn. They take sizes, then addresses, and check nothing.
//
// It is a binary of its own, so that who only takes an optimizer does not load it. Both binaries are instantiated on the
// memory of one arena; the constants of this one lie at 8192, behind those of the other (assembly/build.mjs).
export { takePart } from "../products/parts";
export { addBias, dense, denseBias, denseInput, denseInputSkip, denseSkip, denseWeight, denseWeightSkip } from "./dense";
export { convertBytes } from "./bytes";
export { gelu, geluGradient, relu, reluGradient, sigmoid, sigmoidGradient, tanh, tanhGradient } from "./activation";
export { crossEntropy, squaredError } from "./loss";
export { add } from "./residual";
export { transpose } from "./transpose";
