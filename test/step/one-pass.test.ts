// Clipping, clearing and averaging in the pass of the step, and groups that share a kernel call, give the bits of separate calls.
import { describe, expect, test } from "vitest";
import { Adam, Arena, ParameterDict, SGD, WeightAverage, WeightEma, clipGradNorm, gradNorm } from "../../src/index.js";
import { fillGradient, firstDifference, random, shapesOf, slotNames } from "../support/harness.js";
import { type Options, type Row, make, rows } from "../rules/table.js";

const SIZES = { a: 1100, b: 1, c: 64, empty: 0, d: 37, e: 80 };
const cases = rows.flatMap((row) =>
  row.variants.map((options) => ({ row, options, title: `${row.rule} ${JSON.stringify(options)}` })),
);
/** Rules with norms of the gradient, where clipping the gradient and a factor of it round differently. */
const NORMS = ["LARS", "NovoGrad", "StableAdamW"];

/** Parameters with seeded values. */
function parameters(row: Row, sizes: Readonly<Record<string, number>>): ParameterDict {
  const params: ParameterDict = new ParameterDict(shapesOf(row, sizes));
  const next = random(5);
  for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
  return params;
}

/** Fills the arena, so that there is no room for a list. */
function fillUp(arena: Arena): void {
  while (arena.free >= 128) new ParameterDict({ rest: [Math.floor(arena.free / 128) * 16] }, { arena });
}

describe.each(["with", "without"])("clipNorm, zeroGrad and average in one pass, %s room for a list", (room) => {
  test.each(cases)("$title", ({ row, options }) => {
    const [one, other] = [parameters(row, SIZES), parameters(row, SIZES)];
    const groups = row.together ? [] : [{ params: ["b", "d"], weightDecay: 0.3 }];
    const [whole, parts] = [make(row.rule, one, { ...options, groups }), make(row.rule, other, { ...options, groups })];
    const [ema, plainEma] = [new WeightEma(one, { decay: 0.7 }), new WeightEma(other, { decay: 0.7 })];
    if (room === "without") fillUp(one.arena);
    const clipNorm = NORMS.includes(row.rule) ? 1e6 : 3;
    const next = random(9);
    for (let t = 1; t <= 4; t++) {
      const skip = t === 3 ? ["c", "d"] : [];
      for (const name of one.names) fillGradient(one.grad[name], next);
      for (const name of one.names) other.grad[name].set(one.grad[name]);
      const clipped = other.subset(other.names.filter((name) => !skip.includes(name)));
      const norm = clipGradNorm(clipped, clipNorm);
      parts.step({ skip });
      parts.zeroGrad();
      plainEma.update();

      expect(whole.step({ skip, clipNorm, zeroGrad: true, average: ema })).toBe(true);
      expect(whole.gradNorm).toBe(norm);
      for (const name of one.names) {
        expect(firstDifference(one.data[name], other.data[name]), `${name} at step ${t}`).toBe(-1);
        expect(firstDifference(ema.values[name], plainEma.values[name]), `average of ${name}`).toBe(-1);
        expect(firstDifference(one.grad[name], other.grad[name]), `gradient of ${name}`).toBe(-1);
        for (const slot of slotNames(whole, name))
          expect(
            firstDifference(whole.state(name)[slot] as Float32Array, parts.state(name)[slot] as Float32Array),
          ).toBe(-1);
      }
    }
  });
});

describe("groups in one call", () => {
  test.each(cases.filter(({ row }) => !row.together))(
    "have the bits of one optimizer per group: $title",
    ({ row, options }) => {
      const extremes: Options[] = [{}, { weightDecay: 0 }, { lr: 0.07 }, { weightDecay: 0.1, maximize: true }];
      const sizes = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`t${i}`, 5 + 30 * i]));
      const [one, other] = [parameters(row, sizes), parameters(row, sizes)];
      const of = (k: number): string[] => one.names.filter((_, i) => i % extremes.length === k);
      const optimizer = make(row.rule, one, {
        ...options,
        groups: extremes.slice(1).map((more, k) => ({ ...more, params: of(k + 1) })),
      });
      const alone = extremes.map((more, k) => make(row.rule, other.subset(of(k)), { ...options, ...more }));
      const next = random(2);
      for (let t = 1; t <= 3; t++) {
        for (const name of one.names) fillGradient(one.grad[name], next);
        for (const name of one.names) other.grad[name].set(one.grad[name]);
        optimizer.step();
        for (const each of alone) each.step();
        for (const name of one.names) expect(firstDifference(one.data[name], other.data[name]), name).toBe(-1);
      }
    },
  );

  test("options that choose another kernel, set on one group at a time: momentum, and lr with Nesterov", () => {
    const sizes = { a: [100], b: [20], c: [50] };
    const make = (params: ParameterDict) => new SGD(params, { lr: 0.1, momentum: 0.9, nesterov: true });
    const one: ParameterDict = new ParameterDict(sizes);
    const other: ParameterDict = new ParameterDict(sizes);
    const grouped = new SGD(one, {
      lr: 0.1,
      momentum: 0.9,
      nesterov: true,
      groups: [{ params: ["b"] }, { params: ["c"] }],
    });
    const alone = other.names.map((name) => make(other.subset([name])));
    const changes: ((options: { lr: number; momentum: number; nesterov: boolean }) => void)[] = [
      () => undefined,
      (o) => (o.lr = 0),
      (o) => ((o.lr = 0.2), (o.nesterov = false)),
      (o) => ((o.nesterov = false), (o.momentum = 0)),
      (o) => (o.momentum = 0.5),
    ];
    for (let t = 0; t < 12; t++) {
      const g = t % 3;
      changes[t % changes.length](grouped.paramGroups[g]);
      changes[t % changes.length](alone[g].paramGroups[0]);
      for (const params of [one, other]) for (const name of params.names) params.grad[name].fill(0.1 * (t + 1));
      grouped.step();
      for (const optimizer of alone) optimizer.step();
      for (const name of one.names) expect(one.data[name], `${name} at ${t}`).toEqual(other.data[name]);
    }
  });
});

