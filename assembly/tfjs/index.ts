// The exports of tfjs.wasm, the kernels of gradstep/tfjs/wasm. They take sizes, then addresses, and check nothing.
//
// The binary is instantiated on the memory of TensorFlow.js's wasm backend, which belongs to that backend: so it has no data
// segment, never grows the memory, and has only the scratch that its caller allocates there (assembly/build.mjs checks the
// first two). Images are channels last, [images, height, width, channels].
export { batchProduct } from "./batch-product";
export { finish } from "./finish";
export { convolutionFilter, convolutionInput } from "./convolution";
export { depthwiseFilter, depthwiseInput } from "./depthwise";
export { gather } from "./gather";
export { maxPoolGradient } from "./max-pool";
export { segmentSum } from "./segment-sum";
export { apply } from "./functions";
export { repeat } from "./repeat";
export { sum } from "./sum";
export { transpose } from "../nn/transpose";
