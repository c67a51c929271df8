import { describe, expect, test } from "vitest";
import { ParameterDict } from "../../src/index.js";
import {
  fillGradient,
  firstDifference,
  paddingOf,
  plainOf,
  plainStep,
  random,
  settledOf,
  shapeOf,
  slotNames,
} from "../support/harness.js";
import { type Options, type Row, cases, make, rows } from "./table.js";

const N = 37;

/** A tensor "x" of N elements, its optimizer and its copy for the reference. */
function setUp(row: Row, options: Options, seed = 3) {
  const params = new ParameterDict({ x: shapeOf(row, N) });
  const next = random(seed);
  params.data.x.set(params.data.x.map(() => next() - 0.5));
  const optimizer = make(row.rule, params, options);
  return { params, optimizer, next, plain: plainOf(row, optimizer, params, "x") };
}

const plainCases = rows.flatMap((row) =>
  row.variants.map((options) => ({ row, options, title: `${row.rule} ${JSON.stringify(options)}` })),
);

describe("special gradients", () => {
  test.each(cases)("NaN and infinity affect the same elements as in the reference: $title", ({ row, options }) => {
    const { params, optimizer, next, plain } = setUp(row, options);
    for (let t = 1; t <= 3; t++) {
      fillGradient(params.grad.x, next);
      params.grad.x.set([NaN, Infinity, -Infinity, 3e38, -3e38, 1e-45, -1e-38], 5);
      paddingOf(params.data.x).fill(NaN);
      paddingOf(params.grad.x).fill(NaN);
      plain.g.set(params.grad.x);
      optimizer.step();
      plainStep(row, settledOf(optimizer), [[plain, t]]);
      params.data.x.forEach((value, i) =>
        expect(Object.is(value, plain.p[i]), `${i}: ${value} ${plain.p[i]}`).toBe(true),
      );
    }
    if (row.spreads) return;
    expect(params.data.x.subarray(0, 5).every(Number.isFinite)).toBe(true);
    expect(params.data.x.subarray(12).every(Number.isFinite)).toBe(true);
  });

  test.each(plainCases)("NaN and infinity do not reach other tensors: $title", ({ row, options }) => {
    const shape = shapeOf(row, N);
    const run = (...bad: number[]): Float32Array => {
      const params = new ParameterDict({ before: shape, x: shape, after: shape });
      const next = random(8);
      for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
      const optimizer = make(row.rule, params, options);
      for (let t = 1; t <= 3; t++) {
        for (const name of params.names) fillGradient(params.grad[name], next);
        params.grad.x.set(bad, 5);
        optimizer.step();
      }
      if (row.spreads && bad.length > 0) expect(params.data.x.some(Number.isFinite), row.spreads).toBe(false);
      return Float32Array.of(...params.data.before, ...params.data.after);
    };
    const others = run(NaN, Infinity);
    expect(others.every(Number.isFinite)).toBe(true);
    if (!row.together) expect(firstDifference(others, run())).toBe(-1);
  });

  test.each(plainCases.filter(({ row }) => !row.moves))(
    "zero gradients from the start move nothing without decay: $title",
    ({ row, options }) => {
      const { params, optimizer } = setUp(row, { ...options, weightDecay: 0 });
      const before = params.data.x.slice();
      for (let t = 0; t < 3; t++) optimizer.step();
      expect(firstDifference(params.data.x, before)).toBe(-1);
      expect(optimizer.state("x").step).toBe(3);
    },
  );

  test.each(cases)("a skipped tensor keeps its value, state and step count: $title", ({ row, options }) => {
    const { params, optimizer, next, plain } = setUp(row, options);
    fillGradient(params.grad.x, next);
    optimizer.step();
    const names = slotNames(optimizer, "x");
    const state = () => names.map((name) => (optimizer.state("x")[name] as Float32Array).slice());
    const [value, slots] = [params.data.x.slice(), state()];
    const own = () =>
      JSON.stringify(optimizer.state("x"), (name, value: unknown) => (name in plain.shared ? 0 : value));
    const numbers = own();
    optimizer.step({ skip: ["x"] });
    expect(params.data.x).toEqual(value);
    expect(state()).toEqual(slots);
    expect(own()).toBe(numbers);
  });

  test.each(plainCases)("maximize equals a negated gradient: $title", ({ row, options }) => {
    const up = setUp(row, { ...options, weightDecay: 0.05, maximize: true });
    const down = setUp(row, { ...options, weightDecay: 0.05 });
    for (let t = 0; t < 4; t++) {
      fillGradient(up.params.grad.x, up.next);
      down.params.grad.x.set(up.params.grad.x.map((g) => -g));
      up.optimizer.step();
      down.optimizer.step();
    }
    expect(firstDifference(up.params.data.x, down.params.data.x)).toBe(-1);
  });

  test.each(plainCases)("gradScale multiplies the gradient: $title", ({ row, options }) => {
    const scaled = setUp(row, { ...options, weightDecay: 0.05 });
    const whole = setUp(row, { ...options, weightDecay: 0.05 });
    for (let t = 0; t < 4; t++) {
      fillGradient(whole.params.grad.x, whole.next);
      scaled.params.grad.x.set(whole.params.grad.x.map((g) => g * 8));
      scaled.optimizer.step({ gradScale: 1 / 8 });
      whole.optimizer.step();
    }
    expect(firstDifference(scaled.params.data.x, whole.params.data.x)).toBe(-1);
  });
});

