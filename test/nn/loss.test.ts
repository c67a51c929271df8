import { describe, expect, it } from "vitest";
import { Field, kernels, numbers } from "./field.js";
import * as reference from "./reference.js";

function labelsFor(rows: number, classes: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => (i * 7 + 3) % classes);
}

function crossEntropy(rows: number, classes: number, z: Float32Array, labels = labelsFor(rows, classes)) {
  const field = new Field();
  const at = [field.input(z), field.input(labels)] as const;
  const dz = field.scratch(Math.ceil((rows * classes) / 4) * 16);
  const losses = field.scratch(rows * 8);
  kernels.crossEntropy(rows, classes, ...at, dz, losses, 0, -1);
  return {
    dz: new Float32Array(field.buffer, dz, rows * classes).slice(),
    losses: new Float64Array(field.buffer, losses, rows).slice(),
  };
}

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 10, 17].flatMap((columns) =>
  [1, 2, 3, 5, 64].map((rows) => [rows, columns] as const),
);

describe("cross-entropy", () => {
  it.each(sizes)("of %i rows and %i classes has the bits of the plain loop", (rows, classes) => {
    const z = numbers(rows * classes, rows + classes, 20);
    const labels = labelsFor(rows, classes);
    const wanted = reference.crossEntropy(rows, classes, z, labels);
    const field = new Field();
    const at = [field.input(z), field.input(labels)] as const;
    const dz = field.wholeVectors(field.output(wanted.dz), rows * classes);
    const losses = field.output(wanted.losses);
    const inPlace = field.wholeVectors(field.inPlace(z, wanted.dz), rows * classes);
    const again = field.output(wanted.losses);
    field.check(() => {
      kernels.crossEntropy(rows, classes, ...at, dz, losses, 0, -1);
      kernels.crossEntropy(rows, classes, inPlace, at[1], inPlace, again, 0, -1);
    }, "crossEntropy");
  });

  it("is finite for huge outputs", () => {
    const z = Float32Array.of(1e4, -1e4, 0, -1e4, 1e4, 1e4, 3e38, -3e38, 0);
    const { dz, losses } = crossEntropy(3, 3, z, Int32Array.of(1, 1, 0));
    expect([...losses]).toEqual([2e4, Math.LN2, 0]);
    expect([...dz].every(Number.isFinite)).toBe(true);
    expect(dz[0]).toBe(Math.fround(1 / 3));
    expect(dz[1]).toBe(-Math.fround(1 / 3));
  });

  it("agrees with float64, and the gradients of a row sum to 0", () => {
    const [rows, classes] = [64, 10];
    const z = numbers(rows * classes, 3, 6);
    const labels = labelsFor(rows, classes);
    const { dz, losses } = crossEntropy(rows, classes, z, labels);
    for (let i = 0; i < rows; i++) {
      const row = [...z.subarray(i * classes, (i + 1) * classes)];
      const sum = row.reduce((total, x) => total + Math.exp(x), 0);
      expect(losses[i]).toBeCloseTo(Math.log(sum) - row[labels[i]], 6);
      row.forEach((x, j) => {
        const wanted = (Math.exp(x) / sum - (j === labels[i] ? 1 : 0)) / rows;
        expect(Math.abs(dz[i * classes + j] - wanted)).toBeLessThan(1e-6 * Math.abs(wanted));
      });
      expect(Math.abs(dz.subarray(i * classes, (i + 1) * classes).reduce((a, b) => a + b, 0))).toBeLessThan(1e-8);
    }
  });

  it("does not pass a NaN to other rows", () => {
    const { dz, losses } = crossEntropy(2, 2, Float32Array.of(1, NaN, 1, 2));
    expect([...dz].map(Number.isNaN)).toEqual([true, true, false, false]);
    expect([...losses].map(Number.isNaN)).toEqual([true, false]);
  });
});

describe("squared error", () => {
  it.each(sizes)("of %i rows and %i columns has the bits of the plain loop", (rows, columns) => {
    const z = numbers(rows * columns, rows);
    const t = numbers(rows * columns, columns + 100);
    const wanted = reference.squaredError(rows, columns, z, t);
    const field = new Field();
    const at = [field.input(z), field.input(t)] as const;
    const dz = field.output(wanted.dz);
    const losses = field.output(wanted.losses);
    const inPlace = field.inPlace(z, wanted.dz);
    field.check(() => {
      kernels.squaredError(rows, columns, ...at, dz, losses);
      kernels.squaredError(rows, columns, inPlace, at[1], inPlace, losses);
    }, "squaredError");
  });
});
