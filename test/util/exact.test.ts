import { describe, expect, test } from "vitest";
import { cos, exp, exponentiate, log, logarithm, pow, raise, raiseTo, sin, wholePower } from "../../src/util/exact.js";
import { random } from "../support/harness.js";

const close = (actual: number, wanted: number, tolerance = 1e-13): void =>
  expect(Math.abs(actual - wanted), `${actual} for ${wanted}`).toBeLessThanOrEqual(tolerance * Math.abs(wanted));

describe("powers, exponentials, logarithms and cosines from basic operations", () => {
  const next = random(1);
  const spread = Array.from({ length: 20_000 }, () => next() * 2 - 1);

  test("exp", () => {
    for (const x of spread) close(exp(x * 700), Math.exp(x * 700));
    for (const x of spread) close(exp(x), Math.exp(x));
    expect([exp(0), exp(-Infinity), exp(-800), exp(Infinity), exp(710), exp(NaN)]).toEqual([
      1,
      0,
      0,
      Infinity,
      Infinity,
      NaN,
    ]);
    close(exp(709.78), Math.exp(709.78));
  });

  test("log", () => {
    for (const x of spread) close(log(Math.exp(x * 700)), Math.log(Math.exp(x * 700)));
    for (const x of spread) close(log(1 + x / 2), Math.log(1 + x / 2));
    expect([log(1), log(0), log(-1), log(Infinity), log(NaN)]).toEqual([0, -Infinity, NaN, Infinity, NaN]);
    close(log(5e-324), Math.log(5e-324));
    close(log(Number.MAX_VALUE), Math.log(Number.MAX_VALUE));
  });

  test("pow", () => {
    for (const x of spread) close(pow(0.96, (x + 1) * 200), Math.pow(0.96, (x + 1) * 200));
    expect([pow(2, 10), pow(2, -1), pow(0.5, 0), pow(0, 2.5)]).toEqual([1024, 0.5, 1, 0]);
  });

  test("wholePower", () => {
    for (const b of [0.9, 0.999, 0.999999])
      for (const n of [0, 1, 2, 3, 100, 12_345]) close(wholePower(b, n), Math.pow(b, n), 1e-11);
    close(wholePower(1 - 1e-12, 2 ** 40 + 3), Math.pow(1 - 1e-12, 2 ** 40 + 3), 1e-3);
    for (const n of [2 ** 31 - 1, 2 ** 31 + 1, 2 ** 53 - 1])
      expect([wholePower(-1, n - 1), wholePower(-1, n)]).toEqual([1, -1]);
    const x = Float64Array.of(5, 3, 7);
    raise(x, 1, 4);
    expect([...x]).toEqual([5, 81, 7]);
  });

  test("sin", () => {
    let worst = 0;
    for (const x of spread)
      for (const scale of [1, 7, 1000]) worst = Math.max(worst, Math.abs(sin(x * scale) - Math.sin(x * scale)));
    expect(worst).toBeLessThan(1e-15);
    for (const x of [1e-300, 1e-20, 1e-9, 1e-3, 0.7]) {
      close(sin(x), Math.sin(x), 1e-15);
      expect(sin(-x)).toBe(-sin(x));
    }
    expect([sin(0), sin(Math.PI / 2), sin(-Math.PI / 2), sin(NaN)]).toEqual([0, 1, -1, NaN]);
  });

  test("cos", () => {
    let worst = 0;
    for (const x of spread)
      for (const scale of [1, 7, 1000, 1e6]) worst = Math.max(worst, Math.abs(cos(x * scale) - Math.cos(x * scale)));
    expect(worst).toBeLessThan(1e-15);
    expect([cos(0), cos(-0), cos(Math.PI), cos(2 * Math.PI), cos(-1), cos(NaN), cos(Infinity)]).toEqual([
      1,
      1,
      -1,
      1,
      cos(1),
      NaN,
      NaN,
    ]);
    close(cos(Math.PI / 2), 6.123233995736766e-17);
  });

  test("in place, one element and the same bits", () => {
    const x = Float64Array.of(5, 3, 7);
    logarithm(x, 2);
    exponentiate(x, 1);
    expect([...x]).toEqual([5, exp(3), log(7)]);
    const y = Float64Array.of(3, 0.3, 0);
    for (const [j, wanted] of [125, pow(5, 0.3), 1].entries()) {
      x[0] = 5;
      raiseTo(x, 0, y, j);
      expect([...x]).toEqual([wanted, exp(3), log(7)]);
    }
  });
});
