import { ParameterDict } from "gradstep";
import { describe, expect, it } from "vitest";
import { movingAverage, signal } from "../../examples/figures/averages.ts";
import { bestLine, lossOf, train } from "../../examples/figures/batches.ts";
import { cases, multipliers, slotsOf } from "../../examples/figures/effective.ts";
import { random, shuffled } from "../../examples/figures/random.ts";

describe("moving average", () => {
  it.each([0.5, 0.9, 0.98])("is that of a plain loop, β = %d", (beta) => {
    const values = signal();
    let v = 0;
    const expected = values.map((g) => (v = beta * v + (1 - beta) * g));
    movingAverage(values, beta, false).forEach((got, t) => expect(got).toBeCloseTo(expected[t], 4));
    movingAverage(values, beta, true).forEach((got, t) =>
      expect(got).toBeCloseTo(expected[t] / (1 - beta ** (t + 1)), 4),
    );
  });
});

describe("batch sizes", () => {
  const best = bestLine();
  const least = lossOf(best.x, best.y);
  const ends = new Map([1, 64, 1024].map((batch) => [batch, train(batch)]));
  const excess = (batch: number): number => {
    const end = ends.get(batch)!.at(-1)!;
    return lossOf(end.x, end.y) - least;
  };

  it("knows the best line", () => {
    for (const [dx, dy] of [
      [1e-3, 0],
      [-1e-3, 0],
      [0, 1e-3],
      [0, -1e-3],
    ])
      expect(lossOf(best.x + dx, best.y + dy)).toBeGreaterThan(least);
  });

  it("gives each the same passes", () => {
    expect([...ends.values()].map((stages) => stages.length - 1)).toEqual([10240, 160, 10]);
    expect([...ends.values()].map((stages) => stages.at(-1)?.pass)).toEqual([10, 10, 10]);
  });

  it("sees what the caption says", () => {
    expect(excess(64)).toBeLessThan(excess(1));
    expect(excess(1)).toBeLessThan(excess(1024));
    expect(ends.get(1)!.find(({ x, y }) => lossOf(x, y) - least < 0.01)!.pass).toBeLessThan(0.1);
    expect(ends.get(64)!.find(({ x, y }) => lossOf(x, y) - least < 0.01)!.pass).toBeGreaterThan(1);
  });
});

describe("effective step", () => {
  it.each(cases)("is what $label really multiplies the gradient by", ({ make, multiplier }) => {
    const { normal } = random(2);
    const params = new ParameterDict({ w: [5] });
    const optimizer = make(params);
    for (let t = 0; t < 50; t++) {
      for (let i = 0; i < 5; i++) params.grad.w[i] = normal();
      params.data.w.fill(0);
      const before = slotsOf(optimizer.state("w"));
      optimizer.step();
      const after = slotsOf(optimizer.state("w"));
      for (let i = 0; i < 5; i++) {
        const real = -params.data.w[i] / params.grad.w[i];
        expect(Math.abs(multiplier(before, after, i) / real - 1)).toBeLessThan(1e-5);
      }
    }
  });

  it("falls as 1/√t with Adagrad and levels off with the others", () => {
    const [adagrad, rmsprop, adadelta] = cases.map((one) => multipliers(one, 2000).map((row) => row[50]));
    expect(adagrad[1999] / adagrad[499]).toBeCloseTo(0.5, 1);
    expect(rmsprop[1999]).toBeCloseTo(0.01, 3);
    expect(rmsprop[1999] / rmsprop[999]).toBeCloseTo(1, 1);
    expect(adadelta[1999] / adadelta[999]).toBeCloseTo(1, 1);
  });
});

describe("random", () => {
  it("repeats with its seed, with mean 0 and variance 1", () => {
    const numbers = Array.from({ length: 20000 }, random(9).normal);
    expect(numbers.slice(0, 100)).toEqual(Array.from({ length: 100 }, random(9).normal));
    const mean = numbers.reduce((a, b) => a + b) / numbers.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length).toBeCloseTo(1, 1);
  });

  it("shuffles: each number once", () => {
    const order = shuffled(100, random(4));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});
