// The kernels of distributed training against plain loops, bit by bit, in both builds.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/index.js";
import type { DeltaKernels } from "../../src/wasm/generated/delta-kernels.js";
import * as plain from "../support/reference/delta.js";

const N = 4096;
const [X, Y, SCALES, CODES, HALVES] = [4096, 4096 + 4 * N, 4096 + 8 * N, 8192 + 8 * N, 8192 + 10 * N];

describe.each(["delta", "delta.debug"])("%s.wasm", (name) => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
  const module = new WebAssembly.Module(readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url)));
  const abort = (): never => {
    throw new Error("assertion failed");
  };
  const kernels = new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as DeltaKernels;
  const floats = (at: number, length = N): Float32Array => new Float32Array(memory.buffer, at, length);
  const random = new Random(5);
  /** Numbers of many sizes, blocks of zeros and of tiny numbers, ties, and what is not finite where asked for. */
  const numbers = (special: boolean): Float32Array =>
    Float32Array.from({ length: N }, (_, i) => {
      const block = Math.floor(i / 256);
      if (special && i % 301 === 0) return [NaN, Infinity, -Infinity, -0, 3.4e38][i % 5];
      if (block === 3) return 0;
      if (block === 4) return 1e-36 * random.uniform();
      if (block === 5) return i % 256 === 0 ? 127 : (i % 20) / 2;
      return (random.uniform() - 0.5) * 10 ** ((block % 9) - 6);
    });

  test.each([false, true])("quantize and subtract, special numbers: %s", (special) => {
    const [x, y] = [special ? numbers(true) : new Float32Array(N), numbers(special)];
    floats(X).set(x);
    floats(Y).set(y);
    const bad = kernels.quantize(N, X, Y, SCALES, CODES);
    const expected = plain.quantize(x, y);
    expect(bad).toBe(expected.bad);
    expect(bad > 0).toBe(special);
    expect(new Uint32Array(memory.buffer, SCALES, N / 256)).toEqual(expected.scales);
    expect(new Int8Array(memory.buffer, CODES, N)).toEqual(expected.codes);
    if (special) return;
    const sum = numbers(false);
    floats(Y).set(sum);
    kernels.subtract(N, SCALES, CODES, Y);
    plain.subtract(new Float32Array(expected.scales.buffer), expected.codes, sum);
    expect(floats(Y)).toEqual(sum);
  });

  test("bfloat16 both ways", () => {
    const x = numbers(true);
    new Uint32Array(x.buffer).set([0x3f808000, 0x3f818000, 0x3f808001, 0x7f7fffff, 0x00008000, 0x80018000], 10);
    floats(X).set(x);
    kernels.toHalves(N, X, HALVES);
    const halves = new Uint16Array(memory.buffer, HALVES, N);
    expect(halves).toEqual(plain.toHalves(x));
    kernels.fromHalves(N, HALVES, Y);
    expect(new Uint32Array(memory.buffer, Y, N)).toEqual(new Uint32Array(plain.fromHalves(halves).buffer));
  });

  test("the checksum, which every changed bit changes", () => {
    const bytes = new Uint8Array(memory.buffer, X, 320);
    bytes.forEach((_, i) => (bytes[i] = random.below(256)));
    const right = kernels.checksum(320, X, 9);
    expect(right).toBe(plain.checksum(bytes, 9));
    expect(kernels.checksum(320, X, 10)).not.toBe(right);
    for (let bit = 0; bit < 2560; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      expect(kernels.checksum(320, X, 9)).not.toBe(right);
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(kernels.checksum(0, X, 9)).toBe(plain.checksum(new Uint8Array(0), 9));
  });
});
