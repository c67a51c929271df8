// Small state: bit for bit what the plain reference of its rule gives when it keeps the slots in the format between steps.
import { describe, expect, test } from "vitest";
import { Adam, type Arena, ParameterDict, SGD, type StepOptimizer, WeightEma } from "../../src/index.js";
import { builds } from "../support/builds.js";
import {
  fillGradient,
  firstDifference,
  paddingOf,
  plainOf,
  plainStep,
  poisonedArena,
  random,
  settledOf,
} from "../support/harness.js";
import type { Plain } from "../support/reference/common.js";
import { type Kind, type SmallFormat, kept, kindOf } from "../support/reference/small.js";
import { type Options, type Row, cases, make, reduces, rows } from "../rules/table.js";

const FORMATS: SmallFormat[] = ["bfloat16", "8bit"];
const SIZES = { bfloat16: [0, 1, 17, 257, 1003, 1040], "8bit": [33, 4355] };
const MORE_SIZES = [
  ...Array.from({ length: 34 }, (_, n) => n),
  63,
  64,
  65,
  255,
  256,
  257,
  1003,
  4095,
  4096,
  4097,
  5003,
];

const slotsOf = (optimizer: StepOptimizer, name: string): [string, Float32Array][] =>
  Object.entries(optimizer.state(name)).flatMap(([slot, value]) =>
    typeof value === "number" ? [] : [[slot, value] as [string, Float32Array]],
  );

/** Each slot's kind, and its place among those of the kernel. */
function layout(row: Row, optimizer: StepOptimizer, name: string): [slot: string, kind: Kind, k: number][] {
  const centered = (settledOf(optimizer) as unknown as Options).centered === true;
  return slotsOf(optimizer, name).map(([slot], k) => {
    const place = row.rule === "RMSprop" && slot === "momentumBuffer" ? 2 : k;
    return [slot, kindOf(slot, centered), place];
  });
}

interface Pair {
  row: Row;
  params: ParameterDict;
  optimizer: StepOptimizer;
  plain: Map<string, Plain>;
  counts: Map<string, number>;
  format: SmallFormat;
}

function keepAll({ row, optimizer, format }: Pair, name: string, tensor: Plain, t: number): void {
  for (const [slot, kind, k] of layout(row, optimizer, name))
    tensor.slots[slot].set(kept(tensor.slots[slot], format, kind, k, t));
}

function pair(row: Row, options: Options, format: SmallFormat, sizes: number[], arena: Arena): Pair {
  const shapes = Object.fromEntries(sizes.map((n) => [`n${n}`, [n]]));
  const params: ParameterDict = new ParameterDict(shapes, { arena });
  const next = random(7);
  for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
  const optimizer = make(row.rule, params, { ...options, stateFormat: format });
  const shared = row.shared?.start(settledOf(optimizer)) ?? {};
  const plain = new Map(params.names.map((name) => [name, plainOf(row, optimizer, params, name, shared)]));
  const result = { row, params, optimizer, plain, counts: new Map(params.names.map((n) => [n, 0])), format };
  for (const [name, tensor] of plain) keepAll(result, name, tensor, 0);
  return result;
}

/** One step of both; the parameters and slots must then have the same bits. */
function step(both: Pair, skip: string[], gradScale: number): void {
  const { row, params, optimizer, plain, counts } = both;
  const taken = params.names.filter((name) => !skip.includes(name));
  for (const name of taken) {
    plain.get(name)!.g.set(params.grad[name]);
    counts.set(name, counts.get(name)! + 1);
  }
  plainStep(
    row,
    settledOf(optimizer),
    taken.map((name) => [plain.get(name)!, counts.get(name)!] as const),
    gradScale,
  );
  for (const name of taken) keepAll(both, name, plain.get(name)!, counts.get(name)!);
  expect(optimizer.step({ skip, gradScale })).toBe(true);
  for (const [name, tensor] of plain) {
    same(params.data[name], tensor.p, `${name} value`);
    for (const [slot, values] of slotsOf(optimizer, name)) same(values, tensor.slots[slot], `${name} ${slot}`);
  }
}

function same(got: Float32Array, want: Float32Array, what: string): void {
  if (firstDifference(got, want) < 0) return;
  const at = got.findIndex((x, i) => !Object.is(x, want[i])); // any NaN is a NaN
  if (at >= 0) expect.fail(`${what}[${at}]: ${got[at]} is not ${want[at]}`);
}

// A dialect is other coefficients, which makes no difference to what is kept.
const elementwise = cases.filter(({ row, options }) => !reduces(row, options) && !("dialect" in options));

