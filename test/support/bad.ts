// Checks that rules refuse bad options, without a test framework, so that any runtime can.
import { ParameterDict } from "../../src/index.js";
import { shapesOf } from "./harness.js";
import { type Options, type Row, make } from "../rules/table.js";

export type Bad = readonly [options: unknown, error: ErrorConstructor, message: RegExp];

/** Options that every rule refuses. */
export const common: readonly Bad[] = [
  [{ lr: -1 }, RangeError, /"lr" expected a finite number >= 0, got -1$/],
  [{ lr: NaN }, RangeError, /"lr" expected a finite number >= 0, got NaN$/],
  [{ lr: Infinity }, RangeError, /"lr" expected a finite number >= 0, got Infinity$/],
  [{ lr: 1e39 }, RangeError, /"lr" expected a finite number >= 0 that float32 can hold, got 1e\+39$/],
  [{ weightDecay: 1e39 }, RangeError, /"weightDecay" expected a finite number >= 0 that float32 can hold, got 1e\+39$/],
  [
    { lr: 1e20, weightDecay: 1e20 },
    RangeError,
    /"weightDecay" expected a number whose product with lr float32 can hold, got 100000000000000000000$/,
  ],
  [{ lr: "0.1" }, TypeError, /"lr" expected a finite number >= 0, got "0.1"$/],
  [{ lr: null }, TypeError, /"lr" expected a finite number >= 0, got null$/],
  [{ lr: { constructor: { name: Symbol("lr") } } }, TypeError, /"lr" expected a finite number >= 0, got an object$/],
  [{ weightDecay: -0.1 }, RangeError, /"weightDecay" expected a finite number >= 0, got -0.1$/],
  [{ maximize: "no" }, TypeError, /"maximize" expected true or false, got "no"$/],
  [{ dialect: "caffe" }, RangeError, /"dialect" expected (one of )?"torch"(, "keras")?(, "optax")?, got "caffe"$/],
  [{ dialect: 1 }, TypeError, /"dialect" expected (one of )?"torch"(, "keras")?(, "optax")?, got 1$/],
  [
    { learningRate: 0.1 },
    RangeError,
    /unknown option "learningRate"; did you mean "lr"\? The options are lr, weightDecay, /,
  ],
  [
    { nonFinite: "ignore" },
    RangeError,
    /"nonFinite" expected one of "propagate", "skip", "throw", got "ignore"; did you mean "propagate"\?$/,
  ],
  [{ groups: [{ params: ["a"], nonFinite: "skip" }] }, RangeError, /unknown option "groups\[0\].nonFinite"/],
  [0.1, TypeError, /"options" expected an object, such as { lr: 0.001 }, got 0.1$/],
  [null, TypeError, /"options" expected an object, such as { lr: 0.001 }, got null$/],
  [[], TypeError, /"options" expected an object, such as { lr: 0.001 }, got \[\]$/],
  [{ groups: { params: ["a"] } }, TypeError, /"groups" expected an array of groups, got an object$/],
  [{ groups: ["a"] }, TypeError, /"groups\[0\]" expected an object, got "a"$/],
  [
    { groups: [{}] },
    TypeError,
    /"groups\[0\].params" expected an array of tensor names, a RegExp or a function, got undefined$/,
  ],
  [
    { groups: [{ params: "a" }] },
    TypeError,
    /"groups\[0\].params" expected an array of tensor names, a RegExp or a function, got "a"$/,
  ],
  [
    { groups: [{ params: [1] }] },
    TypeError,
    /"groups\[0\].params\[0\]" expected a tensor name, a RegExp or a function, got 1$/,
  ],
  [
    { groups: [{ params: ["c"] }] },
    RangeError,
    /"groups\[0\].params\[0\]" expected one of the tensors "a", "b", got "c"$/,
  ],
  [
    { groups: [{ params: ["a", "a"] }] },
    RangeError,
    /"groups\[0\].params\[1\]" expected each tensor once, in one group, got "a"$/,
  ],
  [
    { groups: [{ params: ["a"] }, { params: ["b", "a"] }] },
    RangeError,
    /"groups\[1\].params\[1\]" expected each tensor once/,
  ],
  [{ groups: [{ params: ["a"], lr: -1 }] }, RangeError, /"groups\[0\].lr" expected a finite number >= 0, got -1$/],
  [
    { groups: [{ params: ["a"], rate: 1 }] },
    RangeError,
    /unknown option "groups\[0\].rate"; did you mean "lr"\? The options are params, lr, /,
  ],
  [{ groups: [{ params: ["a"], dialect: "keras" }] }, RangeError, /unknown option "groups\[0\].dialect"/],
];

/** Options, if they are an object, with those without which the rule cannot be made. */
export const withRequired = ({ required }: Row, options: unknown): unknown =>
  typeof options === "object" && options !== null && !Array.isArray(options) ? { ...required, ...options } : options;

/** Throws unless the rule refuses the options with that error and changes nothing. */
export function checkRefused(row: Row, [options, error, message]: Bad): void {
  const params = new ParameterDict(shapesOf(row, { a: 3, b: 2 }), { slots: 8 });
  const { used } = params.arena;
  let thrown: unknown;
  try {
    make(row.rule, params, withRequired(row, options) as Options);
  } catch (e) {
    thrown = e;
  }
  if (thrown === undefined) throw new Error("accepted");
  if (!(thrown instanceof error)) throw new Error(`expected a ${error.name}`, { cause: thrown });
  if (!thrown.message.startsWith(`${row.rule}: `) || !message.test(thrown.message))
    throw new Error(`expected "${row.rule}: …" with ${String(message)}, got "${thrown.message}"`);
  if (params.arena.used !== used) throw new Error(`${params.arena.used - used} bytes of the arena are lost`);
  make(row.rule, params, row.required).step(); // the tensors are still free
}
