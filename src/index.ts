export { Arena, type ArenaOptions } from "./arena.js";
export type { MemoryOptions } from "./memory.js";
export {
  type GroupOptions,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type StepOptions,
  StepOptimizer,
  type TensorName,
  type TensorState,
} from "./optimizer.js";
export { ParameterDict, type Shape, type Values, type Vector } from "./parameters.js";
export type { CommonOptions, Dialect, WholeOptions } from "./rule.js";
export { Adadelta, type AdadeltaOptions } from "./rules/adadelta.js";
export { Adagrad, type AdagradOptions } from "./rules/adagrad.js";
export { Adam, type AdamOptions } from "./rules/adam.js";
export { AdamW, type AdamWOptions } from "./rules/adamw.js";
export { NAdam, type NAdamOptions } from "./rules/nadam.js";
export { RMSprop, type RMSpropOptions } from "./rules/rmsprop.js";
export { SGD, type SGDOptions } from "./rules/sgd.js";
