// Tests that the bits do not depend on the number of threads, nor on when they start to work.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Adam, ParameterDict, WeightEma, clipGradNorm, gradNorm } from "../../src/index.js";
import {
  MLP,
  Network,
  avgPool2d,
  batchNorm,
  conv2d,
  embedding,
  flatten,
  gelu,
  groupNorm,
  layerNorm,
  linear,
  maxPool2d,
} from "../../src/nn/index.js";
import { positionEmbedding, relu, residual, selfAttention, silu } from "../../src/nn/index.js";
import type { Kernels } from "../../src/kernels.js";
import { SharedArena, SharedParameterDict, type Threads } from "../../src/threads/index.js";
import { reductions, sweeps } from "../../src/threads/kernels.js";
import { fillGradient, firstDifference, poisonedArena, random, shapesOf, slotNames } from "../support/harness.js";
import { cases, make } from "../rules/table.js";
import { memoryOf, ready, start } from "./harness.js";

/** Sizes around one block and several, and small ones between. */
const SIZES = { a: 16384 * 2 + 5, b: 3, c: 16384, d: 1000, e: 16383, f: 0, g: 70_001, h: 64 };

describe.each([
  { size: 3, script: "late.mjs", rules: /./ },
  { size: 2, script: "late.mjs", rules: /^(SGD|AdamW|Prodigy) / },
  { size: 4, script: undefined, rules: /^(AdamW|Adan|LAMB) / },
])("$size threads, $script", ({ size, script, rules }) => {
  let threads: Threads;
  let helped = 0; // by all workers in all tests: in a single test, on a busy machine, no worker may come in time
  beforeAll(async () => {
    threads = await start(size, script);
  });
  afterAll(async () => {
    await threads.dispose();
    expect(helped).toBeGreaterThan(0);
  });

  // Dialects differ in coefficients, not in loops.
  const chosen = cases.filter(
    ({ options }) => options.weightDecay === 0.05 && options.maximize !== true && !("dialect" in options),
  );
  test.each(chosen.filter(({ title }) => rules.test(title)))("$title", async ({ row, options }) => {
    const shapes = shapesOf(row, SIZES);
    const alone = new ParameterDict(shapes);
    const shared = new SharedParameterDict(shapes, { threads });
    await ready(shared, threads);
    const [a, b] = [alone, shared].map((params) => {
      const next = random(5);
      for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
      return { params, optimizer: make(row.rule, params, options), average: new WeightEma(params), next };
    });
    for (let t = 1; t <= 3; t++) {
      const skip = t === 2 ? (["c", "g"] as const) : [];
      for (const { params, optimizer, average, next } of [a, b]) {
        for (const name of params.names) fillGradient(params.grad[name], next);
        // The first update of an average copies: only the second is done in the same sweep.
        const more = t !== 2 ? { gradScale: 0.5, clipNorm: 1, zeroGrad: true, average } : {};
        optimizer.step({ skip, ...more });
      }
    }
    for (const name of alone.names) {
      expect(firstDifference(shared.data[name], alone.data[name]), name).toBe(-1);
      expect(firstDifference(shared.grad[name], alone.grad[name]), name).toBe(-1);
      expect(firstDifference(b.average.values[name], a.average.values[name]), name).toBe(-1);
      for (const slot of slotNames(a.optimizer, name)) {
        const [x, y] = [a, b].map(({ optimizer }) => optimizer.state(name)[slot] as Float32Array);
        expect(firstDifference(x, y), `${name} ${slot}`).toBe(-1);
      }
    }
    for (const { params, next } of [a, b]) for (const name of params.names) fillGradient(params.grad[name], next);
    for (const normType of [1, 2, Infinity]) expect(gradNorm(shared, { normType })).toBe(gradNorm(alone, { normType }));
    expect(clipGradNorm(shared, 0.1)).toBe(clipGradNorm(alone, 0.1));
    for (const name of alone.names) expect(firstDifference(shared.grad[name], alone.grad[name]), name).toBe(-1);
    helped += memoryOf(shared).helped;
    shared.arena.dispose();
  });
});

