import { describe, expect, test } from "vitest";
import { ParameterDict, type StepOptimizer } from "../../src/index.js";
import { builds } from "../support/builds.js";
import { bits, fillGradient, firstDifference, poisonedArena, random, slotNames } from "../support/harness.js";
import { type Options, make, rows as table } from "../rules/table.js";

const WIDTHS = [1, 3, 16, 20, 64, 70];
const COUNT = 40;
/** Unsorted, with both ends and neighbours. */
const ROWS = Uint32Array.of(17, 0, 39, 5, 6, 31);

interface Sparse {
  rule: string;
  options: Options;
  /** The options whose dense step is this rule's sparse one: Adam's is SparseAdam, which folds its corrections as Keras does. */
  dense: Options;
}
const each = (rule: string, variants: Options[], dense: Options = {}): Sparse[] =>
  variants.map((options) => ({ rule, options, dense: { ...options, ...dense } }));
const decays = [{ weightDecay: 0 }, { weightDecay: 0.05 }, { weightDecay: 0.05, maximize: true }];
const dialects = ["torch", "keras", "optax"];
const inAll = (options: Options): Options[] =>
  dialects.flatMap((dialect) => decays.map((more) => ({ ...options, ...more, dialect })));
const adams = (dialect: string): Options[] => [
  { lr: 0.05, eps: 1e-3, dialect },
  { lr: 0.05, eps: 1e-8, betas: [0.5, 0.7], maximize: true, dialect },
];
const cases = [
  ...each("SGD", inAll({ lr: 0.05 })),
  ...each("Adagrad", inAll({ lr: 0.05, lrDecay: 0.1, initialAccumulatorValue: 0.2 })),
  ...dialects.flatMap((dialect) => each("Adam", adams(dialect), { dialect: "keras" })),
  ...each("Adam", [{ lr: 0.05, weightDecay: 0.05, dialect: "keras", eps: 1e-3 }]),
].map((c) => ({ ...c, title: `${c.rule} ${JSON.stringify(c.options)}` }));

const perRule: [string, Options][] = [
  ["SGD", { lr: 0.05, weightDecay: 0.05 }],
  ["Adagrad", { lr: 0.05, weightDecay: 0.05 }],
  ["Adam", { lr: 0.05, weightDecay: 0.05 }],
];

function fillNumbers(target: Float32Array, next: () => number): void {
  for (let i = 0; i < target.length; i++) target[i] = next() - 0.5;
}

/** A table between two tensors, in memory full of NaN: what is written beside the rows shows, and so does what is read. */
function setUp(rule: string, width: number, options: Options, count = COUNT, module?: WebAssembly.Module) {
  const shapes = { before: [7], table: [count, width], after: [7] };
  const params = new ParameterDict(shapes, { arena: poisonedArena(2 ** 21, module) });
  const optimizer = make(rule, params, options);
  const next = random(width + 3);
  for (const name of params.names) {
    fillNumbers(params.data[name], next);
    params.grad[name].fill(NaN);
  }
  return { params, optimizer, next };
}

/** The value, and every slot, of a tensor. */
function buffers(params: ParameterDict, optimizer: StepOptimizer, name: string): Float32Array[] {
  const state = optimizer.state(name);
  return [params.data[name], ...slotNames(optimizer, name).map((slot) => state[slot] as Float32Array)];
}

const part = (x: Float32Array, row: number, width: number): Float32Array => x.subarray(row * width, (row + 1) * width);

