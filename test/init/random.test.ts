import { describe, expect, it } from "vitest";
import { Random } from "../../src/index.js";

describe("Random", () => {
  it("gives the same numbers for a seed on every engine", () => {
    const random = new Random(1);
    const draws = [random.below(2 ** 32), random.below(2 ** 32), random.below(2 ** 32)];
    expect(draws).toEqual([3744230918, 4085411741, 3160389862]);
    expect([random.uniform(), random.below(10)]).toEqual([0.13656193017959595, 5]);
  });

  it("differs from seed to seed, beyond 2^32 too", () => {
    const first = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1].map((seed) => new Random(seed).below(2 ** 32));
    expect(new Set(first).size).toBe(first.length);
  });

  it("is uniform in [0, 1), in steps of 2^-24", () => {
    const random = new Random(7);
    const bins = new Array<number>(16).fill(0);
    let wrong = 0;
    for (let i = 0; i < 160000; i++) {
      const u = random.uniform();
      if (!(Number.isInteger(u * 2 ** 24) && u >= 0 && u < 1)) wrong++;
      bins[Math.floor(u * 16)]++;
    }
    expect(wrong).toBe(0);
    const chi2 = bins.reduce((sum, n) => sum + (n - 10000) ** 2 / 10000, 0);
    expect(chi2).toBeLessThan(38); // 0.1 % of generators exceed it
  });

  it("draws below n without bias", () => {
    const random = new Random(3);
    const counts = new Array<number>(3).fill(0);
    for (let i = 0; i < 30000; i++) counts[Math.floor(random.below(3 * 2 ** 30) / 2 ** 30)]++;
    for (const count of counts) expect(Math.abs(count - 10000)).toBeLessThan(300);
    expect(random.below(1)).toBe(0);
  });

  it("shuffles in place, every order equally likely", () => {
    const random = new Random(5);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random.shuffle([0, 1, 2]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
    const indices = Uint32Array.from({ length: 100 }, (_, i) => i);
    expect(random.shuffle(indices)).toBe(indices);
    expect([...indices].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it("throws on wrong arguments", () => {
    expect(() => new Random(-1)).toThrow(new RangeError('Random: "seed" expected a whole number >= 0, got -1'));
    expect(() => new Random("1" as never)).toThrow(TypeError);
    expect(() => new Random(1).below(0)).toThrow(RangeError);
    expect(() => new Random(1).below(1.5)).toThrow(RangeError);
    expect(() => new Random(1).shuffle("abc" as never)).toThrow(TypeError);
  });

  it("continues from its state, also through JSON", () => {
    const random = new Random(11);
    for (let i = 0; i < 1000; i++) random.uniform();
    const state = random.state();
    const next = Random.from(JSON.parse(JSON.stringify(state)) as number[]);
    const draws = (r: Random): number[] => Array.from({ length: 100 }, () => r.below(2 ** 32));
    expect(draws(next)).toEqual(draws(random));
    expect(next.state()).toEqual(random.state());
    expect(state, "owned").not.toEqual(random.state());
  });

  it("throws on anything that is not a state", () => {
    const bad: [unknown, ErrorConstructor, RegExp][] = [
      ["state", TypeError, /Random: "state" expected an array of four whole numbers/],
      [[1, 2, 3], RangeError, /"state" expected an array of four .* got \[1, 2, 3\]/],
      [[0, 0, 0, 0], RangeError, /not all 0, got \[0, 0, 0, 0\]/],
      [[1, 2, 3, 2 ** 32], RangeError, /"state\[3\]" expected a whole number in \[0, 2\^32\), got 4294967296/],
      [[1, 2, "3", 4], TypeError, /"state\[2\]" expected .* got "3"/],
      [[1, NaN, 3, 4], RangeError, /"state\[1\]" expected .* got NaN/],
    ];
    for (const [state, error, message] of bad) {
      expect(() => Random.from(state as number[])).toThrow(message);
      expect(() => Random.from(state as number[])).toThrow(error);
    }
  });
});