describe("small state", () => {
  test.each(["bfloat16", "8bit"] as const)("%s on two threads", async (stateFormat) => {
    const threads = await start(2);
    const shapes = { a: [20_000], b: [3], c: [70_001] };
    const alone = new ParameterDict(shapes);
    const shared = new SharedParameterDict(shapes, { threads });
    await ready(shared, threads);
    for (const params of [alone, shared]) {
      const optimizer = new Adam<string>(params, { stateFormat, groups: [{ params: ["c"], weightDecay: 0.1 }] });
      const next = random(3);
      for (let t = 1; t <= 3; t++) {
        for (const name of params.names) fillGradient(params.grad[name], next);
        optimizer.step({ zeroGrad: t === 2 });
      }
    }
    for (const name of alone.names) expect(firstDifference(shared.data[name], alone.data[name]), name).toBe(-1);
    await threads.dispose();
  });
});

describe("every divided kernel leaves all of memory as it does on one thread", () => {
  const N = 16384 * 3 + 48;
  const BUFFERS = Array.from({ length: 8 }, (_, k) => 65536 + 256 + k * N * 4);
  const END = BUFFERS[7] + N * 4;
  const capacity = END + 65536;
  type Call = (kernel: (...args: number[]) => number, words: Int32Array) => number | undefined;
  let threads: Threads;
  let helped = 0;
  beforeAll(async () => {
    threads = await start(3, "late.mjs");
  });
  afterAll(async () => {
    await threads.dispose();
    expect(helped).toBeGreaterThan(0);
  });

  /** Makes the same call on the same memory, divided and alone: the results, and the memory after them. */
  async function both(name: keyof Kernels, call: Call): Promise<[number | undefined, Float32Array][]> {
    const shared = new SharedArena({ capacity, threads });
    const params = new SharedParameterDict({ w: [1] }, { arena: shared });
    await ready(params, threads);
    const results = [shared, poisonedArena(capacity)].map((arena): [number | undefined, Float32Array] => {
      const [memory, next] = [new Float32Array(arena.buffer, 65536, arena.capacity / 4 - 16384), random(3)];
      for (let i = 0; i < memory.length; i++) memory[i] = next();
      const result = call(arena.kernels[name] as (...args: number[]) => number, new Int32Array(arena.buffer));
      return [result, memory.slice()];
    });
    helped += memoryOf(params).helped;
    shared.dispose();
    return results;
  }

  test.each([...Object.keys(sweeps), ...Object.keys(reductions)] as (keyof Kernels)[])("%s", async (name) => {
    const addresses = sweeps[name] ?? reductions[name]!.vectors;
    const args = [N, ...BUFFERS.slice(0, addresses), ...Array.from({ length: 20 - addresses }, () => 0.5)];
    const [[result, memory], [wanted, expected]] = await both(name, (kernel) => kernel(...args));
    expect(result).toBe(wanted);
    expect(firstDifference(memory, expected)).toBe(-1);
  });

  test("firstNonFinite finds the first of several", async () => {
    const [[result], [wanted]] = await both("firstNonFinite", (kernel, words) => {
      for (const at of [40_000, 40_001, 20_000]) words[BUFFERS[0] / 4 + at] = 0x7fc00000;
      return kernel(N, BUFFERS[0]);
    });
    expect([result, wanted]).toEqual([20_000, 20_000]);
  });

  test("a vector of more blocks than the list of blocks holds", () => {
    const n = 1025 * 16384 + 16;
    const arena = new SharedArena({ capacity: 65536 + n * 4, threads });
    const vector = new Float32Array(arena.buffer, 65536, n).fill(1);
    arena.kernels.scale(n, 65536, 0.5);
    expect(vector.findIndex((x) => x !== 0.5)).toBe(-1);
    arena.dispose();
  });

  test.each([false, true])("a list of runs, with a pass: %s", async (hasPass) => {
    const pass = END;
    const list = pass + 128;
    const stride = hasPass ? 64 : 32;
    const runs = [16384 + 32, 16, 16384, 4096, 12288];
    const coefficients = list + runs.length * stride;
    const [[, memory], [, expected]] = await both("adam", (kernel, words) => {
      let first = 0;
      runs.forEach((n, r) => {
        const [p, g, m, v, average] = BUFFERS.map((buffer) => buffer + first * 4);
        const more = hasPass ? [average, 0, 0, 0, 0, 0, 0, 0] : [];
        words.set([n, p, g, m, v, 0, 0, coefficients, ...more], (list + r * stride) / 4);
        first += n;
      });
      const floats = new Float32Array(words.buffer);
      floats.set([1, 0, 0.01, 0.9, 0.1, 0.99, 0.01, 1e-3, 1, 1e-8, 1], coefficients / 4);
      words.fill(0, pass / 4, list / 4);
      words[pass / 4 + 16] = 1; // clears the gradients
      words[pass / 4 + 17] = 0x3e800000; // averages approach with weight 0.25
      words[pass / 4 + 19] = stride;
      const last = BUFFERS[hasPass ? 4 : 0] / 4 + N - 1;
      const before = words[last];
      kernel(-runs.length, list, hasPass ? pass : 0, 1, 1, 0, 1, 0, 0.01, 0.9, 0.1, 0.99, 0.01, 1e-3, 1, 1e-8, 1);
      expect(words[last]).not.toBe(before);
      return void words.fill(0, pass / 4, list / 4); // threads may leave anything in a pass
    });
    expect(firstDifference(memory, expected)).toBe(-1);
  });
});

