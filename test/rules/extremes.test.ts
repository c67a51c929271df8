// Limits of float32: rates of 0, numbers out of range, gradients whose squares overflow.
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import { AdamW, ParameterDict, SGD, clipGradAdaptive } from "../../src/index.js";
import { MLP } from "../../src/nn/index.js";
import { ExponentialLR } from "../../src/schedule/index.js";
import { fillGradient, firstDifference, plainOf, plainStep, random, settledOf, shapeOf } from "../support/harness.js";
import { type Options, type Row, make, rows } from "./table.js";

const N = 12;
const variants = rows.flatMap((row) =>
  row.variants.map((options) => ({ row, options, title: `${row.rule} ${JSON.stringify(options)}` })),
);

function setUp(row: Row, options: Options) {
  const params = new ParameterDict({ x: shapeOf(row, N) });
  const next = random(4);
  params.data.x.set(params.data.x.map(() => next() - 0.5));
  return { params, optimizer: make(row.rule, params, options), next };
}

describe("a rate of 0", () => {
  test.each(variants)("moves nothing when set from the start: $title", ({ row, options }) => {
    for (const lr of [0, 1e-50]) {
      const { params, optimizer, next } = setUp(row, { ...options, lr, ...("lambd" in options ? { lambd: 0 } : {}) });
      const before = params.data.x.slice();
      for (let t = 0; t < 10; t++) {
        fillGradient(params.grad.x, next);
        if (t === 3) params.grad.x.fill(1e18);
        optimizer.step();
      }
      expect(params.data.x.every(Number.isFinite)).toBe(true);
      if (row.rateless) expect(firstDifference(params.data.x, before), row.rateless).not.toBe(-1);
      else expect([...params.data.x]).toEqual([...before]);
    }
  });

  test.each(variants)(
    "matches the reference when set between steps, and ignores gradients: $title",
    ({ row, options }) => {
      const run = (seed: number): Float32Array => {
        const { params, optimizer, next } = setUp(row, options);
        const plain = plainOf(row, optimizer, params, "x");
        for (let t = 1; t <= 9; t++) {
          optimizer.paramGroups[0].lr = t > 3 && t < 7 ? 0 : Number(options.lr ?? 1);
          fillGradient(params.grad.x, t === 5 ? random(seed) : next);
          plain.g.set(params.grad.x);
          optimizer.step();
          plainStep(row, settledOf(optimizer), [[plain, t]]);
          expect(firstDifference(params.data.x, plain.p), `step ${t}`).toBe(-1);
          if (t === 6) return params.data.x.slice();
        }
        return params.data.x;
      };
      const others: Record<string, string | undefined> = {
        ASGD: "its rate is that of the step before",
        DAdaptAdam: "its momentum includes the rate, and moves on by the root of the second moment",
      };
      const moves = row.rateless ?? others[row.rule];
      expect(run(1)).toSatisfy((x: Float32Array) => moves !== undefined || firstDifference(x, run(2)) === -1, moves);
    },
  );

  test.each(rows)("results, without an error, where a schedule underflows: $rule", ({ rule, variants, shape }) => {
    const params = new ParameterDict({ w: shape?.(2) ?? [2] });
    const optimizer = make(rule, params, variants[0]);
    const schedule = new ExponentialLR(optimizer, { gamma: 1e-30 });
    for (let e = 0; e < 12; e++) {
      params.grad.w.fill(1);
      optimizer.step();
      schedule.step();
    }
    expect(optimizer.paramGroups[0].lr).toBe(0);
    expect(params.data.w.every(Number.isFinite)).toBe(true);
  });

  test.each([
    ["Ftrl", { beta: 0.1 }],
    ["MADGRAD", { momentum: 0.5 }],
  ] as const)("%s stays, state and all, and goes on as if the steps had not been", (rule, options) => {
    const run = (pause: boolean): unknown => {
      const params = new ParameterDict({ x: [3] });
      const optimizer = make(rule, params, { lr: 0.1, ...options });
      const step = (g: number): void => {
        params.grad.x.fill(g);
        optimizer.step({ zeroGrad: true });
        expect(params.grad.x[0]).toBe(0);
      };
      step(1);
      optimizer.paramGroups[0].lr = 0;
      if (pause) step(5);
      return [params.copy(), structuredClone({ ...optimizer.state("x"), step: 0 })];
    };
    expect(run(true)).toEqual(run(false));
  });
});