describe.each(cases)("$title", ({ rule, options, dense }) => {
  test.each(WIDTHS)(
    "rows of %i: the result of the dense rule on a tensor of only those rows; nothing else changes",
    (width) => {
      const { params, optimizer, next } = setUp(rule, width, options);
      const small = new ParameterDict({ rows: [ROWS.length, width] });
      const plain = make(rule, small, dense);
      ROWS.forEach((row, i) => part(small.data.rows, i, width).set(part(params.data.table, row, width)));
      // Past a multiple of 256, at which the dense rule flushes denormals.
      const gradients = width === 20 ? 258 : 5;
      for (let t = 1; t <= gradients; t++) {
        const before = buffers(params, optimizer, "table").map((x) => x.slice());
        for (let i = 0; i < ROWS.length; i++) {
          const g = part(small.grad.rows, i, width);
          if (t <= 5) fillGradient(g, next);
          else g.fill(1e-30);
          part(params.grad.table, ROWS[i], width).set(g);
        }
        const gradScale = t === 2 ? 0.25 : 1;
        expect(optimizer.step({ rows: { table: ROWS }, skip: ["before", "after"], gradScale })).toBe(true);
        plain.step({ gradScale });
        expect(optimizer.state("table").step).toBe(t);

        const wanted = buffers(small, plain, "rows");
        const actual = buffers(params, optimizer, "table");
        expect(actual).toHaveLength(wanted.length);
        actual.forEach((x, k) => {
          ROWS.forEach((row, i) => before[k].set(part(wanted[k], i, width), row * width));
          expect(firstDifference(x, before[k]), `step ${t}, buffer ${k}`).toBe(-1);
        });
      }
      for (const name of ["before", "after"]) expect(optimizer.state(name).step).toBe(0);
    },
  );
});

