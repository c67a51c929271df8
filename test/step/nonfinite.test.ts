import { describe, expect, test } from "vitest";
import { Adam, ParameterDict, WeightEma } from "../../src/index.js";
import { fillGradient, firstDifference, paddingOf, random, shapesOf } from "../support/harness.js";
import { type Options, make, rows } from "../rules/table.js";

const SIZES = { a: 5, b: 36, c: 33, d: 17 };
const variants = rows.flatMap((row) =>
  row.variants.map((options) => ({ row, options, title: `${row.rule} ${JSON.stringify(options)}` })),
);

/** An optimizer that has taken two steps, and gradients for a third. */
function setUp(rule: string, options: Options, seed = 5) {
  const params = new ParameterDict(shapesOf(rows.find((row) => row.rule === rule) ?? {}, SIZES));
  const next = random(seed);
  for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
  const optimizer = make(rule, params, { weightDecay: 0.05, ...options });
  const draw = (): void => {
    for (const name of params.names) {
      fillGradient(params.grad[name], next);
      paddingOf(params.grad[name]).fill(NaN);
    }
  };
  for (let t = 0; t < 2; t++) {
    draw();
    optimizer.step();
  }
  draw();
  const memory = new Uint8Array(params.arena.buffer).subarray(0, params.arena.used);
  return { params, optimizer, draw, memory };
}

const BAD: [name: keyof typeof SIZES, element: number, value: number][] = [
  ["a", 0, NaN],
  ["b", 35, Infinity],
  ["c", 32, -Infinity],
];

describe("nonFinite", () => {
  test.each(variants)('"skip" leaves everything as it was and returns false: $title', ({ row, options }) => {
    const { params, optimizer, draw, memory } = setUp(row.rule, { ...options, nonFinite: "skip" });
    const never = setUp(row.rule, options);
    for (const [name, element, value] of BAD) {
      params.grad[name][element] = value;
      const [before, state] = [memory.slice(), optimizer.stateDict()];
      expect(optimizer.step()).toBe(false);
      expect(optimizer.step({ gradScale: 0.5 })).toBe(false);
      expect(Buffer.compare(before, memory)).toBe(0);
      expect(optimizer.stateDict()).toEqual(state);
      for (const n of params.names) params.grad[n].set(never.params.grad[n]);
    }
    for (let t = 0; t < 2; t++) {
      expect(optimizer.step()).toBe(true);
      never.optimizer.step();
      draw();
      never.draw();
    }
    for (const name of params.names) expect(firstDifference(params.data[name], never.params.data[name])).toBe(-1);
  });

  test.each(variants)('"throw" names tensor and element and has changed nothing: $title', ({ row, options }) => {
    const { params, optimizer, memory } = setUp(row.rule, { ...options, nonFinite: "throw" });
    for (const [name, element, value] of [...BAD].reverse()) {
      params.grad[name][element] = value;
      const [before, state] = [memory.slice(), optimizer.stateDict()];
      const expected = `${row.rule}: the gradient of "${name}" is ${value} at element ${element}`;
      expect(() => optimizer.step()).toThrow(expected);
      expect(() => optimizer.step({ clipNorm: 1, gradScale: 2 })).toThrow(expected);
      expect(optimizer.gradNorm).toBeNaN();
      expect(Buffer.compare(before, memory)).toBe(0);
      expect(optimizer.stateDict()).toEqual(state);
    }
    // Of several, the first.
    expect(() => optimizer.step()).toThrow(`"a" is NaN at element 0`);
  });

  test.each(["skip", "throw"])("gradients of skipped tensors are not checked: %s", (nonFinite) => {
    const { params, optimizer } = setUp("Adam", { nonFinite });
    const plain = setUp("Adam", {});
    params.grad.b.fill(NaN);
    params.grad.d[16] = Infinity;
    for (const o of [optimizer, plain.optimizer]) expect(o.step({ skip: ["d", "b"] })).toBe(true);
    for (const name of params.names) expect(firstDifference(params.data[name], plain.params.data[name])).toBe(-1);
    expect([optimizer.state("a").step, optimizer.state("b").step]).toEqual([3, 2]);
    if (nonFinite === "skip") expect(optimizer.step({ skip: ["d"] })).toBe(false);
    else expect(() => optimizer.step({ skip: ["d"] })).toThrow('Adam: the gradient of "b" is NaN at element 0');
    expect(optimizer.step({ skip: ["b", "d"] })).toBe(true);
  });

  test('"propagate" is the default: the element is lost, and no other', () => {
    const { params, optimizer } = setUp("Adam", {});
    params.grad.b[7] = NaN;
    expect(optimizer.step()).toBe(true);
    for (const name of params.names)
      params.data[name].forEach((x, i) => expect(Number.isNaN(x)).toBe(name === "b" && i === 7));
    expect(optimizer.state("b").step).toBe(3);
  });

  test.each(["SGD", "Adam", "LAMB"])(
    "a gradient that overflows by gradScale is none that is finite, unless it is clipped: %s",
    (rule) => {
      for (const nonFinite of ["skip", "throw"]) {
        const { params, optimizer, memory } = setUp(rule, { nonFinite });
        params.grad.b[35] = -1e30;
        params.grad.c[2] = 2e38;
        const before = memory.slice();
        const step = (options: object) => () => optimizer.step(options);
        const refused: [options: object, message: string][] = [
          [{ gradScale: 1e9 }, `"b" is ${Math.fround(-1e30)} at element 35`],
          [{ gradScale: -2 }, `"c" is ${Math.fround(2e38)} at element 2`],
          [{ gradScale: 1e30, skip: ["b"] }, `"c" is ${Math.fround(2e38)} at element 2`],
        ];
        for (const [options, message] of refused)
          if (nonFinite === "skip") expect(step(options)()).toBe(false);
          else
            expect(step(options)).toThrow(`${rule}: the gradient of ${message}, which times "gradScale" is infinite`);
        expect(Buffer.compare(before, memory)).toBe(0);
        for (const options of [
          {},
          { gradScale: 1.7 },
          { gradScale: 1e9, skip: ["b", "c"] },
          { gradScale: 1e9, clipNorm: 1 },
        ])
          expect(step(options)()).toBe(true);
        for (const name of params.names) expect(params.data[name].every(Number.isFinite)).toBe(true);
      }
    },
  );

  test("with rows, only the gradients of those rows are checked", () => {
    const params = new ParameterDict({ table: [4, 3] });
    const optimizer = new Adam(params, { nonFinite: "throw" });
    params.grad.table[10] = 1e30;
    expect(optimizer.step({ rows: { table: [0, 2] }, gradScale: 1e20 })).toBe(true);
    expect(() => optimizer.step({ rows: { table: [0, 3] }, gradScale: 1e20 })).toThrow("at element 10, which times");
  });

  test("large gradients and denormals are finite", () => {
    const { params, optimizer } = setUp("SGD", { lr: 1e-38, nonFinite: "throw" });
    params.grad.a.set([3.4028234663852886e38, -3.4028234663852886e38, 2 ** -149, -0, 0]);
    expect(optimizer.step()).toBe(true);
  });
});

