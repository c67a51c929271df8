import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ParameterDict } from "../src/index.js";
import { type Options, make } from "./rules.js";

type Named<T> = Record<string, T>;
interface Case {
  name: string;
  rule: string;
  options: Options;
  tensors: string[];
  groups?: Options[];
  absent?: boolean;
  changes?: Named<Options>;
  gradients?: "absolute";
  step?: { gradScale: number };
  expected: Named<Named<number[]>>;
  bound: Named<Named<number>>;
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8"));
const { cases, checkpoints } = read("cases.json") as { cases: Case[]; checkpoints: number[] };
const inputs = read("inputs.json") as {
  shapes: Named<number[]>;
  initial: Named<number[]>;
  gradients: Named<number[]>[];
  absent: Partial<Named<string[]>>;
};

test("the fixtures are all there", () => {
  expect(cases).toHaveLength(162);
});

describe("golden vectors", () => {
  test.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const params = ParameterDict.from(
      Object.fromEntries(c.tensors.map((n) => [n, { shape: inputs.shapes[n], data: inputs.initial[n].flat(9) }])),
    );
    const optimizer = make(c.rule, params, { ...c.options, ...(c.groups ? { groups: c.groups } : {}) });
    for (let t = 1; t <= Math.max(...checkpoints); t++) {
      for (const n of c.tensors) {
        const gradient = inputs.gradients[t - 1][n].flat(9);
        params.grad[n].set(c.gradients === "absolute" ? gradient.map(Math.abs) : gradient);
      }
      for (const group of optimizer.paramGroups) Object.assign(group, c.changes?.[t]);
      const skip = c.absent ? (inputs.absent[t] ?? []) : [];
      optimizer.step({ skip, ...c.step });
      if (!checkpoints.includes(t)) continue;
      for (const [key, expected] of Object.entries(c.expected[t])) {
        const [, slot, name] = /^state:(\w+):(.+)$/.exec(key) ?? [];
        const state = slot ? optimizer.state(name)[slot] : params.data[key];
        const actual = typeof state === "number" ? [state] : state;
        const bound = c.bound[t][key];
        expect(actual.length, key).toBe(expected.length);
        expected.forEach((want, i) => {
          if (!(Math.abs(actual[i] - want) <= bound))
            expect.fail(
              `step ${t}, ${key}[${i}]: ${actual[i]} is ${Math.abs(actual[i] - want)} from ${want}, allowed ${bound}`,
            );
        });
      }
    }
  });
});
