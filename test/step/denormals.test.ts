// Every 256 steps, what has decayed to denormals, at which arithmetic is slow, becomes 0.
import { describe, expect, test } from "vitest";
import { ParameterDict } from "../../src/index.js";
import { shapesOf, slotNames } from "../support/harness.js";
import { make, rows } from "../rules/table.js";

/** Whether a rule's step may set all slots anew, as SGDP's does without momentum. */
const setsAnew = (rule: string, options: { momentum?: unknown }): boolean =>
  ["ASGD", "Rprop"].includes(rule) || (rule === "SGDP" && (options.momentum ?? 0) === 0);
const LEAST = 2 ** -126;
const isDenormal = (x: number): boolean => x !== 0 && Math.abs(x) < LEAST;

/** The optimizer after a step without gradients from a state of so many steps, whose slots are all `value`. */
function after(row: (typeof rows)[number], options: Record<string, unknown>, steps: number, value: number) {
  const params: ParameterDict = new ParameterDict(shapesOf(row, { a: 70, b: 5 }));
  const optimizer = make(row.rule, params, options);
  const saved = structuredClone(optimizer.stateDict());
  for (const tensor of Object.values(saved.state)) {
    (tensor as { step: number }).step = steps;
    for (const slot of Object.values(tensor.slots)) (slot as Float32Array).fill(value);
  }
  optimizer.loadStateDict(saved);
  optimizer.step();
  return { params, optimizer };
}

describe.each(rows)("$rule", (row) => {
  test.each(row.variants)("%j", (options) => {
    const at256 = after(row, options, 255, 1e-39);
    const later = after(row, options, 256, 1e-39);
    const start = row.start?.(at256.optimizer.paramGroups[0] as never) ?? {};
    let kept = 0;
    for (const name of at256.params.names)
      for (const slot of slotNames(at256.optimizer, name)) {
        const [flushed, plain] = [at256, later].map(({ optimizer }) => optimizer.state(name)[slot] as Float32Array);
        if (start[slot] === "parameters") expect(flushed.some(isDenormal), slot).toBe(plain.some(isDenormal));
        else expect(flushed.some(isDenormal), `${slot} of ${name}`).toBe(false);
        if (plain.some(isDenormal)) kept++;
      }
    // In the next step they stay: so the flush is what took them.
    if (!setsAnew(row.rule, options))
      expect(kept > 0, "denormals at step 257").toBe(slotNames(later.optimizer, "a").length > 0);
  });
});

test("leaves normal numbers and the parameters alone", () => {
  const row = rows.find(({ rule }) => rule === "SGD")!;
  const { params, optimizer } = after(row, { lr: 0.1, momentum: 0.9 }, 255, 1e-37);
  expect((optimizer.state("a").momentumBuffer as Float32Array)[69]).toBe(
    Math.fround(Math.fround(0.9) * Math.fround(1e-37)),
  );
  expect(isDenormal(params.data.a[69])).toBe(true);
});
