export type { Members, VariableGroup } from "./groups.js";
export { GradstepOptimizer, type GradstepOptions } from "./optimizer.js";
export type { RuleName, RuleOptions } from "./rules.js";
export type { NamedTensor } from "./weights.js";