describe.each(perRule)("%s", (rule, options) => {
  test.each(WIDTHS)("rows of %i: gradient, padding and adjacent tensors do not change", (width) => {
    const { params, optimizer, next } = setUp(rule, width, options);
    for (const row of ROWS) fillGradient(part(params.grad.table, row, width), next);
    const all = new Uint32Array(params.data.table.buffer);
    const before = all.slice();
    const may = new Set<number>();
    for (const x of buffers(params, optimizer, "table"))
      for (const row of ROWS) part(x, row, width).forEach((_, i) => may.add(x.byteOffset / 4 + row * width + i));
    const used = params.arena.used;
    optimizer.step({ rows: { table: ROWS }, skip: ["before", "after"] });
    // The room in which rows are packed comes last.
    const [packed, end] = [used / 4, params.arena.used / 4];
    expect([...all.keys()].filter((i) => all[i] !== before[i] && !may.has(i) && !(i >= packed && i < end))).toEqual([]);
    optimizer.step({ rows: { table: ROWS }, skip: ["before", "after"] });
    expect(params.arena.used / 4).toBe(end);
    optimizer.dispose();
    expect(params.arena.used).toBeLessThanOrEqual(used);
  });

  test.each(builds)("all rows at once equal some rows and then the others ($build build)", ({ module }) => {
    const [a, b] = [setUp(rule, 20, options, COUNT, module), setUp(rule, 20, options, COUNT, module)];
    fillGradient(a.params.grad.table, a.next);
    b.params.grad.table.set(a.params.grad.table);
    const all = Array.from({ length: COUNT }, (_, i) => i);
    a.optimizer.step({ rows: { table: all }, skip: ["before", "after"] });
    b.optimizer.step({ rows: { table: all.reverse() }, skip: ["before", "after"] });
    const wanted = buffers(b.params, b.optimizer, "table");
    buffers(a.params, a.optimizer, "table").forEach((x, k) => expect(firstDifference(x, wanted[k])).toBe(-1));
    expect(b.params.data.table.every(Number.isFinite)).toBe(true);
  });

  test("together with dense tensors, and alternating with dense steps", () => {
    const [a, b] = [setUp(rule, 20, options), setUp(rule, 20, options)];
    for (let t = 1; t <= 4; t++) {
      for (const name of a.params.names) {
        fillGradient(a.params.grad[name], a.next);
        b.params.grad[name].set(a.params.grad[name]);
      }
      const given = t === 3 ? {} : { rows: { table: ROWS } };
      a.optimizer.step(given);
      b.optimizer.step({ ...given, skip: ["before", "after"] });
      b.optimizer.step({ skip: ["table"] });
      for (const name of a.params.names) {
        const wanted = buffers(b.params, b.optimizer, name);
        buffers(a.params, a.optimizer, name).forEach((x, k) => expect(firstDifference(x, wanted[k])).toBe(-1));
      }
    }
    expect(a.optimizer.state("table").step).toBe(4);
  });

  // As many as are packed at a time, one more, and rows of which only a part is.
  test.each([
    [1, 4097],
    [3, 1365],
    [3, 1366],
    [64, 129],
    [4096, 2],
    [4100, 3],
    [8195, 2],
  ])("rows of %i, %i of them", (width, count) => {
    const shapes = { table: [count * 2, width] };
    const [some, whole] = [new ParameterDict(shapes), new ParameterDict(shapes)];
    const [a, b] = [make(rule, some, options), make(rule, whole, options)];
    const odd = Uint32Array.from({ length: count }, (_, i) => 2 * (count - 1 - i) + 1);
    const next = random(width);
    for (let t = 0; t < 2; t++) {
      fillNumbers(some.data.table, next);
      fillGradient(some.grad.table, next);
      whole.data.table.set(some.data.table);
      whole.grad.table.set(some.grad.table);
      const before = some.data.table.slice();
      a.step({ rows: { table: odd } });
      b.step({ rows: { table: Array.from({ length: count * 2 }, (_, i) => i) } });
      for (let row = 0; row < count * 2; row++) {
        const wanted = part(row % 2 === 1 ? whole.data.table : before, row, width);
        if (firstDifference(part(some.data.table, row, width), wanted) !== -1) expect.fail(`row ${row}`);
      }
    }
    expect(firstDifference(some.data.table, whole.data.table)).not.toBe(-1);
  });

  test("an empty list of rows changes only the step count", () => {
    const { params, optimizer } = setUp(rule, 3, options);
    const before = bits(params.data.table).slice();
    optimizer.step({ rows: { table: [] }, skip: ["before", "after"] });
    expect(bits(params.data.table)).toEqual(before);
    expect(optimizer.state("table").step).toBe(1);
  });

  test("accepts any kind of list of numbers", () => {
    const lists = [[0, 2], Uint8Array.of(0, 2), Int32Array.of(0, 2), Float64Array.of(0, 2), Object.freeze([0, -0 + 2])];
    const results = lists.map((list) => {
      const { params, optimizer } = setUp(rule, 3, options, 3);
      params.grad.table.fill(0.5);
      optimizer.step({ rows: { table: list }, skip: ["before", "after"] });
      return params.data.table.slice();
    });
    for (const result of results) expect(result).toEqual(results[0]);
  });

  test("empty tables", () => {
    for (const shape of [
      [0, 5],
      [5, 0],
    ]) {
      const params = new ParameterDict({ table: shape });
      const optimizer = make(rule, params, { ...options, nonFinite: "throw" });
      const list = shape[0] === 0 ? [] : [4, 1];
      optimizer.step({ rows: { table: list } });
      expect(optimizer.state("table").step).toBe(1);
    }
  });
});

test("Adam: coupled decay enters the gradients of those rows", () => {
  const options = { lr: 0.05, eps: 1e-3 };
  const { params, optimizer, next } = setUp("Adam", 20, { ...options, weightDecay: 0.1 });
  const small = new ParameterDict({ rows: [ROWS.length, 20] });
  const plain = make("Adam", small, { ...options, dialect: "keras" });
  ROWS.forEach((row, i) => part(small.data.rows, i, 20).set(part(params.data.table, row, 20)));
  for (let t = 1; t <= 4; t++) {
    ROWS.forEach((row, i) => {
      const g = part(params.grad.table, row, 20);
      fillGradient(g, next);
      const p = part(small.data.rows, i, 20);
      part(small.grad.rows, i, 20).set(g.map((x, j) => x + Math.fround(Math.fround(0.1) * p[j])));
    });
    optimizer.step({ rows: { table: ROWS }, skip: ["before", "after"] });
    plain.step();
    ROWS.forEach((row, i) =>
      expect(firstDifference(part(params.data.table, row, 20), part(small.data.rows, i, 20))).toBe(-1),
    );
  }
});

