import { describe, expect, test } from "vitest";
import { Adam, Arena, ParameterDict, SGD } from "../../src/index.js";

describe("ParameterDict", () => {
  test("lays tensors out as zeroed, aligned views that keep their identity", () => {
    const params = new ParameterDict({ "fc1.weight": [3, 5], scalar: [], empty: [0, 4], "fc1.bias": [3] });
    expect(params.names).toEqual(["fc1.weight", "scalar", "empty", "fc1.bias"]);
    expect(params.shapes).toEqual({ "fc1.weight": [3, 5], scalar: [], empty: [0, 4], "fc1.bias": [3] });
    expect(params.numel).toBe(19);
    expect(params.names.map((n) => params.data[n].length)).toEqual([15, 1, 0, 3]);
    for (const name of params.names) {
      expect(params.data[name]).toBe(params.data[name]);
      expect(params.grad[name]).toBe(params.grad[name]);
      expect(params.data[name].byteOffset % 64).toBe(0);
      expect(params.grad[name].byteOffset % 64).toBe(0);
      expect(params.data[name].every((x) => x === 0)).toBe(true);
      expect(params.grad[name]).toHaveLength(params.data[name].length);
    }
  });

  test("data, grad, shapes and names are frozen, and data has no prototype", () => {
    const params = new ParameterDict({ w: [2] });
    expect(Object.getPrototypeOf(params.data)).toBeNull();
    expect("toString" in params.data).toBe(false);
    expect(() => ((params.data as Record<string, unknown>).w = 1)).toThrow(TypeError);
    expect(() => ((params.grad as Record<string, unknown>).v = 1)).toThrow(TypeError);
    expect(() => (params.shapes.w as number[]).push(1)).toThrow(TypeError);
    expect(() => (params.names as string[]).push("v")).toThrow(TypeError);
  });

  test("views never detach, whatever is made later in the arena", () => {
    const arena = new Arena({ capacity: 2 ** 20 });
    const a = new ParameterDict({ w: [100] }, { arena });
    const view = a.data.w;
    const more = Array.from({ length: 20 }, (_, i) => new ParameterDict({ w: [i * 50] }, { arena }));
    more.forEach((params) => new Adam(params));
    view[7] = 42;
    expect(view.byteLength).toBe(400);
    expect(a.data.w[7]).toBe(42);
    expect(a.data.w).toBe(view);
  });

  test("a 0 in a shape makes it empty, however large the rest", () => {
    expect(new ParameterDict({ w: [2 ** 30, 2 ** 30, 0] }).numel).toBe(0);
  });

  test("names may be anything a string can be", () => {
    const names = ["__proto__", "constructor", "", "a b", "é", "0"];
    const params = new ParameterDict(Object.fromEntries(names.map((n) => [n, [1]])));
    expect(new Set(params.names)).toEqual(new Set(names));
    for (const name of params.names) params.data[name][0] = 5;
    expect(Object.keys(params.copy()).sort()).toEqual([...names].sort());
    new SGD(params, { lr: 1 }).step();
  });

  test("from() copies values in once", () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const params = ParameterDict.from({ w: { shape: [2, 3], data }, b: { shape: [2], data: [7, 8] } });
    data[0] = 99;
    expect([...params.data.w]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...params.data.b]).toEqual([7, 8]);
  });

  test.each([
    [{ w: 5 }, TypeError, 'ParameterDict: "shapes.w" expected an array of whole numbers >= 0, got 5'],
    [{ w: [2, -1] }, RangeError, 'ParameterDict: "shapes.w[1]" expected a whole number >= 0, got -1'],
    [{ w: [1.5] }, RangeError, 'ParameterDict: "shapes.w[0]" expected a whole number >= 0, got 1.5'],
    [{ w: ["2"] }, TypeError, 'ParameterDict: "shapes.w[0]" expected a whole number >= 0, got "2"'],
    [{ w: Array(1) }, TypeError, 'ParameterDict: "shapes.w[0]" expected a whole number >= 0, got undefined'],
    [{ w: [2 ** 40] }, RangeError, /ParameterDict: the tensors need \d+ bytes, an arena has at most 4294901760/],
    [[], TypeError, 'ParameterDict: "shapes" expected an object, got []'],
    [undefined, TypeError, 'ParameterDict: "shapes" expected an object, got undefined'],
    [new Map([["w", [2]]]), TypeError, 'ParameterDict: "shapes" expected an object, got a Map'],
    [new Float32Array(2), TypeError, 'ParameterDict: "shapes" expected an object, got a Float32Array of 2'],
    [new ParameterDict({ w: [2] }), TypeError, 'ParameterDict: "shapes" expected an object, got a ParameterDict'],
  ])("shapes %j", (shapes, error, message) => {
    const construct = () => new ParameterDict(shapes as never);
    expect(construct).toThrow(error);
    expect(construct).toThrow(message);
  });

  test.each([
    [
      { slot: 1 },
      RangeError,
      'ParameterDict: unknown option "slot"; did you mean "slots"? The options are slots, capacity, arena, module, threads',
    ],
    [{ slots: -1 }, RangeError, 'ParameterDict: "slots" expected a whole number >= 0, got -1'],
    [{ slots: "2" }, TypeError, 'ParameterDict: "slots" expected a whole number >= 0, got "2"'],
    [{ capacity: 0 }, RangeError, 'ParameterDict: "capacity" expected a number of bytes in [1, 4294901760], got 0'],
    [{ capacity: 2 ** 33 }, RangeError, 'ParameterDict: "capacity" expected'],
    [{ arena: {} }, TypeError, 'ParameterDict: "arena" expected an Arena, got an object'],
    [
      { module: {} },
      TypeError,
      'ParameterDict: "module" expected a WebAssembly.Module of gradstep/kernels.wasm, got an object',
    ],
    [5, TypeError, 'ParameterDict: "options" expected an object, got 5'],
  ])("options %j", (options, error, message) => {
    const construct = () => new ParameterDict({ w: [3] }, options as never);
    expect(construct).toThrow(error);
    expect(construct).toThrow(message);
  });

  test("an arena excludes slots, capacity and module", () => {
    const arena = new Arena({ capacity: 2 ** 18 });
    for (const more of [{ slots: 2 }, { capacity: 2 ** 20 }, { module: {} }]) {
      const construct = () => new ParameterDict({ w: [3] }, { arena, ...more });
      expect(construct).toThrow(RangeError);
      expect(construct).toThrow(`ParameterDict: "${Object.keys(more)[0]}" excludes "arena"`);
    }
    expect(arena.used).toBe(65536);
  });

  test("from() and assign() check all before they set any", () => {
    expect(() => ParameterDict.from({ w: { shape: [2], data: [1, 2, 3] } })).toThrow(
      'ParameterDict: "tensors.w.data" expected 2 numbers, got [1, 2, 3]',
    );
    expect(() => ParameterDict.from({ w: [1] } as never)).toThrow('"tensors.w" expected an object, got [1]');
    const params = new ParameterDict({ a: [2], b: [3] });
    const assign = (values: unknown) => () => params.assign(values as never);
    expect(assign({ a: [1, 2], b: [1, 2] })).toThrow('ParameterDict: "values.b" expected 3 numbers, got [1, 2]');
    expect(assign({ a: [1, 2], c: [1] })).toThrow(
      'ParameterDict: "values.c" expected one of the tensors "a", "b", got "c"',
    );
    expect(assign({ a: [1, 2], b: [1, "2", 3] })).toThrow(TypeError);
    expect(assign({ a: [1, 2], b: "123" })).toThrow(TypeError);
    expect(assign({ a: [1, 2], b: new BigInt64Array(3) })).toThrow(TypeError);
    expect([...params.data.a, ...params.data.b]).toEqual([0, 0, 0, 0, 0]);
    params.assign({ a: [1, 2] });
    params.assign({ b: new Float64Array([3, 4, 5]) });
    expect([...params.data.a, ...params.data.b]).toEqual([1, 2, 3, 4, 5]);
  });

  test("assign() may swap tensors of its own", () => {
    const params = ParameterDict.from({ a: { shape: [2], data: [1, 2] }, b: { shape: [2], data: [3, 4] } });
    params.assign({ a: params.data.b, b: params.data.a });
    expect([...params.data.a, ...params.data.b]).toEqual([3, 4, 1, 2]);
  });

  test("copy() is owned and tightly packed", () => {
    const params = ParameterDict.from({ a: { shape: [2], data: [1, 2] } });
    const { a } = params.copy();
    params.data.a[0] = 9;
    expect([...a]).toEqual([1, 2]);
    expect(a.buffer.byteLength).toBe(8);
    expect(structuredClone(params.copy())).toEqual({ a: params.data.a.slice().fill(9, 0, 1) });
  });

  test("zeroGrad() clears its own gradients", () => {
    const params = new ParameterDict({ a: [20], b: [20] });
    params.grad.a.fill(1);
    params.grad.b.fill(1);
    params.subset(["a"]).zeroGrad();
    expect([params.grad.a[19], params.grad.b[0]]).toEqual([0, 1]);
    params.zeroGrad();
    expect(params.grad.b.every((x) => x === 0)).toBe(true);
  });
});