describe.each(FORMATS)("%s", (format) => {
  test.each(elementwise)("$title", ({ row, options }) => {
    const both = pair(row, options, format, SIZES[format], poisonedArena(2 ** 19));
    const { params } = both;
    const next = random(11);
    for (let t = 1; t <= 3; t++) {
      for (const name of params.names) {
        if (t === 2) params.grad[name].fill(0);
        else fillGradient(params.grad[name], next);
        paddingOf(params.grad[name]).fill(t === 1 ? 1e15 : NaN);
        paddingOf(params.data[name]).fill(NaN);
      }
      step(both, t === 2 ? params.names.filter((_, i) => i % 3 === 1) : [], t === 3 ? 0.3 : 1);
    }
  });

  test.each(builds)("every small size, huge and tiny numbers, $build build", ({ module }) => {
    const row = rows.find(({ rule }) => rule === "Adam")!;
    for (const amsgrad of [false, true]) {
      const both = pair(row, { amsgrad }, format, MORE_SIZES, poisonedArena(2 ** 20, module));
      const next = random(3);
      for (let t = 1; t <= 5; t++) {
        for (const view of Object.values(both.params.grad))
          view.forEach((_, i) => (view[i] = (next() - 0.5) * 10 ** Math.floor(next() * 38 - 20)));
        step(both, [], 1);
      }
    }
  });

  test.each(["Adam", "SGD", "Lion", "RMSprop", "NAdam", "Yogi"])("%s keeps what is not finite where it is", (rule) => {
    const row = rows.find((r) => r.rule === rule)!;
    const options = rule === "SGD" ? { lr: 0.1, momentum: 0.9 } : {};
    const both = pair(row, options, format, [4100], poisonedArena(2 ** 18));
    const next = random(5);
    for (let t = 1; t <= 4; t++) {
      const g = both.params.grad.n4100;
      fillGradient(g, next);
      if (t === 2) {
        g[5] = NaN;
        g[300] = Infinity;
        g[301] = -Infinity;
        g[4099] = NaN;
        // NaNs that a dither would carry over into zeros.
        new Uint32Array(g.buffer, g.byteOffset + 4 * 600, 2).set([0x7fffffff, 0xffffffff]);
      }
      step(both, [], 1);
      expect(both.params.data.n4100.filter((x) => !Number.isFinite(x)).length).toBeLessThanOrEqual(6);
    }
  });

  const fillUp = (arena: Arena): void => {
    while (arena.free >= 128) new ParameterDict({ rest: [Math.floor(arena.free / 128) * 16] }, { arena });
  };

  test("the same bits with zeroGrad and an average in the same pass, in an arena that is full after the first step", () => {
    for (const rule of ["Adam", "Adan", "SGD"]) {
      const run = (fused: boolean): Float32Array[] => {
        const params: ParameterDict = new ParameterDict({ a: [4097], b: [30], c: [5000] });
        const options = {
          lr: 0.01,
          ...(rule === "SGD" ? { momentum: 0.9 } : {}),
          groups: [{ params: ["b"], lr: 0.1 }],
        };
        const optimizer = make(rule, params, { ...options, stateFormat: format });
        const ema = new WeightEma(params, { decay: 0.5 });
        const next = random(2);
        for (let t = 0; t < 3; t++) {
          for (const name of params.names) fillGradient(params.grad[name], next);
          optimizer.step(fused ? { zeroGrad: true, average: ema } : {});
          if (!fused) ema.update();
          if (!fused) optimizer.zeroGrad();
          if (fused) fillUp(params.arena);
        }
        return params.names.flatMap((name) => [params.data[name].slice(), params.grad[name].slice(), ema.values[name]]);
      };
      expect(run(true)).toEqual(run(false));
    }
  });

  test("in a full arena, the first step says what to raise and changes nothing", () => {
    const params = new ParameterDict({ a: [4097], b: [30] });
    const optimizer = new Adam(params, { stateFormat: format });
    fillUp(params.arena);
    params.grad.a.fill(1);
    const { used } = params.arena;
    for (let k = 0; k < 2; k++)
      expect(() => optimizer.step()).toThrow(/^Adam: needs \d+ bytes for its list of runs, .*: raise "slots"/);
    expect(params.arena.used).toBe(used);
    expect(optimizer.state("a").step).toBe(0);
    expect(params.data.a.every((x) => x === 0)).toBe(true);
  });
});

test("a tensor has the same bits alone as among others", () => {
  for (const stateFormat of FORMATS) {
    const run = (shapes: Record<string, number[]>): Float32Array => {
      const params: ParameterDict = new ParameterDict(shapes);
      const optimizer = new Adam(params, { stateFormat });
      for (let t = 0; t < 3; t++) {
        fillGradient(params.grad.x, random(t + 1));
        optimizer.step();
      }
      return params.data.x.slice();
    };
    expect(run({ before: [7], x: [4500], after: [5000] })).toEqual(run({ x: [4500] }));
  }
});

test("a block's largest element does not shrink, and small steps add up", () => {
  for (const stateFormat of FORMATS) {
    const params = new ParameterDict({ w: [8192] });
    const sgd = new SGD(params, { lr: 0, momentum: 0.999, stateFormat });
    params.grad.w.fill(0.001); // the buffer approaches 1 by a thousandth of what is left
    for (let t = 0; t < 4000; t++) sgd.step();
    const buffer = sgd.state("w").momentumBuffer as Float32Array;
    const mean = buffer.reduce((sum, x) => sum + x, 0) / buffer.length;
    expect(Math.abs(mean / (1 - 0.999 ** 4000) - 1)).toBeLessThan(stateFormat === "8bit" ? 0.02 : 0.005);
  }
});
