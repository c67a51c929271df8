// Rules that use norms of whole tensors: what the properties of the table do not cover.
import { describe, expect, test } from "vitest";
import { AdamW, Arena, LAMB, LARS, Muon, NovoGrad, ParameterDict } from "../../src/index.js";
import { builds } from "../support/builds.js";
import {
  fillGradient,
  firstDifference,
  paddingOf,
  plainOf,
  plainStep,
  poisonedArena,
  random,
  settledOf,
  slotNames,
} from "../support/harness.js";
import { type Options, make, rows } from "./table.js";

type Shapes = readonly (readonly number[])[];
const sides = [1, 2, 3, 4, 5, 7, 8, 17];
const matrices: Shapes = sides.flatMap((a) => sides.map((b) => [a, b]));
const large: Shapes = [
  [64, 300],
  [300, 64],
  [1, 17000],
  [20000, 1],
  [273, 5],
];
const batches: Shapes = [[3, 4, 5], [2, 3, 1, 6], [2, 2, 7, 3], [4, 1, 1], [0, 3], [2, 0, 5], [3, 0], [], [40000]];
const shapesOf: Record<string, Shapes> = {
  Adafactor: [...matrices, ...large, ...batches],
  Muon: [...matrices, [64, 300], [300, 20], [2, 1000], [129, 3], [0, 3], [3, 0]],
  LAMB: [[40000], [200, 100]],
  LARS: [[40000], [200, 100]],
  NovoGrad: [[40000], [200, 100]],
  Prodigy: [[40000], [200, 100]],
  AdamW: [[40000], [200, 100]],
  Lion: [[40000], [200, 100]],
  LaProp: [[40000], [200, 100]],
  MARS: [...large, ...batches],
  AdamP: [...matrices, ...large, ...batches],
  SGDP: [...matrices, ...large, ...batches],
  StableAdamW: [[40000], [200, 100]],
  DAdaptAdam: [[40000], [200, 100]],
};
const shaped = rows.flatMap((row) =>
  Object.hasOwn(shapesOf, row.rule)
    ? row.variants.map((options) => ({ row, options, title: `${row.rule} ${JSON.stringify(options)}` }))
    : [],
);

describe.each(builds)("bit equality over shapes, $build build", ({ module }) => {
  test.each(shaped)("$title", ({ row, options }) => {
    const params: ParameterDict = new ParameterDict(
      Object.fromEntries(shapesOf[row.rule].map((shape) => [shape.join("x"), shape])),
      { arena: poisonedArena(2 ** 22, module) },
    );
    const next = random(17);
    for (const name of params.names) fillGradient(params.data[name], next);
    const optimizer = make(row.rule, params, { ...options, weightDecay: 0.05 });
    const shared = row.shared?.start(settledOf(optimizer)) ?? {};
    const tensors = params.names.map((name) => ({ name, plain: plainOf(row, optimizer, params, name, shared) }));
    for (let t = 1; t <= 3; t++) {
      for (const { name, plain } of tensors) {
        fillGradient(params.grad[name], next);
        for (const view of [params.data[name], params.grad[name]]) paddingOf(view).fill(NaN);
        plain.g.set(params.grad[name]);
      }
      optimizer.step();
      plainStep(
        row,
        settledOf(optimizer),
        tensors.map(({ plain }) => [plain, t] as const),
      );
      for (const { name, plain } of tensors) {
        expect(firstDifference(params.data[name], plain.p), `step ${t}, ${name}`).toBe(-1);
        for (const slot of slotNames(optimizer, name))
          expect(
            firstDifference(optimizer.state(name)[slot] as Float32Array, plain.slots[slot]),
            `step ${t}, ${name} ${slot}`,
          ).toBe(-1);
      }
    }
  });
});