describe("matrix products", () => {
  let threads: Threads;
  let helped = 0;
  beforeAll(async () => {
    threads = await start(3, "late.mjs");
  });
  afterAll(async () => {
    await threads.dispose();
    expect(helped).toBeGreaterThan(0);
  });

  test.each([
    { sizes: [784, 128, 10], rows: 256, activation: "relu" as const },
    { sizes: [5, 3, 7, 2], rows: 13, activation: "gelu" as const },
    { sizes: [300, 1, 4], rows: 1, activation: "tanh" as const },
  ])("an MLP of $sizes, $rows rows", async ({ sizes, rows, activation }) => {
    const options = { activation, batchSize: rows };
    const [alone, shared] = [new MLP(sizes, options), new MLP(sizes, { ...options, threads })];
    await ready(shared.params, threads);
    const results = [alone, shared].map((mlp) => {
      const [next, optimizer] = [random(9), new Adam(mlp.params, { lr: 0.01 })];
      const x = Float32Array.from({ length: rows * sizes[0] }, () => Math.max(0, next() - 0.5));
      const y = Array.from({ length: rows }, () => Math.floor(next() * sizes[sizes.length - 1]));
      const losses = Array.from({ length: 4 }, () => {
        const loss = mlp.trainBatch(x, y);
        optimizer.step();
        return loss;
      });
      return { losses, logits: mlp.predict(x), params: mlp.params };
    });
    expect(results[1].losses).toEqual(results[0].losses);
    expect(firstDifference(results[1].logits, results[0].logits)).toBe(-1);
    for (const name of alone.params.names)
      expect(firstDifference(results[1].params.data[name], results[0].params.data[name]), name).toBe(-1);
    helped += memoryOf(shared.params).helped;
    shared.params.arena.dispose();
  });

  const image = [
    ...[conv2d(8, { kernelSize: 3, padding: 1 }), batchNorm(), relu(), maxPool2d(2)],
    ...[conv2d(12, { kernelSize: 3, stride: 2, groups: 2 }), groupNorm(4), silu(), avgPool2d(2), flatten(), linear(5)],
  ];
  const text = [
    ...[embedding(11, 24), positionEmbedding(), residual([layerNorm(), selfAttention({ heads: 3, causal: true })])],
    ...[residual([layerNorm(), linear(48), gelu(), linear(24)]), layerNorm(), linear(11)],
  ];
  test.each([
    { what: "convolutions", input: [2, 14, 14], layers: image, classes: 5, labels: 1 },
    { what: "a transformer", input: [19], layers: text, classes: 11, labels: 19 },
  ])("a network of $what", async ({ input, layers, classes, labels }) => {
    const options = { batchSize: 34 };
    const [alone, shared] = [new Network(input, layers, options), new Network(input, layers, { ...options, threads })];
    await ready(shared.params, threads);
    const size = input.reduce((product, n) => product * n);
    const results = [alone, shared].map((network) => {
      const [next, optimizer] = [random(9), new Adam(network.params, { lr: 0.01 })];
      const draw = { length: 34 * size };
      const x = labels > 1 ? Uint8Array.from(draw, () => next() * 11) : Float32Array.from(draw, () => next() - 0.5);
      const y = Array.from({ length: 34 * labels }, () => Math.floor(next() * classes));
      const losses = Array.from({ length: 4 }, () => {
        const loss = network.trainBatch(x, y);
        optimizer.step();
        return loss;
      });
      return { losses, outputs: network.predict(x) };
    });
    expect(results[1].losses).toEqual(results[0].losses);
    expect(firstDifference(results[1].outputs, results[0].outputs)).toBe(-1);
    for (const name of alone.params.names)
      expect(firstDifference(shared.params.data[name], alone.params.data[name]), name).toBe(-1);
    helped += memoryOf(shared.params).helped;
    shared.params.arena.dispose();
  });
});
