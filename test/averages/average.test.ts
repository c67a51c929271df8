import { describe, expect, test } from "vitest";
import { Arena, ParameterDict, WeightAverage, WeightEma } from "../../src/index.js";
import { builds } from "../support/builds.js";
import { SIZES, fillGradient, firstDifference, paddingOf, poisonedArena, random } from "../support/harness.js";

const f = Math.fround;
const small = (options = {}) => new ParameterDict({ a: [5], b: [2, 3], c: [] }, options);
const kinds = [
  {
    kind: "WeightEma",
    format: "gradstep/weight-ema",
    make: (params: ParameterDict) => new WeightEma(params, { decay: 0.9 }),
    weight: () => f(1 - 0.9),
  },
  {
    kind: "WeightAverage",
    format: "gradstep/weight-average",
    make: (params: ParameterDict) => new WeightAverage(params),
    weight: (k: number) => f(1 / (k + 1)),
  },
] as const;

function move(params: ParameterDict, next: () => number): void {
  for (const name of params.names) fillGradient(params.data[name], next);
}

describe.each(kinds)("$kind", ({ kind, format, make, weight }) => {
  test.each(builds)("avg + w(θ − avg) to the bit, at every size; the first update copies: $build", ({ module }) => {
    const arena = poisonedArena(2 ** 19, module);
    const params = new ParameterDict(Object.fromEntries(SIZES.map((n) => [`n${n}`, [n]])), { arena });
    const next = random(3);
    const average = make(params);
    const plain = new Map<string, Float32Array>();
    for (let k = 0; k < 6; k++) {
      move(params, next);
      for (const name of params.names) paddingOf(params.data[name]).fill(NaN);
      const before = params.copy();
      average.update();
      for (const name of params.names) {
        const [avg, p] = [plain.get(name), params.data[name]];
        plain.set(name, avg ? avg.map((x, i) => f(x + f(weight(k) * f(p[i] - x)))) : p.slice());
        expect(firstDifference(average.values[name], plain.get(name)!), `${name} at update ${k}`).toBe(-1);
      }
      expect(params.copy()).toEqual(before);
    }
    expect(average.updates).toBe(6);
  });

  test("apply() and restore() swap the average in and the parameters back", () => {
    const params = small();
    const next = random(4);
    const average = make(params);
    for (let k = 0; k < 3; k++) {
      move(params, next);
      average.update();
    }
    params.data.a[2] = NaN;
    const [raw, values] = [params.copy(), { ...average.values }];
    const kept = Object.fromEntries(Object.entries(values).map(([name, view]) => [name, view.slice()]));
    average.apply();
    expect(params.copy()).toEqual(kept);
    params.data.a.fill(7); // what one does with them does not reach the average
    expect(average.values.a).toEqual(kept.a);
    average.restore();
    expect(params.copy()).toEqual(raw);
    expect({ ...average.values }).toEqual(kept);
    average.apply();
    average.restore();
    expect(params.copy()).toEqual(raw);
  });

  test("`values` is frozen, without a prototype, and always the same views", () => {
    const params = small();
    params.data.a.fill(3);
    const average = make(params);
    const { values } = average;
    expect([...values.a]).toEqual([3, 3, 3, 3, 3]); // the parameters, before the first update
    expect(Object.isFrozen(values)).toBe(true);
    expect(Object.getPrototypeOf(values)).toBe(null);
    expect(Object.keys(values)).toEqual(["a", "b", "c"]);
    average.update();
    expect(average.values.b).toBe(values.b);
    expect(values.b.buffer).toBe(params.data.b.buffer);
  });

  test("of a subset leaves the others alone", () => {
    const params = small();
    const average = make(params.subset(["c", "a"]));
    params.data.a.fill(2);
    average.update();
    params.data.a.fill(4);
    params.data.b.fill(5);
    average.update();
    expect(Object.keys(average.values)).toEqual(["c", "a"]);
    average.apply();
    expect([...params.data.b]).toEqual([5, 5, 5, 5, 5, 5]);
    expect(params.data.a[0]).toBeLessThan(4);
    average.restore();
    expect(params.data.a[0]).toBe(4);
  });

  test("takes memory from the arena of its parameters, and gives it back", () => {
    const arena = new Arena({ capacity: 2 ** 17 });
    const params = small({ arena });
    const { used } = arena;
    const average = make(params);
    expect(arena.used).toBe(used + 3 * 64);
    average.dispose();
    average.dispose();
    expect(arena.used).toBe(used);
    const full = new ParameterDict({ big: [7000] }, { arena });
    expect(() => make(full)).toThrow(
      new RegExp(`^${kind}: needs 28032 bytes for its copy of the parameters, \\d+ are free`),
    );
    expect(arena.used).toBe(used + 2 * (28032 + 640));
  });

  test("goes on from a state dict with the same bits, in another process's memory", () => {
    const [one, two] = [small(), small()];
    const next = random(6);
    const first = make(one);
    for (let k = 0; k < 3; k++) {
      move(one, next);
      first.update();
    }
    const saved = structuredClone(first.stateDict());
    expect(saved).toMatchObject({ format, version: 1, updates: 3 });
    expect(saved.tensors.b.shape).toEqual([2, 3]);
    expect(saved.tensors.b.values.buffer.byteLength).toBe(24);
    const second = kind === "WeightEma" ? new WeightEma(two) : make(two);
    second.loadStateDict(saved);
    for (let k = 0; k < 3; k++) {
      move(one, next);
      two.assign(one.copy());
      first.update();
      second.update();
    }
    expect(second.stateDict()).toEqual(first.stateDict());
    expect(saved.updates).toBe(3);
    for (const name of one.names) expect(firstDifference(first.values[name], second.values[name])).toBe(-1);
  });

  test("a wrong state is refused as a whole", () => {
    const average = make(small());
    average.update();
    const saved = average.stateDict();
    const values = new Float32Array(5).fill(9);
    const { tensors } = saved;
    const wrong: [change: object | null, error: ErrorConstructor, message: string][] = [
      [null, TypeError, `${kind}: "saved" expected an object, got null`],
      [{ format: "gradstep/optimizer" }, RangeError, `"saved.format" expected "${format}", got "gradstep/optimizer"`],
      [{ version: 2 }, RangeError, '"saved.version" expected 1, got 2'],
      [{ version: "1" }, TypeError, '"saved.version" expected 1, got "1"'],
      [{ updates: -1 }, RangeError, '"saved.updates" expected a whole number >= 0, got -1'],
      [{ updates: NaN }, RangeError, '"saved.updates" expected a whole number >= 0, got NaN'],
      [{ updates: undefined }, TypeError, '"saved.updates" expected a whole number >= 0, got undefined'],
      [{ tensors: undefined }, TypeError, '"saved.tensors" expected an object, got undefined'],
      [{ tensors: { a: tensors.a, b: tensors.b } }, TypeError, '"saved.tensors.c" expected the tensor\'s state'],
      [{ tensors: { ...tensors, z: tensors.a } }, RangeError, 'got "z"'],
      [
        { tensors: { a: { shape: [5], values }, b: { ...tensors.b, shape: [3, 2] }, c: tensors.c } },
        RangeError,
        '"saved.tensors.b.shape" expected [2, 3], got [3, 2]',
      ],
      [
        { updates: 99, tensors: { a: { shape: [5], values }, b: tensors.b, c: { shape: [], values } } },
        RangeError,
        '"saved.tensors.c.values" expected a Float32Array of 1, got a Float32Array of 5',
      ],
      [
        { tensors: { ...tensors, a: { shape: [5], values: [1, 2, 3, 4, 5] } } },
        TypeError,
        '"saved.tensors.a.values" expected a Float32Array of 5, got [1, 2, 3, 4, 5]',
      ],
      ...(kind === "WeightEma"
        ? ([
            [{ decay: 1.5, updates: 9 }, RangeError, 'WeightEma: "saved.decay" expected a number in [0, 1], got 1.5'],
            [{ decay: NaN }, RangeError, '"saved.decay" expected a number in [0, 1], got NaN'],
            [{ decay: undefined }, TypeError, '"saved.decay" expected a number in [0, 1], got undefined'],
          ] as const)
        : []),
    ].map(([change, ...rest]) => [change, ...rest] as [object | null, ErrorConstructor, string]);
    for (const [change, error, message] of wrong) {
      const load = () => average.loadStateDict((change && { ...saved, ...change }) as never);
      expect(load).toThrow(error);
      expect(load).toThrow(message);
    }
    expect(average.stateDict()).toEqual(saved);
  });

  test("misuse throws", () => {
    const params = small();
    const average = make(params);
    expect(() => average.apply()).toThrow(`${kind}: apply() without an average: call update() first`);
    expect(() => average.restore()).toThrow(`${kind}: restore() without apply()`);
    average.update();
    expect(() => average.restore()).toThrow(`${kind}: restore() without apply()`);
    average.apply();
    expect(() => average.apply()).toThrow(`${kind}: apply() twice: call restore() first`);
    expect(() => average.update()).toThrow(`${kind}: a ${kind} is applied to "a": call its restore() first`);
    expect(() => average.loadStateDict(average.stateDict())).toThrow(`${kind}: loadStateDict() while the average`);
    expect(average.updates).toBe(1);
    average.restore();
    expect(() => average.restore()).toThrow("restore() without apply()");
    average.update();
    expect(() => make({} as never)).toThrow(`${kind}: "params" expected a ParameterDict, got an object`);
  });

  test("after a dispose, its own or its parameters', every use throws", () => {
    const arena = new Arena({ capacity: 2 ** 17 });
    const [mine, theirs] = [small({ arena }), small({ arena })];
    const [disposed, bereft] = [make(mine), make(theirs)];
    const saved = disposed.stateDict();
    disposed.dispose();
    theirs.dispose();
    for (const average of [disposed, bereft]) {
      const message =
        average === disposed ? `${kind}: used after dispose()` : `${kind}'s parameters: used after dispose()`;
      const uses: (() => unknown)[] = [
        () => average.update(),
        () => average.apply(),
        () => average.restore(),
        () => average.values,
        () => average.updates,
        () => average.stateDict(),
        () => average.loadStateDict(saved),
      ];
      for (const use of uses) expect(use).toThrow(message);
    }
    bereft.dispose();
    arena.dispose();
    disposed.dispose();
    expect(() => make(mine)).toThrow(`${kind}: used after dispose()`);
  });

  test("disposed while applied, the average stays", () => {
    const params = small();
    params.data.a.fill(1);
    const average = make(params);
    average.update();
    params.data.a.fill(2);
    average.apply();
    average.dispose();
    expect(params.data.a[0]).toBe(1);
  });
});

