// Eight bits at the ends of their range, beside the plain arithmetic of test/support/reference/small.ts: whole blocks of 256.
import { describe, expect, test } from "vitest";
import { Adam, ParameterDict } from "../../src/index.js";
import { instantiate } from "../../src/kernels.js";
import { random } from "../support/harness.js";
import { kept } from "../support/reference/small.js";

const MAX = 3.4028234663852886e38;
const TINY = 2 ** -126;
const CODE = 2 ** -3; // between two numbers of one octave

const next = random(9);
const between = (low: number, high: number): number => low + next() * (high - low);
/** The 256 elements of a block, from what the i-th of them is. */
const blocks: Readonly<Record<string, (i: number) => number>> = {
  zeros: () => 0,
  "the largest number among all octaves": (i) => (i === 0 ? MAX : 2 ** (127 - i)),
  "numbers just below the largest": () => between(MAX / 1.2, MAX),
  "an infinity alone": (i) => (i === 255 ? Infinity : 0),
  "an infinity and numbers that reach down from the largest": (i) => (i === 3 ? Infinity : 2 ** (127 - i / 3)),
  "NaN and a largest number": (i) => (i === 0 ? NaN : i === 1 ? MAX : between(1, 2)),
  "NaN and small numbers": (i) => (i === 9 ? NaN : between(0, 4 * TINY)),
  "the smallest normal numbers": (i) => TINY * (1 + (i % 8) * CODE),
  "between denormals and normal numbers": () => between(0, 2 * TINY),
  denormals: () => between(0, TINY),
  "codes apart": (i) => 2 ** -(i / 8),
  "a code above what is kept, and below": (i) => (i === 0 ? 1 : 2 ** -between(13, 18)),
  "31 octaves below the largest, and further": (i) => (i === 0 ? 1 : 2 ** -between(29, 34)),
  "one number": () => 1.5,
};
const N = 4096;
const values = new Float32Array(N);
Object.values(blocks).forEach((of, b) => {
  for (let i = 0; i < 256; i++) values[256 * b + i] = of(i);
});

describe.each([
  ["signed", 2],
  ["positive", 3],
] as const)("%s", (kind, format) => {
  test.each([0, 1, 2, 3, 77])("every block is the reference's, at step %i", (step) => {
    const memory = new WebAssembly.Memory({ initial: 4 });
    const { pack, unpack } = instantiate(memory);
    const [from, codes, bases, to] = [65536, 65536 + 4 * N, 65536 + 5 * N, 65536 + 6 * N];
    const x = values.map((v, i) => (kind === "signed" && i % 3 === 1 ? -v : v));
    new Float32Array(memory.buffer, from, N).set(x);
    pack(format, N, from, codes, bases, 1, 0, step);
    unpack(format, N, codes, bases, to);
    const got = new Float32Array(memory.buffer, to, N);
    const want = kept(x, "8bit", kind, 1, step);
    const wrong = [...got.keys()].filter((i) => !Object.is(got[i], want[i]));
    expect(wrong.map((i) => `${Object.keys(blocks)[i >> 8]}: ${x[i]} is ${got[i]}, not ${want[i]}`)).toEqual([]);
    for (const base of new Uint16Array(memory.buffer, bases, N / 256)) expect(base & 0x7fff).toBeGreaterThanOrEqual(7);
  });
});

test("tensors from 4,096 elements on have eight bits, smaller ones float32", () => {
  for (const [size, bytes] of [
    [4095, 2 * 4096 * 4],
    [4096, 2 * (4096 + 64)],
  ])
    expect(new Adam(new ParameterDict({ w: [size] }), { stateFormat: "8bit" }).stateBytes).toBe(bytes);
});

test("what state() decodes is what the kernels do", () => {
  const params = new ParameterDict({ w: [N] });
  const optimizer = new Adam(params, { stateFormat: "8bit", betas: [0, 0] });
  params.grad.w.set(values.map((v) => (v > 1e19 && v < Infinity ? 1e18 : v)));
  optimizer.step();
  const { expAvg, expAvgSq } = optimizer.state("w") as unknown as Record<string, Float32Array>;
  const g = params.grad.w;
  expect(expAvg).toEqual(kept(g, "8bit", "signed", 0, 1));
  expect(expAvgSq).toEqual(
    kept(
      g.map((x) => x * x),
      "8bit",
      "positive",
      1,
      1,
    ),
  );
});