describe("subset", () => {
  const params = new ParameterDict({ a: [2], b: [3], c: [4] });

  test("shares arena and views", () => {
    const some = params.subset(["c", "a"]);
    expect(some.names).toEqual(["c", "a"]);
    expect(some.data.c).toBe(params.data.c);
    expect(some.grad.a).toBe(params.grad.a);
    expect(some.numel).toBe(6);
    expect(Object.keys(some.data)).toEqual(["c", "a"]);
    expect(params.subset([]).numel).toBe(0);
  });

  test("refuses unknown and repeated names", () => {
    expect(() => params.subset(["a", "d" as "a"])).toThrow(
      'ParameterDict: "names[1]" expected one of the tensors "a", "b", "c", got "d"',
    );
    expect(() => params.subset(["a", "a"])).toThrow(RangeError);
    expect(() => params.subset("a" as never)).toThrow(TypeError);
    expect(() => params.subset(Array(1))).toThrow('"names[0]" expected a tensor name, got undefined');
  });

  test("frees nothing when disposed, and ends with its dictionary", () => {
    const arena = new Arena({ capacity: 2 ** 18 });
    const whole = new ParameterDict({ a: [2], b: [3] }, { arena });
    const part = whole.subset(["a"]);
    const { used } = arena;
    part.dispose();
    expect(arena.used).toBe(used);
    expect(part.data.a).toBe(whole.data.a);
    whole.dispose();
    expect(() => part.data).toThrow("ParameterDict: used after dispose()");
  });
});