describe("norms", () => {
  /** Takes a step with gradients of 1 on two tensors; the second is 0 or has a gradient of 0. */
  function once(rule: string, options: Options): { params: ParameterDict } {
    const params: ParameterDict = new ParameterDict({ w: [4], zero: [4] });
    params.data.w.fill(2);
    for (const name of params.names) params.grad[name].fill(1);
    make(rule, params, options).step();
    return { params };
  }

  test("LAMB moves by lr·‖θ‖, and by lr·u where θ is 0", () => {
    const { params } = once("LAMB", { lr: 0.1, weightDecay: 0 });
    expect(params.data.w[0]).toBeCloseTo(2 - 0.1 * 2, 5);
    expect(params.data.zero[0]).toBeCloseTo(-0.1, 5);
  });

  test("Keras's LAMB uses the norm of the decayed parameters", () => {
    const { params } = once("LAMB", { dialect: "keras", lr: 0.1, weightDecay: 1 });
    expect(params.data.w[0]).toBeCloseTo(2 - (0.1 * 2 + 0.1 * 1.8), 5);
  });

  test("LARS is SGD without decay and where θ is 0", () => {
    expect(once("LARS", { lr: 0.5 }).params.data.w[0]).toBe(1.5);
    const { params } = once("LARS", { lr: 0.5, weightDecay: 0.1, trustCoefficient: 0.01 });
    expect(params.data.zero[0]).toBe(-0.5);
    expect(params.data.w[0]).toBeCloseTo(2 - (0.5 * 1.2 * 0.01 * 4) / (2 + 0.1 * 4), 6);
  });

  const small: Record<string, Options> = { LARS: { eps: 0 }, NovoGrad: { eps: 0 } };
  test.each(["LAMB", "LARS", "NovoGrad", "Adafactor"])("%s: no overflow or underflow", (rule) => {
    for (const size of [1e30, 1e-30]) {
      const params: ParameterDict = new ParameterDict({ w: [6, 7] });
      params.data.w.fill(size);
      const optimizer = make(rule, params, { lr: 0.1, weightDecay: 0.1, ...small[rule] });
      for (let t = 0; t < 3; t++) {
        params.grad.w.fill(rule === "LAMB" || rule === "Adafactor" ? 1 : size);
        optimizer.step();
      }
      expect(params.data.w.every(Number.isFinite)).toBe(true);
      expect(params.data.w[0]).not.toBe(Math.fround(size));
    }
  });

  test("NovoGrad keeps one number per tensor", () => {
    const params = new ParameterDict({ a: [4], b: [1] });
    const optimizer = new NovoGrad(params, { betas: [0.9, 0.25] });
    for (const name of params.names) params.grad[name].fill(2);
    optimizer.step({ gradScale: 0.5 });
    expect([optimizer.state("a").nu, optimizer.state("b").nu]).toEqual([4, 1]);
    optimizer.step({ skip: ["b"] });
    expect([optimizer.state("a").nu, optimizer.state("b").nu]).toEqual([0.25 * 4 + 0.75 * 16, 1]);
  });
});

describe("Adafactor", () => {
  test("keeps the means of rows and columns for each matrix of a batch", () => {
    const params = new ParameterDict({ batch: [2, 3, 4], matrix: [3, 4], vector: [5], scalar: [] });
    const optimizer = make("Adafactor", params);
    params.grad.batch.forEach((_, i, g) => (g[i] = i));
    optimizer.step();
    expect(slotNames(optimizer, "vector")).toEqual(["variance"]);
    expect(slotNames(optimizer, "scalar")).toEqual(["variance"]);
    expect(slotNames(optimizer, "matrix")).toEqual(["rowVar", "colVar"]);
    const { rowVar, colVar } = optimizer.state("batch");
    const mean = (...x: number[]): number => Math.fround(x.reduce((sum, y) => sum + y * y, 0) / x.length);
    expect([...(rowVar as Float32Array)]).toEqual([0, 4, 8, 12, 16, 20].map((i) => mean(i, i + 1, i + 2, i + 3)));
    expect([...(colVar as Float32Array)]).toEqual([0, 1, 2, 3, 12, 13, 14, 15].map((i) => mean(i, i + 4, i + 8)));
  });
});

