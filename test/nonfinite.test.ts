import { describe, expect, test } from "vitest";
import { Adam, ParameterDict } from "../src/index.js";
import { fillGradient, random } from "./harness.js";
import { make, rows } from "./rules.js";

describe.each(rows)("$rule: a gradient that is not finite", ({ rule, variants }) => {
  const setUp = (nonFinite: string) => {
    const params = new ParameterDict({ a: [5], b: [37], c: [3] });
    const optimizer = make(rule, params, { ...variants[0], nonFinite });
    const next = random(4);
    for (const name of params.names) fillGradient(params.grad[name], next);
    optimizer.step();
    return { params, optimizer };
  };

  test('"skip" leaves all as it was and returns false; afterwards it goes on', () => {
    const { params, optimizer } = setUp("skip");
    const before = JSON.stringify([params.copy(), optimizer.stateDict()]);
    for (const bad of [NaN, Infinity, -Infinity]) {
      params.grad.b[36] = bad;
      expect(optimizer.step()).toBe(false);
      expect(JSON.stringify([params.copy(), optimizer.stateDict()])).toBe(before);
    }
    expect(optimizer.step({ skip: ["b"] })).toBe(true);
    params.grad.b[36] = 1;
    expect(optimizer.step()).toBe(true);
    expect([optimizer.state("a").step, optimizer.state("b").step]).toEqual([3, 2]);
  });

  test('"throw" names tensor and element, and has changed nothing', () => {
    const { params, optimizer } = setUp("throw");
    const before = JSON.stringify([params.copy(), optimizer.stateDict()]);
    params.grad.b[9] = -Infinity;
    params.grad.c[1] = NaN;
    expect(() => optimizer.step()).toThrow(`${rule}: the gradient of "b" is -Infinity at element 9`);
    expect(JSON.stringify([params.copy(), optimizer.stateDict()])).toBe(before);
  });

  test("NaN in the padding is nobody's gradient", () => {
    const { params, optimizer } = setUp("throw");
    new Float32Array(params.grad.a.buffer, params.grad.a.byteOffset + 20, 11).fill(NaN);
    expect(optimizer.step()).toBe(true);
  });
});

describe("gradScale", () => {
  test("gradients summed over micro-batches are the large batch's, within rounding", () => {
    const next = random(9);
    const micro = Array.from({ length: 4 }, () => Float32Array.from({ length: 20 }, () => next() - 0.5));
    const [large, summed] = [new ParameterDict({ w: [20] }), new ParameterDict({ w: [20] })];
    for (let i = 0; i < 20; i++) large.grad.w[i] = micro.reduce((sum, g) => sum + g[i], 0) / 4;
    for (const g of micro) g.forEach((x, i) => (summed.grad.w[i] += x));
    new Adam(large, { lr: 0.1, eps: 0.1 }).step();
    new Adam(summed, { lr: 0.1, eps: 0.1 }).step({ gradScale: 1 / 4 });
    summed.data.w.forEach((x, i) => expect(x).toBeCloseTo(large.data.w[i], 6));
  });

  test("undoes a loss scale, and a scaled overflow skips the step", () => {
    const [plain, scaled] = [new ParameterDict({ w: [3] }), new ParameterDict({ w: [3] })];
    plain.grad.w.fill(0.25);
    scaled.grad.w.fill(0.25 * 1024);
    const optimizer = new Adam(scaled, { nonFinite: "skip" });
    new Adam(plain).step();
    expect(optimizer.step({ gradScale: 1 / 1024 })).toBe(true);
    expect(scaled.data.w).toEqual(plain.data.w);
    scaled.grad.w[0] = Infinity;
    expect(optimizer.step({ gradScale: 1 / 1024 })).toBe(false);
  });
});