describe("dispose", () => {
  test("every use of a dictionary then throws, but dispose itself", () => {
    const params = new ParameterDict({ a: [2] });
    params.dispose();
    params.dispose();
    const uses: (() => unknown)[] = [
      () => params.data,
      () => params.grad,
      () => params.shapes,
      () => params.names,
      () => params.numel,
      () => params.copy(),
      () => params.assign({ a: [1, 2] }),
      () => params.subset(["a"]),
      () => params.zeroGrad(),
    ];
    for (const use of uses) expect(use).toThrow("ParameterDict: used after dispose()");
    expect(() => new SGD(params)).toThrow("SGD: used after dispose()");
  });

  test("throws while a live optimizer owns a tensor", () => {
    const params = new ParameterDict({ a: [2], b: [2] });
    const optimizer = new SGD(params.subset(["b"]));
    expect(() => params.dispose()).toThrow('ParameterDict: "b" belongs to a live SGD; dispose that first');
    expect(params.data.a.length).toBe(2);
    optimizer.dispose();
    params.dispose();
  });

  test("Symbol.dispose does the same, where there is one", () => {
    const params = new ParameterDict({ a: [2] });
    const optimizer = new SGD(params);
    const arena = new Arena({ capacity: 2 ** 17 });
    for (const it of [optimizer, params, arena]) it[Symbol.dispose]();
    expect(() => optimizer.step()).toThrow("used after dispose()");
    expect(() => params.data).toThrow("used after dispose()");
    expect(() => arena.free).toThrow("used after dispose()");
    expect("undefined" in ParameterDict.prototype).toBe(false);
  });
});