describe("Muon", () => {
  test.each([
    [6, 40],
    [40, 6],
    [16, 16],
  ])("makes the singular values of a [%i, %i] gradient about 1", (a, b) => {
    const params = new ParameterDict({ w: [a, b] });
    const next = random(a);
    params.grad.w.forEach((_, i, g) => (g[i] = next() - 0.5));
    new Muon(params, { lr: 1, weightDecay: 0, adjustLr: "match_rms_adamw" }).step();
    const scale = -0.2 * Math.sqrt(Math.max(a, b));
    const x = params.data.w.map((value) => value / scale);
    const side = Math.min(a, b);
    const entry = (i: number, k: number): number => (a <= b ? x[i * b + k] : x[k * b + i]);
    let trace = 0;
    for (let i = 0; i < side; i++) for (let k = 0; k < Math.max(a, b); k++) trace += entry(i, k) ** 2;
    const inner = params.grad.w.reduce((sum, g, i) => sum + g * x[i], 0);
    expect(trace / side).toBeGreaterThan(0.6);
    expect(trace / side).toBeLessThan(1.3);
    expect(inner).toBeGreaterThan(0);
  });

  test("refuses tensors that are not 2-D, and changes nothing", () => {
    const message = "expected a 2-D tensor (use another optimizer for the rest, on a subset), got [5]";
    const arena = new Arena({ capacity: 2 ** 20 });
    const params = new ParameterDict({ w: [3, 4], b: [5] }, { arena });
    const { used } = arena;
    expect(() => new Muon(params)).toThrow(new RangeError(`Muon: "params.b" ${message}`));
    expect(arena.used).toBe(used);
    const muon = new Muon(params.subset(["w"]));
    const more: ParameterDict = new ParameterDict({ c: [5] }, { arena });
    expect(() => muon.addParamGroup({ params: more })).toThrow(`Muon: "paramGroups[1].params.c" ${message}`);
    expect(muon.paramGroups).toHaveLength(1);
    new AdamW(params.subset(["b"])).step();
    for (const shape of [[], [2, 3, 4]])
      expect(() => new Muon(new ParameterDict({ k: shape }))).toThrow(/"params.k" expected a 2-D tensor/);
  });

  test("decays by lr, whatever the adjusted lr", () => {
    const params = new ParameterDict({ w: [8, 2] });
    params.data.w.fill(1);
    new Muon(params, { lr: 0.1, weightDecay: 0.5 }).step();
    expect(params.data.w[0]).toBe(Math.fround(1 - Math.fround(0.05)));
  });

  test("a larger matrix in a later group enlarges the scratch memory", () => {
    const arena = new Arena({ capacity: 2 ** 21 });
    const small: ParameterDict = new ParameterDict({ a: [2, 3] }, { arena });
    const big: ParameterDict = new ParameterDict({ b: [60, 70] }, { arena });
    const alone: ParameterDict = new ParameterDict({ b: [60, 70] });
    const next = random(4);
    big.grad.b.forEach((_, i, g) => (g[i] = next() - 0.5));
    alone.grad.b.set(big.grad.b);
    const muon = new Muon(small);
    muon.addParamGroup({ params: big });
    muon.step();
    new Muon(alone).step();
    expect(firstDifference(big.data.b, alone.data.b)).toBe(-1);
  });
});

test("frees the state when there is no room for the scratch memory", () => {
  const arena = new Arena({ capacity: 5 * 65536 });
  const params = new ParameterDict({ w: [10, 1000] }, { arena });
  const { used } = arena;
  expect(() => new Muon(params)).toThrow(/^Muon: needs \d+ bytes for its scratch, \d+ are free/);
  expect(arena.used).toBe(used);
  new LARS(params, { momentum: 0.9 }).step();
});

test("dispose() releases LAMB's scratch memory", () => {
  const params = new ParameterDict({ w: [1000] });
  const { used } = params.arena;
  const optimizer = new LAMB(params);
  expect(params.arena.used).toBeGreaterThan(used + 2 * 4000);
  optimizer.dispose();
  expect(params.arena.used).toBe(used);
});

test("an empty tensor keeps its own numbers while others are skipped", () => {
  const params = new ParameterDict({ a: [4], empty: [0] });
  const optimizer = make("NovoGrad", params, { lr: 0.1 });
  const { nu } = optimizer.state("empty");
  params.grad.a.fill(2);
  optimizer.step();
  optimizer.step({ skip: ["a"] });
  expect(optimizer.state("empty")).toMatchObject({ step: 2, nu });
});
