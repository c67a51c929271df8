import { describe, expect, test } from "vitest";
import { ParameterDict } from "../../src/index.js";
import { builds } from "../support/builds.js";
import {
  SIZES,
  fillGradient,
  firstDifference,
  paddingOf,
  plainOf,
  plainStep,
  poisonedArena,
  random,
  settledOf,
  shapesOf,
  slotNames,
} from "../support/harness.js";
import type { Plain } from "../support/reference/common.js";
import { cases, make } from "./table.js";

describe.each(builds)("bit equality with the plain reference, $build build", ({ module }) => {
  test.each(cases)("$title", ({ row, options }) => {
    const arena = poisonedArena(2 ** 19, module);
    const params = new ParameterDict(shapesOf(row, Object.fromEntries(SIZES.map((n) => [`n${n}`, n]))), { arena });
    const next = random(7);
    for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
    const optimizer = make(row.rule, params, options);
    const shared = row.shared?.start(settledOf(optimizer)) ?? {};
    const plain = new Map(params.names.map((name) => [name, plainOf(row, optimizer, params, name, shared)]));
    const counts = new Map(params.names.map((name) => [name, 0]));
    const memory = new Uint8Array(arena.buffer);
    const { scratch } = (optimizer as unknown as { slots: { scratch: number } }).slots;
    const free = memory.subarray(scratch || arena.used, arena.used); // a step may leave anything there
    const list = arena.used; // the first step puts its list of runs here

    for (let t = 1; t <= 7; t++) {
      const skip = t === 4 || t === 6 ? params.names.filter((_, i) => i % t === 1) : [];
      const gradScale = t === 5 ? 0.3 : 1;
      const touched: Float32Array[] = [];
      const taken: [Plain, number][] = [];
      for (const name of params.names) {
        const gradient = params.grad[name];
        if (t === 3) gradient.fill(0);
        else fillGradient(gradient, next);
        for (const view of [params.data[name], gradient]) paddingOf(view).fill(NaN);
        if (skip.includes(name)) continue;
        const state = optimizer.state(name);
        touched.push(params.data[name], ...slotNames(optimizer, name).map((slot) => state[slot] as Float32Array));
        const tensor = plain.get(name)!;
        tensor.g.set(gradient);
        counts.set(name, counts.get(name)! + 1);
        taken.push([tensor, counts.get(name)!]);
      }
      plainStep(row, settledOf(optimizer), taken, gradScale);
      if (scratch) new Float32Array(free.buffer, free.byteOffset, free.length / 4).fill(NaN);
      const before = memory.slice();
      expect(optimizer.step({ skip, gradScale })).toBe(true);

      for (const [name, tensor] of plain) {
        const state = optimizer.state(name);
        expect(state.step).toBe(counts.get(name));
        const numbers: Record<string, number> = { ...shared };
        for (const name in row.scalars) numbers[name] = tensor.scalars[name];
        for (const [number, want] of Object.entries(numbers))
          expect((state[number] as number) / (want || 1)).toBeCloseTo(want && 1, 12);
        for (const [what, want] of [["value", tensor.p] as const, ...Object.entries(tensor.slots)]) {
          const view = what === "value" ? params.data[name] : (state[what] as Float32Array);
          const at = firstDifference(view, want);
          if (at >= 0) expect.fail(`step ${t}, ${name} ${what}[${at}]: ${view[at]} is not ${want[at]}`);
        }
      }

      // Only these tensors, their slots and the padding of both have changed: restore them and compare everything.
      for (const view of touched) {
        const [from, to] = [view.byteOffset, view.byteOffset + view.byteLength + paddingOf(view).byteLength];
        before.set(memory.subarray(from, to), from);
      }
      before.set(free, free.byteOffset);
      before.set(memory.subarray(list, arena.used), list);
      expect(Buffer.compare(before, memory)).toBe(0);
    }
  });
});

test("a tensor alone gets the same bits as among others, at every size", () => {
  for (const { row, options } of cases.filter((c) => c.options.weightDecay === 0.05)) {
    for (const n of [1, 3, 4, 5, 15, 16, 17, 65]) {
      const gradient = new Float32Array(n);
      fillGradient(gradient, random(n));
      const run = (sizes: Record<string, number>): Float32Array => {
        const params: ParameterDict = new ParameterDict(shapesOf(row, sizes));
        params.data.x.fill(0.5);
        params.grad.x.set(gradient);
        const optimizer = make(row.rule, params, options);
        for (let t = 0; t < 3; t++) optimizer.step();
        return params.data.x.slice();
      };
      expect(run({ before: 7, x: n, after: 20 })).toEqual(run({ x: n }));
    }
  }
});