describe("in the same pass", () => {
  test("an average, here a running mean, of only some tensors", () => {
    const params = new ParameterDict({ a: [40], b: [3], c: [2000] });
    const optimizer = new SGD(params, { lr: 1 });
    const mean = new WeightAverage(params.subset(["a", "c"]));
    for (let t = 0; t < 4; t++) {
      for (const name of params.names) params.grad[name].fill(-1);
      optimizer.step({ average: mean });
    }
    expect(mean.updates).toBe(4);
    expect(mean.values.c[1999]).toBe(2.5);
    expect(mean.values.a[39]).toBe(2.5);
    expect(params.data.b[2]).toBe(4);
    mean.apply();
    expect(() => optimizer.step({ average: mean })).toThrow("restore() first");
  });

  test("an average that a step updated is left alone by the next step without it", () => {
    const params = new ParameterDict({ a: [4], b: [40] });
    const optimizer = new SGD(params, { lr: 1, groups: [{ params: ["b"], lr: 0.5 }] });
    const ema = new WeightEma(params, { decay: 0.5 });
    for (let t = 0; t < 3; t++) {
      for (const name of params.names) params.grad[name].fill(-1);
      optimizer.step({ zeroGrad: true, ...(t < 2 ? { average: ema } : {}) });
    }
    expect([params.data.a[3], params.data.b[39]]).toEqual([3, 1.5]);
    expect([ema.values.a[3], ema.values.b[39]]).toEqual([1.5, 0.75]);
  });

  test("a step that is skipped clears the gradients and does not update the average", () => {
    const params = new ParameterDict({ a: [4] });
    const optimizer = new Adam(params, { nonFinite: "skip" });
    const ema = new WeightEma(params);
    params.grad.a.fill(NaN);
    expect(optimizer.step({ zeroGrad: true, average: ema })).toBe(false);
    expect([...params.grad.a]).toEqual([0, 0, 0, 0]);
    expect(ema.updates).toBe(0);
  });

  test("with rows, only those rows are cleared and count in the norm", () => {
    const params = new ParameterDict({ table: [5, 3], b: [2] });
    const optimizer = new SGD(params, { lr: 1 });
    params.grad.table.fill(2);
    params.grad.b.fill(1);
    optimizer.step({ rows: { table: [1, 4] }, clipNorm: 100, zeroGrad: true });
    expect(optimizer.gradNorm).toBe(Math.sqrt(6 * 4 + 2));
    expect([...params.grad.table]).toEqual([2, 2, 2, 0, 0, 0, 2, 2, 2, 2, 2, 2, 0, 0, 0]);
    expect([...params.grad.b]).toEqual([0, 0]);
    expect([...params.data.table.subarray(0, 6)]).toEqual([0, 0, 0, -2, -2, -2]);
  });

  test("gradNorm is that of the last step's scaled gradients; NaN without clipNorm and after a skipped step", () => {
    const params = new ParameterDict({ a: [4] });
    const optimizer = new SGD(params, { lr: 1, nonFinite: "skip" });
    expect(optimizer.gradNorm).toBeNaN();
    params.grad.a.fill(4);
    optimizer.step({ gradScale: -0.5, clipNorm: 2 });
    expect(optimizer.gradNorm).toBe(4);
    expect(params.data.a[0]).toBeCloseTo(1, 6);
    expect(gradNorm(params)).toBe(8);
    optimizer.step();
    expect(optimizer.gradNorm).toBeNaN();
    optimizer.step({ clipNorm: 2 });
    expect(() => optimizer.step({ clipNorm: -1 })).toThrow(RangeError);
    expect(optimizer.gradNorm).toBe(8); // a call that throws changes nothing
    params.grad.a[1] = Infinity;
    expect(optimizer.step({ clipNorm: 2 })).toBe(false);
    expect(optimizer.gradNorm).toBeNaN();
  });

  test("a clipNorm of Infinity measures but does not clip, even if the norm is infinite", () => {
    const [one, other] = [new ParameterDict({ a: [20] }), new ParameterDict({ a: [20] })];
    const [measuring, plain] = [new SGD(one, { lr: 1 }), new SGD(other, { lr: 1 })];
    for (const bad of [0, Infinity, NaN]) {
      for (const { grad } of [one, other]) grad.a.fill(3e38).fill(bad, 0, 1);
      measuring.step({ clipNorm: Infinity });
      plain.step();
      expect(measuring.gradNorm).toBe(gradNorm(one));
      expect(clipGradNorm(one, Infinity)).toBe(measuring.gradNorm);
      expect(firstDifference(one.grad.a, other.grad.a)).toBe(-1);
      expect(firstDifference(one.data.a, other.data.a)).toBe(-1);
      for (const { data } of [one, other]) data.a.fill(0);
    }
  });
});