describe("what a step with rows refuses", () => {
  const bad: [name: string, rows: unknown, error: ErrorConstructor, message: string][] = [
    ["a doubled row", { table: [1, 2, 1] }, RangeError, 'Adam: "rows.table[2]" expected each row once, got 1'],
    ["0 and -0", { table: [0, -0] }, RangeError, 'Adam: "rows.table[1]" expected each row once, got 0'],
    ["a row behind the last", { table: [3, 40] }, RangeError, '"rows.table[1]" expected a row in [0, 40), got 40'],
    ["a negative row", { table: [-1] }, RangeError, '"rows.table[0]" expected a row in [0, 40), got -1'],
    [
      "a doubled row of a typed array",
      { table: Uint32Array.of(5, 1, 5) },
      RangeError,
      '"rows.table[2]" expected each row once, got 5',
    ],
    [
      "a negative row of a typed array",
      { table: Int32Array.of(1, -2) },
      RangeError,
      '"rows.table[1]" expected a row in [0, 40), got -2',
    ],
    [
      "a row behind the last of a typed array",
      { table: Uint32Array.of(40, 1) },
      RangeError,
      '"rows.table[0]" expected a row in [0, 40), got 40',
    ],
    ["half a row", { table: Float32Array.of(1.5) }, RangeError, '"rows.table[0]" expected a row in [0, 40), got 1.5'],
    ["NaN", { table: [NaN] }, RangeError, '"rows.table[0]" expected a row in [0, 40), got NaN'],
    ["a row as a string", { table: ["1"] }, TypeError, '"rows.table[0]" expected a row number, got "1"'],
    ["a hole", { table: Array(1) }, TypeError, '"rows.table[0]" expected a row number, got undefined'],
    [
      "bigints",
      { table: BigInt64Array.of(1n) },
      TypeError,
      '"rows.table" expected an array of row numbers, got a BigInt64Array',
    ],
    ["one number", { table: 3 }, TypeError, '"rows.table" expected an array of row numbers, got 3'],
    ["a string", { table: "12" }, TypeError, '"rows.table" expected an array of row numbers, got "12"'],
    ["a Set", { table: new Set([1]) }, TypeError, '"rows.table" expected an array of row numbers, got a Set'],
    ["nothing", { table: undefined }, TypeError, '"rows.table" expected an array of row numbers, got undefined'],
    ["a list of names", ["table"], TypeError, 'Adam: "rows" expected an object, got ["table"]'],
    ["a Map", new Map([["table", [1]]]), TypeError, 'Adam: "rows" expected an object, got a Map'],
    ["an unknown tensor", { tables: [1] }, RangeError, `"rows.tables" expected one of the tensors "`],
    ["a vector", { before: [1] }, RangeError, '"rows.before" expected a 2-D tensor, got [7]'],
    ["one wrong of two", { table: [1], other: [1, 9] }, RangeError, '"rows.other[1]" expected a row in [0, 3), got 9'],
  ];

  function untouched(rule: string, options: Options, act: (optimizer: StepOptimizer) => void): void {
    const params = new ParameterDict({ before: [7], table: [COUNT, 20], other: [3, 5] });
    const optimizer = make(rule, params, options);
    for (const name of params.names) params.grad[name].fill(0.5);
    optimizer.step();
    const all = new Uint32Array(params.data.table.buffer);
    const before = all.slice();
    const free = params.arena.free;
    act(optimizer);
    expect(Buffer.compare(Buffer.from(all.buffer), Buffer.from(before.buffer))).toBe(0);
    expect(params.arena.free).toBe(free);
    for (const name of params.names) expect(optimizer.state(name).step).toBe(1);
    optimizer.step();
    for (const name of params.names) expect(optimizer.state(name).step).toBe(2);
    expect(all.every((x, i) => x === before[i])).toBe(false);
  }

  test.each(bad)("%s", (_, rows, error, message) => {
    untouched("Adam", { lr: 0.01 }, (optimizer) => {
      const act = (): unknown => optimizer.step({ rows: rows as never });
      expect(act).toThrow(error);
      expect(act).toThrow(message);
    });
  });

  test.each([
    ["SGD", { momentum: 0.9 }, "nothing with a momentum, which moves every row at each step"],
    ["SGD", { momentum: 0.9, momentumForm: "ema" }, "nothing with a momentum, which moves every row at each step"],
    ["Adam", { amsgrad: true }, "nothing with amsgrad, which PyTorch's SparseAdam lacks"],
  ])("%s with %j", (rule, options, expected) => {
    untouched(rule, options, (optimizer) => {
      const act = (): unknown => optimizer.step({ rows: { table: Uint32Array.of(1, 2) } });
      expect(act).toThrow(new RangeError(`${rule}: "rows.table" expected ${expected}, got a Uint32Array of 2`));
    });
  });

  const dense = table.map(({ rule }) => rule).filter((rule) => !perRule.some(([sparse]) => sparse === rule));
  test.each(dense)("every rule without sparse steps: %s", (rule) => {
    const params = new ParameterDict({ table: [COUNT, 4] });
    const optimizer = make(rule, params, { lr: 0.01 });
    const act = (): unknown => optimizer.step({ rows: { table: [1] } });
    expect(act).toThrow(new RangeError(`${rule}: "rows.table" expected a rule that has sparse steps, got [1]`));
    expect(optimizer.state("table").step).toBe(0);
  });

  test("a tensor that is skipped", () => {
    untouched("SGD", {}, (optimizer) => {
      const act = (): unknown => optimizer.step({ skip: ["table"], rows: { table: [1] } });
      expect(act).toThrow(new RangeError('SGD: "rows.table" expected a tensor that is not skipped, got "table"'));
    });
  });

  test("allows skipping another tensor", () => {
    const { params, optimizer } = setUp("SGD", 3, { lr: 1 });
    params.grad.table.fill(1);
    params.grad.after.fill(1);
    const before = params.copy();
    optimizer.step({ skip: ["before"], rows: { table: [2] } });
    expect(params.data.before).toEqual(before.before);
    expect(params.data.after).toEqual(before.after.map((x) => x - 1));
    expect(params.data.table).toEqual(before.table.map((x, i) => (i >= 6 && i < 9 ? x - 1 : x)));
    expect(params.names.map((name) => optimizer.state(name).step)).toEqual([0, 1, 1]);
  });
});

