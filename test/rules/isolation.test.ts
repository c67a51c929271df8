// Two optimizers share nothing: one can take a whole step between any two kernel calls of the other.
import { expect, test } from "vitest";
import { Arena, ParameterDict } from "../../src/index.js";
import type { Kernels } from "../../src/kernels.js";
import { fillGradient, firstDifference, random, shapesOf } from "../support/harness.js";
import { type Options, type Row, make, rows } from "./table.js";

const cases = rows.flatMap((row) => row.variants.map((options) => ({ row, options, rule: row.rule })));

/** An optimizer in its own arena, and a function that gives it new gradients and steps. */
function setUp(row: Row, options: Options, seed: number) {
  const arena = new Arena({ capacity: 2 ** 20 });
  const params = new ParameterDict(shapesOf(row, { a: 30, b: 12 }), { arena });
  const next = random(seed);
  for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
  const optimizer = make(row.rule, params, options);
  const step = (): void => {
    for (const name of params.names) fillGradient(params.grad[name], next);
    optimizer.step();
  };
  return { arena, params, optimizer, step };
}

test.each(cases)("$rule $options", ({ row, options }) => {
  const [outer, inner] = [setUp(row, options, 1), setUp(row, options, 2)];
  const [outerAlone, innerAlone] = [setUp(row, options, 1), setUp(row, options, 2)];
  let calls = 0;
  const { kernels } = outer.arena;
  const interrupted = Object.entries(kernels).map(([name, kernel]) => [
    name,
    (...args: number[]): unknown => {
      calls++;
      inner.step();
      return (kernel as (...args: number[]) => unknown)(...args);
    },
  ]);
  Object.defineProperty(outer.arena, "kernels", { value: Object.fromEntries(interrupted) as Kernels });

  for (let t = 0; t < 3; t++) {
    outer.step();
    outerAlone.step();
  }
  for (let t = 0; t < calls; t++) innerAlone.step();
  expect(calls).toBeGreaterThanOrEqual(3);
  for (const [one, alone] of [
    [outer, outerAlone],
    [inner, innerAlone],
  ]) {
    for (const name of one.params.names)
      expect(firstDifference(one.params.data[name], alone.params.data[name])).toBe(-1);
    expect(one.optimizer.stateDict()).toEqual(alone.optimizer.stateDict());
  }
});
