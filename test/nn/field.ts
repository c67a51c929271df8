// An arena for testing kernels: every word that a kernel may not write is a sentinel, a NaN, so that a wrong read shows too.
import { expect } from "vitest";
import { Arena, RESERVED, padded } from "../../src/memory/arena.js";
import { networkKernels } from "../../src/nn/kernels.js";
import { Random } from "../../src/init/random.js";

const SENTINEL = 0x7fc0dead;
const arena = new Arena({ capacity: 2 ** 20 });
export const kernels = networkKernels(arena);
const words = new Int32Array(arena.buffer);

export type Numbers = Float32Array | Float64Array | Int32Array;

/** Places arrays with 64 bytes of sentinels after each, runs a kernel, and compares all of the memory. */
export class Field {
  #next = RESERVED + 64;
  readonly #expected: [number, Numbers][] = [];
  readonly #open: [number, number][] = [];

  constructor() {
    words.fill(SENTINEL, RESERVED / 4);
  }

  /** An array for the kernel to read. */
  input(values: Numbers): number {
    const at = this.#take(values.byteLength);
    this.#write(at, values);
    return at;
  }

  /** The same at the very end of the memory: reading beyond it traps. */
  inputAtTheEnd(values: Numbers): number {
    const at = arena.capacity - values.byteLength;
    this.#write(at, values);
    return at;
  }

  /** An output that must hold `values` after the call. */
  output(values: Numbers): number {
    const at = this.#take(values.byteLength);
    this.#expected.push([at, values]);
    return at;
  }

  /** An input that must hold `values` after the call. */
  inPlace(before: Numbers, after: Numbers): number {
    const at = this.input(before);
    this.#expected.push([at, after]);
    return at;
  }

  /** Scratch, which may hold anything after the call. */
  scratch(bytes: number): number {
    const at = this.#take(bytes);
    this.#open.push([at, bytes]);
    return at;
  }

  /** Lets a kernel write whole vectors: the padding after `length` float32 at `address` may hold anything. */
  wholeVectors(address: number, length: number): number {
    this.#open.push([address + length * 4, ((4 - (length % 4)) % 4) * 4]);
    return address;
  }

  /** The memory. */
  readonly buffer = arena.buffer;

  check(run: () => void, what: string): void {
    const before = new Uint8Array(arena.buffer).slice();
    run();
    const after = Buffer.from(arena.buffer);
    const wanted = Buffer.from(before.buffer);
    for (const [at, values] of this.#expected) {
      const got = after.subarray(at, at + values.byteLength);
      const kind = values.constructor as new (buffer: ArrayBuffer) => Numbers;
      expectSameBits(new kind(new Uint8Array(got).buffer), values, what);
      got.copy(wanted, at);
    }
    for (const [at, bytes] of this.#open) after.copy(wanted, at, at, at + bytes);
    expect(wanted.equals(after), `${what}: nothing else is written`).toBe(true);
  }

  #take(bytes: number): number {
    const at = this.#next;
    this.#next += padded(bytes / 4) + 64;
    if (this.#next > arena.capacity) throw new Error("the field is too small");
    return at;
  }

  #write(at: number, values: Numbers): void {
    new Uint8Array(arena.buffer, at, values.byteLength).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
  }
}

/** Reports the first element that differs, since printing thousands would take minutes. */
export function expectSameBits(got: Numbers, wanted: Numbers, what: string): void {
  const size = wanted.BYTES_PER_ELEMENT;
  const [a, b] = [got, wanted].map((list) => Buffer.from(list.buffer, list.byteOffset, list.byteLength));
  if (a.equals(b)) return;
  const i = wanted.findIndex(
    (_, at) => !a.subarray(at * size, (at + 1) * size).equals(b.subarray(at * size, (at + 1) * size)),
  );
  expect.fail(`${what}: [${i}] of ${wanted.length} expected ${wanted[i]}, got ${got[i]} (of ${got.length})`);
}

/** n numbers of every sign in about ±scale. */
export function numbers(n: number, seed: number, scale = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: n }, () => scale * (2 * random.uniform() - 1) * (random.uniform() + 0.1));
}