describe("gradScale", () => {
  test.each(variants)(
    "of 1/4 over four micro-batches is the large batch, within rounding: $title",
    ({ row, options }) => {
      const [sums, means] = [setUp(row.rule, options), setUp(row.rule, options)];
      const start = sums.params.copy();
      const next = random(21);
      for (let t = 0; t < 3; t++) {
        for (const name of sums.params.names) {
          const mean = new Float64Array(means.params.grad[name].length);
          sums.params.grad[name].fill(0);
          for (let batch = 0; batch < 4; batch++)
            for (let i = 0; i < mean.length; i++) {
              const g = Math.fround(next() - 0.5);
              sums.params.grad[name][i] += g;
              mean[i] += g / 4;
            }
          means.params.grad[name].set(mean);
        }
        sums.optimizer.step({ gradScale: 1 / 4 });
        means.optimizer.step();
      }
      for (const name of sums.params.names) {
        const moved = start[name].reduce((most, x, i) => Math.max(most, Math.abs(x - means.params.data[name][i])), 0);
        expect(moved).toBeGreaterThan(0);
        sums.params.data[name].forEach((x, i) => {
          expect(Math.abs(x - means.params.data[name][i]), `${name}[${i}]`).toBeLessThan(1e-5 * moved + 1e-7);
        });
      }
    },
  );

  test("dynamic loss scaling, halved at an overflow, gives the result of the right scale from the start", () => {
    const [scaled, plain] = [setUp("AdamW", { nonFinite: "skip" }), setUp("AdamW", {})];
    let scale = 2 ** 130;
    let skipped = 0;
    for (let t = 0; t < 5; t++) {
      for (const set of [scaled, plain]) set.draw();
      const gradients = Object.entries(plain.params.grad);
      const step = (): boolean => {
        for (const [name, gradient] of gradients)
          scaled.params.grad[name as keyof typeof SIZES].set(gradient.map((g) => g * scale));
        return scaled.optimizer.step({ gradScale: 1 / scale });
      };
      while (!step()) {
        scale /= 2;
        skipped++;
      }
      plain.optimizer.step();
    }
    expect(skipped).toBeGreaterThan(2);
    for (const name of plain.params.names)
      expect(firstDifference(scaled.params.data[name], plain.params.data[name])).toBe(-1);
  });
});

test("the return value tells when not to update an average", () => {
  const params = new ParameterDict({ a: [3] });
  const optimizer = new Adam(params, { nonFinite: "skip" });
  const ema = new WeightEma(params);
  params.grad.a.fill(NaN);
  if (optimizer.step()) ema.update();
  expect(ema.updates).toBe(0);
});
