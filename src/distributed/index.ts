/**
 * Training of one model by many processes, machines and browser tabs over a NATS server: the same result whoever takes part
 * and whatever fails.
 *
 * @example
 * import { coordinate, join } from "gradstep/distributed";
 *
 * for await (const { round, loss } of coordinate(nc, { run: "mnist", params, optimizer, ...settings })) console.log(round, loss);
 * await join(nc, { run: "mnist", params, optimizer, step });
 *
 * @module gradstep/distributed
 */

export { type CoordinateOptions, type Run, coordinate } from "./coordinate.js";
export type { Progress } from "./interfaces.js";
export { type JoinOptions, join } from "./join.js";
export type { InnerOptimizer } from "./run.js";
export type { LocalStep, StepFunction } from "./worker.js";
export type { Signal } from "../util/signal.js";
export type { AnyOptimizer } from "../optimizer/any-optimizer.js";
export type { Saveable } from "../memory/saved.js";