describe("numbers that float32 cannot hold", () => {
  test.each(rows)("$rule refuses them in every option, set live or loaded from a state dict", (row) => {
    const { optimizer, params } = setUp(row, row.variants[0]);
    const group = optimizer.paramGroups[0] as Options;
    const saved = optimizer.stateDict();
    for (const [name, value] of Object.entries(group)) {
      const numeric: unknown[] = typeof value === "number" ? [1e39] : name === "stepSizes" ? [[0, 1e39]] : [];
      if (name === "eps") numeric.push(Array.isArray(value) ? [1e-50, 0] : 1e-50);
      for (const bad of numeric) {
        if (name === "growthRate") continue; // may be infinite
        expect(() => (group[name] = bad), name).toThrow(RangeError);
        const wrong = structuredClone(saved);
        (wrong.groups[0].options as Options)[name] = bad;
        expect(() => optimizer.loadStateDict(wrong), name).toThrow(RangeError);
      }
    }
    expect(optimizer.stateDict()).toEqual(saved);
    group.lr = 0;
    expect(params.data.x.every(Number.isFinite)).toBe(true);
  });

  test("are refused in checkpoints, wrappers and steps", () => {
    const params = new ParameterDict({ w: [2, 2] });
    const optimizer = new AdamW(params);
    const file = (lr: number): Uint8Array => {
      const other = new ParameterDict({ w: [2, 2] });
      const bytes = save(other, { optimizers: [new AdamW(other, { lr })] });
      return bytes;
    };
    load(file(0.25), params, { optimizers: [optimizer] });
    expect(optimizer.paramGroups[0].lr).toBe(0.25);
    const held = "expected a finite number that float32 can hold, got 1e+39";
    expect(() => optimizer.step({ gradScale: 1e39 })).toThrow(new RangeError(`AdamW: "gradScale" ${held}`));
    expect(() => optimizer.step({ gradScale: "1" as never })).toThrow(TypeError);
    expect(optimizer.step({ gradScale: 3.3e38 })).toBe(true);
    expect(() => clipGradAdaptive(params, 1e39)).toThrow(RangeError);
    expect(() => clipGradAdaptive(params, 1, { eps: 1e-50 })).toThrow(RangeError);
    for (const inputScale of [1e39, 1e-50]) expect(() => new MLP([2, 2], { inputScale })).toThrow(RangeError);
  });

  test("a product lr·λ that overflows is refused, a large one is accepted", () => {
    const params = new ParameterDict({ w: [1] });
    const optimizer = new AdamW(params, { lr: 1, weightDecay: 1e30 });
    expect(() => (optimizer.paramGroups[0].lr = 1e9)).toThrow(
      'AdamW: "paramGroups[0].weightDecay" expected a number whose product with lr float32 can hold, got 1e+30',
    );
    optimizer.paramGroups[0].lr = 1e8;
    expect(optimizer.paramGroups[0].lr).toBe(1e8);
  });
});

describe("large and tiny gradients", () => {
  test.each(variants)("leave parameters finite, with the bits of the reference: $title", ({ row, options }) => {
    // As in PyTorch, the product of two means of squares overflows.
    const most = row.rule === "Adafactor" ? 1e9 : Infinity;
    for (const size of [1e-45, 1e-30, 1e-20, 1e10, 2e19, 1e30].filter((g) => g <= most)) {
      const { params, optimizer } = setUp(row, options);
      const plain = plainOf(row, optimizer, params, "x");
      const wrong: string[] = [];
      for (let t = 1; t <= 10; t++) {
        params.grad.x.forEach((_, i, g) => (g[i] = [1, (-1) ** t, 0][i % 3] * size));
        plain.g.set(params.grad.x);
        optimizer.step();
        plainStep(row, settledOf(optimizer), [[plain, t]]);
        params.data.x.forEach((value, i) => {
          if (!Number.isFinite(value) || value !== plain.p[i]) wrong.push(`step ${t}, ${i}: ${value}, ${plain.p[i]}`);
        });
      }
      expect(wrong, `${size}`).toEqual([]);
    }
  });
});

