/**
 * Every rule as a `tf.Optimizer` of TensorFlow.js 4.22 or later 4.x: `@tensorflow/tfjs-core` is a peer dependency of this
 * subpath alone.
 *
 * @example
 * import { GradstepOptimizer } from "gradstep/tfjs";
 *
 * model.compile({ optimizer: new GradstepOptimizer("adamw", { lr: 1e-3 }), loss: "meanSquaredError" });
 *
 * @module gradstep/tfjs
 */

export type { Members, VariableGroup } from "./groups.js";
export { GradstepOptimizer, type GradstepOptions } from "./optimizer.js";
export type { RuleName, RuleOptions } from "./rules.js";
export type { NamedTensor } from "./weights.js";
