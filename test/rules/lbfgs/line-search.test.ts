import { describe, expect, test } from "vitest";
import { IN_PLACE, type Trial, strongWolfe } from "../../../src/rules/lbfgs/line-search.js";

describe("the line search", () => {
  /** Searches φ from 0; returns the point and the number of evaluations. */
  const search = (phi: (t: number) => [loss: number, slope: number], first: number) => {
    const buffers = [NaN, NaN];
    let at = NaN;
    let count = 0;
    const line = {
      evaluate(t: number): Trial {
        count++;
        at = t;
        const [loss, slope] = phi(t);
        return { t, loss: Number.isFinite(loss + slope) ? loss : Infinity, slope, gradient: IN_PLACE };
      },
      keep: (buffer: number) => void (buffers[buffer] = at),
    };
    const [loss, slope] = phi(0);
    const found = strongWolfe(line, { t: 0, loss, slope, gradient: -1 }, first, 1);
    // The point refers to its own gradient.
    const kept = found.gradient === IN_PLACE ? at : found.gradient < 0 ? 0 : buffers[found.gradient];
    expect(kept).toBe(found.t);
    return { ...found, count, start: { loss, slope } };
  };

  const lines: [name: string, phi: (t: number) => [number, number]][] = [
    ["a parabola", (t) => [(t - 3) ** 2, 2 * (t - 3)]],
    ["a quartic with a narrow valley", (t) => [1e4 * (t - 0.01) ** 4 - t, 4e4 * (t - 0.01) ** 3 - 1]],
    ["two valleys", (t) => [0.1 * t - Math.sin(3 * t), 0.1 - 3 * Math.cos(3 * t)]],
    ["a kink that interpolation misjudges", (t) => [Math.abs(t - 1) + t * t * 0.01, Math.sign(t - 1) + 0.02 * t]],
    ["a wall of NaN", (t) => (t > 2 ? [NaN, NaN] : [(t - 1.5) ** 2, 2 * (t - 1.5)])],
    ["a wall of infinity", (t) => (t > 0.5 ? [Infinity, 1] : [(t - 0.4) ** 2, 2 * (t - 0.4)])],
    ["Moré and Thuente's first function", (t) => [-t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2]],
  ];
  test.each(lines)("%s: both conditions hold, from any first trial", (name, phi) => {
    for (const first of [1e-6, 1e-3, 0.1, 1, 10, 100]) {
      const { t, loss, slope, count, start } = search(phi, first);
      expect(count).toBeLessThanOrEqual(26);
      expect(t).toBeGreaterThan(0);
      expect(loss).toBeLessThanOrEqual(start.loss + 1e-4 * t * start.slope);
      if (!name.startsWith("a kink")) expect(Math.abs(slope), `first ${first}`).toBeLessThanOrEqual(-0.9 * start.slope);
    }
  });

  test("ends at the start of a line that only rises", () => {
    const { t, count } = search((t) => [t, t === 0 ? -1 : 1], 1);
    expect(t).toBe(0);
    expect(count).toBeLessThanOrEqual(26);
  });

  test("ends after 26 trials, at the lowest, on a line that falls forever", () => {
    const { t, count } = search((t) => [-t, -1], 1e-3);
    expect(count).toBe(26);
    expect(t).toBeGreaterThan(1);
  });
});
