// The exports of the binary. Every rule takes: number of elements (a multiple of 16), parameters, gradient, slots in order,
// then gs (± gradScale), wd (coupled decay λ), dec (decoupled decay lr·λ) and the rule's own coefficients.
// A negative number of elements means a list of runs: see step/run-list.ts.
// A slot at address 0 or a decay of 0 is absent, and selects a loop that was compiled without it.
export { sgd } from "./rules/sgd";
export { adagrad } from "./rules/adagrad";
export { adadelta } from "./rules/adadelta";
export { rmsprop } from "./rules/rmsprop";
export { adam, adamUpdate } from "./rules/adam";
export { nadam } from "./rules/nadam";
export { adamax } from "./rules/adamax";
export { radam } from "./rules/radam";
export { asgd } from "./rules/asgd";
export { rprop } from "./rules/rprop";
export { lion, lionUpdate } from "./rules/lion";
export { lamb } from "./rules/lamb";
export { adafactor } from "./rules/adafactor";
export { muon } from "./rules/muon";
export { prodigy, prodigyMoments } from "./rules/prodigy";
export { adabelief } from "./rules/adabelief";
export { yogi } from "./rules/yogi";
export { adan } from "./rules/adan";
export { adopt } from "./rules/adopt";
export { ademamix } from "./rules/ademamix";
export { madgrad } from "./rules/madgrad";
export { ftrl } from "./rules/ftrl";
export { schedulefreesgd } from "./rules/schedulefreesgd";
export { schedulefreeadamw } from "./rules/schedulefreeadamw";
export { laprop, lapropUpdate } from "./rules/laprop";
export { mars } from "./rules/mars";
export { adamp } from "./rules/adamp";
export { signum } from "./rules/signum";
export { adabound } from "./rules/adabound";
export { dadaptadam } from "./rules/dadaptadam";

// Cautious updates of rules.
export { agreeing, cautious } from "./rules/cautious";

// Slots in bfloat16 or 8 bits: format, length, addresses, then what the dither depends on.
export { pack, unpack } from "./state/small-formats";

// Reductions and whole-vector operations: length, then addresses and numbers.
export {
  addScaled, approach, centralize, clamp, climb, dot, dotDifference, exchange, firstNonFinite, flushDenormals, maxAbs, project,
  scale, sumOfAbs, sumOfRatios, sumOfSquares, sumOfSquaredProducts,
} from "./step/reductions";

// Rows of a table, for sparse steps: the number of rows, then addresses and sizes.
export { gatherRows, scatterRows } from "./step/sparse-rows";

// The matrix product, which Muon needs too: sizes, then addresses. The kernels of networks are in nn/index.ts.
export { product } from "./products/product";
export { takePart } from "./products/parts";