test("options", () => {
  const params = small();
  expect(new WeightEma(params).decay).toBe(0.999);
  expect(new WeightEma(params, { decay: undefined }).decay).toBe(0.999);
  const ema = new WeightEma(params, { decay: 0 });
  ema.decay = 1;
  expect(() => (ema.decay = 1.1)).toThrow('WeightEma: "decay" expected a number in [0, 1], got 1.1');
  expect(ema.decay).toBe(1);
  expect(() => new WeightEma(params, { decay: -0.1 })).toThrow(RangeError);
  expect(() => new WeightEma(params, { decay: "0.9" as never })).toThrow(TypeError);
  expect(() => new WeightEma(params, { rate: 1 } as never)).toThrow(
    'WeightEma: unknown option "rate"; did you mean "decay"? The options are decay',
  );
  expect(() => new WeightEma(params, null as never)).toThrow('WeightEma: "options" expected an object, got null');
  expect(() => new WeightAverage(params, { decay: 1 } as never)).toThrow(
    'WeightAverage: unknown option "decay". The options are none',
  );
  new WeightAverage(params, {}).update();
});

test("the mean of equal weights is their mean", () => {
  const params = new ParameterDict({ a: [1] });
  const swa = new WeightAverage(params);
  for (let k = 1; k <= 99; k++) {
    params.data.a[0] = k;
    swa.update();
  }
  expect(swa.values.a[0]).toBeCloseTo(50, 4);
});