describe("gradients that are not finite", () => {
  test.each(["skip", "throw"])("count only in the rows of the step: %s", (nonFinite) => {
    const { params, optimizer } = setUp("Adam", 20, { nonFinite });
    part(params.grad.table, 4, 20).fill(1); // NaN in all others
    const step = (rows: number[]): boolean => optimizer.step({ rows: { table: rows }, skip: ["before", "after"] });
    expect(step([4])).toBe(true);
    const before = bits(params.data.table).slice();
    part(params.grad.table, 7, 20).fill(1)[13] = Infinity;
    if (nonFinite === "skip") expect(step([4, 7])).toBe(false);
    else expect(() => step([4, 7])).toThrow('Adam: the gradient of "table" is Infinity at element 153');
    expect(bits(params.data.table)).toEqual(before);
    expect(optimizer.state("table").step).toBe(1);
  });
});

test("groups keep their options", () => {
  const params = new ParameterDict({ a: [4, 3], b: [4, 3] });
  const optimizer = make("SGD", params, { lr: 1, groups: [{ params: ["b"], lr: 0.5, maximize: true }] });
  for (const name of params.names) params.grad[name].fill(1);
  optimizer.step({ rows: { a: [1], b: [1, 3] } });
  expect([...params.data.a]).toEqual([0, 0, 0, -1, -1, -1, 0, 0, 0, 0, 0, 0]);
  expect([...params.data.b]).toEqual([0, 0, 0, 0.5, 0.5, 0.5, 0, 0, 0, 0.5, 0.5, 0.5]);
});