test("RAdam does not divide by an overflowed v before its rectification: PyTorch's numbers", () => {
  for (const options of [{}, { dialect: "optax" }, { stateFormat: "bfloat16" }] as const) {
    const params = new ParameterDict({ old: [1], young: [1] });
    const optimizer = make("RAdam", params, options);
    for (let t = 0; t < 5; t++) optimizer.step({ skip: ["young"] });
    params.data.young[0] = 0.5;
    // Two step counts in one group, one of them with a rectification: each uses its own kernel.
    for (let t = 1; t <= 3; t++) {
      for (const name of params.names) params.grad[name][0] = 2e19;
      optimizer.step();
      expect(params.data.young[0] / (-2e16 * t)).toBeCloseTo(1, "stateFormat" in options ? 2 : 5);
      expect(params.data.old[0]).toBe(0);
    }
  }
});

test("optax's Adagrad does not move elements that never had a gradient, with a sum of 0 and eps 0", () => {
  const params = ParameterDict.from({ w: { shape: [2], data: [1, 1] } });
  const options = { lr: 0.1, initialAccumulatorValue: 0, eps: 0 };
  const optimizer = make("Adagrad", params, { dialect: "optax", ...options });
  params.grad.w.set([0, 3]);
  optimizer.step();
  expect([...params.data.w]).toEqual([1, Math.fround(0.9)]);
  params.grad.w.set([NaN, NaN]);
  optimizer.step();
  expect([...params.data.w]).toEqual([NaN, NaN]);
});

test("Keras's SGD accepts nesterov without a momentum, without effect; PyTorch's refuses it", () => {
  const params = new ParameterDict({ w: [1] });
  const optimizer = new SGD(params, { dialect: "keras", nesterov: true, lr: 0.5 });
  params.grad.w[0] = 1;
  optimizer.step();
  expect(params.data.w[0]).toBe(-0.5);
  optimizer.dispose();
  expect(() => new SGD(params, { nesterov: true })).toThrow(RangeError);
});

test("Keras's LAMB with lr·λ above 1 uses the norm of the decayed parameters: Keras's numbers", () => {
  for (const [lr, expected] of [
    [2, [-4.1622777, 1.1622777]],
    [0.5, [0.1047153, 1.3952847]],
  ] as const) {
    const params = ParameterDict.from({ w: { shape: [2], data: [1, 2] } });
    const optimizer = make("LAMB", params, { dialect: "keras", lr, weightDecay: 1, eps: 1e-7 });
    params.grad.w.set([0.5, -1]);
    optimizer.step();
    expected.forEach((x, i) => expect(params.data.w[i]).toBeCloseTo(x, 5));
  }
});

test("RAdam at a ρ of exactly 5: optax rectifies, PyTorch does not", () => {
  const [lr, beta] = [0.5, 0.8397685748659787]; // ρ is 5 at step 6, in float64
  const most = 2 / (1 - beta) - 1;
  const rectified = Math.sqrt(((5 - 4) * (5 - 2) * most) / ((most - 4) * (most - 2) * 5));
  for (const [dialect, expected] of [
    ["torch", 1],
    ["optax", rectified],
  ] as const) {
    const params = new ParameterDict({ w: [1] });
    const optimizer = make("RAdam", params, { lr, betas: [0.9, beta], dialect });
    params.grad.w[0] = 1;
    for (let t = 1; t <= 6; t++) {
      params.data.w[0] = 0;
      optimizer.step();
      expect(params.data.w[0] / -lr, `${dialect}, step ${t}`).toBeCloseTo(t < 6 ? 1 : expected, 5);
    }
  }
});