describe("a factor that would lose digits as a float32", () => {
  const extremes: [g: number, clipNorm: number, gradScale?: number][] = [
    [3e38, 1],
    [1e38, 1e-10],
    [3e38, 1e-30],
    [1e30, 1e-12],
    [1e10, 1e-34],
    [1e30, 1e-10, -1e8],
    [3e38, Infinity, 1e-40],
    [3e38, 1, 1e-44],
  ];
  const cases = extremes.flatMap((extreme) =>
    ["SGD", "Adam", "LAMB", "Prodigy"].map((rule) => ({
      rule,
      g: extreme[0],
      clipNorm: extreme[1],
      gradScale: extreme[2] ?? 1,
    })),
  );

  test.each(cases)(
    "$rule, gradients of $g clipped to $clipNorm: the bits of clipGradNorm before",
    ({ rule, g, clipNorm, gradScale }) => {
      const row = rows.find((each) => each.rule === rule)!;
      const options = { lr: 0.1, weightDecay: 0.01 };
      const [one, other] = [parameters(row, SIZES), parameters(row, SIZES)];
      const [whole, parts] = [make(rule, one, options), make(rule, other, options)];
      const next = random(3);
      for (let t = 1; t <= 3; t++) {
        for (const name of one.names) one.grad[name].set(one.grad[name].map(() => g * (next() - 0.5)));
        const gradients = Object.fromEntries(one.names.map((name) => [name, one.grad[name].slice()]));
        for (const name of one.names) other.grad[name].set(gradients[name]);
        if (gradScale === 1) {
          expect(whole.step({ clipNorm, skip: ["c"] })).toBe(true);
          clipGradNorm(other.subset(other.names.filter((name) => name !== "c")), clipNorm);
          parts.step({ skip: ["c"] });
        } else {
          // Powers of two lose nothing: the rest of the factor is left to the step.
          expect(whole.step({ clipNorm, gradScale, skip: ["c"] })).toBe(true);
          const factor = gradScale * Math.min(1, clipNorm / (whole.gradNorm + 1e-6));
          const half = 2 ** Math.round(Math.log2(Math.abs(factor)) / 2);
          for (const name of other.names) if (name !== "c") other.grad[name].set(gradients[name].map((x) => x * half));
          parts.step({ gradScale: factor / half, skip: ["c"] });
        }
        for (const name of one.names) {
          expect(firstDifference(one.data[name], other.data[name]), `${name} at step ${t}`).toBe(-1);
          expect(firstDifference(one.grad[name], gradients[name]), `gradient of ${name}`).toBe(-1);
        }
      }
    },
  );

  test("clears only the requested gradients and restores the others", () => {
    const params = new ParameterDict({ table: [3, 2], b: [2], skipped: [1] });
    const optimizer = new SGD(params, { lr: 1 });
    const fill = (): void => params.names.forEach((name) => params.grad[name].fill(3e38));
    fill();
    optimizer.step({ clipNorm: 1e-3, rows: { table: [1] }, skip: ["skipped"] });
    expect([...params.grad.table, ...params.grad.b, ...params.grad.skipped]).toEqual(Array(9).fill(Math.fround(3e38)));
    expect([...params.data.table].map((x) => x.toPrecision(6))).toEqual(
      [0, 0, -0.0005, -0.0005, 0, 0].map((x) => x.toPrecision(6)),
    );
    optimizer.step({ clipNorm: 1e-3, rows: { table: [1] }, skip: ["skipped"], zeroGrad: true });
    const kept = Math.fround(3e38);
    expect([...params.grad.table]).toEqual([kept, kept, 0, 0, kept, kept]);
    expect([...params.grad.b, ...params.grad.skipped]).toEqual([0, 0, 0]);
  });
});
