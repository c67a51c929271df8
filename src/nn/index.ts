export { MLP, type Evaluation, type MLPOptions } from "./mlp.js";
export type { Inputs, Labels } from "./data.js";
export type { Init } from "./init.js";
export type { Activation, Loss } from "./network.js";
export { Random } from "./random.js";