describe("epsilon 0", () => {
  const hasEps = ({ rule }: Row): boolean =>
    typeof make(rule, new ParameterDict({ x: [1, 1] }), { lr: 1 }).paramGroups[0].eps === "number";
  // StableAdamW refuses it.
  const withEps = plainCases.filter(({ row }) => row.rule !== "StableAdamW" && hasEps(row));
  test.each(withEps)("has the bits of the reference, with 0/0 where both are 0: $title", ({ row, options }) => {
    const { params, optimizer, next, plain } = setUp(row, { ...options, eps: 0 });
    for (let t = 1; t <= 3; t++) {
      fillGradient(params.grad.x, next);
      plain.g.set(params.grad.x);
      optimizer.step();
      plainStep(row, settledOf(optimizer), [[plain, t]]);
      params.data.x.forEach((value, i) =>
        expect(Object.is(value, plain.p[i]), `${i}: ${value} ${plain.p[i]}`).toBe(true),
      );
    }
  });
});

describe("weight decay", () => {
  test.each(plainCases.filter(({ row }) => !row.waits))(
    "moves every parameter towards 0 under a zero gradient: $title",
    ({ row, options }) => {
      const { params, optimizer } = setUp(row, { ...options, weightDecay: 0.1 });
      params.data.x.forEach((value, i) => (params.data.x[i] = Math.sign(value) * (0.3 + Math.abs(value))));
      const before = params.data.x.slice();
      for (let t = row.firstMove?.[0] ?? 1; t > 0; t--) optimizer.step();
      params.data.x.forEach((value, i) => expect(Math.abs(value), `${i}`).toBeLessThan(Math.abs(before[i])));
    },
  );
});

test("a constant gradient keeps centred RMSprop finite, at any scale", () => {
  for (const dialect of ["torch", "keras"])
    for (const g of [1e-6, 1e-4, 0.1, 1, 1000]) {
      const { params, optimizer } = setUp(
        rows.find((row) => row.rule === "RMSprop")!,
        { centered: true, dialect },
      );
      params.grad.x.fill(g);
      for (let t = 0; t < 3000; t++) optimizer.step();
      expect(params.data.x.every(Number.isFinite)).toBe(true);
    }
});

test("the same run twice gives the same bits", () => {
  for (const { row, options } of cases) {
    const [a, b] = [setUp(row, options, 11), setUp(row, options, 11)];
    for (const { params, optimizer, next } of [a, b])
      for (let t = 0; t < 5; t++) {
        fillGradient(params.grad.x, next);
        optimizer.step();
      }
    expect(firstDifference(a.params.data.x, b.params.data.x)).toBe(-1);
  }
});
