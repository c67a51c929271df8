// Files that are made to cost more than their size, and states that training has spoilt.
import { afterEach, describe, expect, test, vi } from "vitest";
import { load, read, save } from "../../src/checkpoint/index.js";
import { Adam, ParameterDict } from "../../src/index.js";
import { shapesOf } from "../support/harness.js";
import { make, rows } from "../rules/table.js";
import { adamw, fileOf, paramGroups, recrafted, tensor, withHeader } from "./safetensors.js";
import { workOf } from "./work.js";

describe("a tensor that is named many times", () => {
  test("in extra is copied once", () => {
    const params = new ParameterDict({ w: [2] });
    const file = recrafted(save(params, { extra: { x: new Float32Array(1000) } }), (own) => {
      own.extra.x = Array(500).fill(own.extra.x);
    });
    let views: Float32Array[] = [];
    expect(workOf(() => (views = load(file, params).extra.x as Float32Array[]))).toBeLessThan(8 * file.length);
    expect(views).toHaveLength(500);
    expect(new Set(views.map(({ buffer }) => buffer)).size).toBe(1);
  });

  test("in a state, too", () => {
    const params = new ParameterDict({ w: [1000] });
    const optimizers = [new Adam(params)];
    const file = recrafted(save(params, { optimizers }), (own) => {
      const [saved] = own.optimizers as [{ state: { w: { slots: Record<string, unknown> } } }];
      const { slots } = saved.state.w;
      for (let i = 0; i < 500; i++) slots[`x${i}`] = slots.expAvg;
    });
    const work = workOf(() => {
      expect(() => load(file, params, { optimizers })).toThrow(/"saved.state.w.slots" expected only/);
    });
    expect(work).toBeLessThan(8 * file.length);
  });
});

test("a state of another form is refused by name, also where names are mapped", () => {
  const params = new ParameterDict({ w: [2] });
  const optimizers = [new Adam(params)];
  for (const [field, value] of [
    ["groups", 1],
    ["state", 1],
    ["groups", null],
    ["state", []],
  ] as const) {
    const file = recrafted(save(params, { optimizers }), (own) => {
      (own.optimizers as Record<string, unknown>[])[0][field] = value;
    });
    expect(() => load(file, params, { optimizers, rename: (name) => name })).toThrow(/Adam: "saved\.\w+" expected/);
  }
});

test("a header costs as much for each of many tensors as for each of few", () => {
  const header = (n: number): Uint8Array => {
    const field = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';
    return withHeader(`{${Array.from({ length: n }, (_, i) => `"t${1e6 + i}":${field}`).join(",")}}`, []);
  };
  const params = new ParameterDict({});
  const [few, many] = [1000, 8000].map((n) => workOf(() => load(header(n), params, { strict: false })));
  expect(many / few).toBeLessThan(8.1);
  expect(Object.keys(read(header(1000)).tensors)).toHaveLength(1000);
});

describe("nesting", () => {
  const params = new ParameterDict({ w: [1] });
  const deep = (levels: number): unknown => {
    let value: unknown = "x";
    for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { $: value };
    return value;
  };
  const brackets = (open: string, close: string): string => `${open.repeat(100_000)}${close.repeat(100_000)}`;

  test("as deep as save takes comes back, and no deeper is saved", () => {
    const extra = { x: deep(255) };
    expect(load(save(params, { extra }), params).extra).toEqual(extra);
    expect(() => save(params, { extra: { x: deep(256) } })).toThrow(
      /^save: "extra.x.*" expected at most 256 objects and arrays inside one another/,
    );
  });

  test.each([
    ["the header", withHeader(`{"a":${brackets("[", "]")}}`, [])],
    ["the header, never closed", withHeader(`{"a":${'{"a":'.repeat(100_000)}`, [])],
    ["the metadata of ours", recrafted(save(params), (own) => (own.extra.x = deep(600)))],
    ["param_groups", fileOf({ w: tensor("F32", [1]) }, { param_groups: brackets("[", "]") })],
  ])("of %s is refused with a message", (_, file) => {
    const text = /^load: the file has (a header|metadata "\w+") that is nested more than 520 deep$/;
    expect(() => load(file, params)).toThrow(text);
  });
});

describe("when the engine lacks", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });
  const params = new ParameterDict({ w: [1] });
  const file = save(params);

  test("TextDecoder, load and read say that", () => {
    vi.stubGlobal("TextDecoder", undefined);
    expect(() => load(file, params)).toThrow("load: this JavaScript engine has no TextDecoder");
    expect(() => read(file)).toThrow("read: this JavaScript engine has no TextDecoder");
  });
  test("TextEncoder, save says that", () => {
    vi.stubGlobal("TextEncoder", undefined);
    expect(() => save(params)).toThrow("save: this JavaScript engine has no TextEncoder");
    expect(load(file, params).missing).toEqual([]);
  });
  test("memory for the header, load does not call the file damaged", () => {
    class Full {
      decode(): never {
        throw new RangeError("no memory");
      }
    }
    vi.stubGlobal("TextDecoder", Full);
    expect(() => load(file, params)).toThrow(/^no memory$/);
  });
});

test.each(rows.map((row) => [row.rule, row] as const))("%s: a state of NaN loads as it was saved", (rule, row) => {
  const make1 = (): [ParameterDict, ReturnType<typeof make>] => {
    const params: ParameterDict = new ParameterDict(shapesOf(row, { a: 4, b: 6 }));
    return [params, make(rule, params, row.variants.at(-1))];
  };
  const [params, optimizer] = make1();
  for (const value of [1, NaN, NaN]) {
    for (const name of params.names) params.grad[name].fill(value);
    optimizer.step();
  }
  const saved = save(params, { optimizers: [optimizer] });
  const [other, loaded] = make1();
  load(saved, other, { optimizers: [loaded] });
  expect(loaded.stateDict()).toEqual(optimizer.stateDict());
  expect(save(other, { optimizers: [loaded] })).toEqual(saved);
});

test("LBFGS: a state of NaN loads as it was saved", async () => {
  const { LBFGS } = await import("../../src/index.js");
  const params = new ParameterDict({ a: [2] });
  const optimizer = new LBFGS(params);
  optimizer.step(() => {
    params.grad.a.fill(NaN);
    return NaN;
  });
  const saved = save(params, { optimizers: [optimizer] });
  const other = new ParameterDict({ a: [2] });
  const loaded = new LBFGS(other);
  load(saved, other, { optimizers: [loaded] });
  expect(loaded.stateDict()).toEqual(optimizer.stateDict());
});

test("numbers beyond float32 are refused in any file, and change nothing", () => {
  const params = new ParameterDict({ w: [1] });
  const optimizers = [new Adam(params)];
  const before = save(params, { optimizers });
  const [lr, eps] = [{ lr: 1e39 }, { eps: 1e-50 }].map((options) =>
    fileOf({ w: tensor("F32", [1], 5) }, paramGroups(["w"], { ...adamw, decoupled_weight_decay: false, ...options })),
  );
  const ours = recrafted(before, (own) => {
    const [saved] = own.optimizers as [{ groups: { options: { lr: number } }[] }];
    saved.groups[0].options.lr = 1e39;
  });
  for (const file of [lr, eps, ours]) expect(() => load(file, params, { optimizers })).toThrow(RangeError);
  expect(save(params, { optimizers })).toEqual(before);
});

describe("8-bit bases", () => {
  const params = new ParameterDict({ w: [4096] });
  const optimizer = new Adam(params, { stateFormat: "8bit" });
  const slot = (name: string, base: number): (() => void) => {
    const saved = structuredClone(optimizer.stateDict());
    (saved.state.w.slots[name] as unknown as { bases: Uint16Array }).bases[3] = base;
    return () => optimizer.loadStateDict(saved);
  };
  // The last code of a finite block comes to 2040, infinity's; in a block with infinities two codes less stand for numbers.
  test.each([
    ["expAvg", 1913],
    ["expAvgSq", 1785],
  ])("of %s reach to %i", (name, last) => {
    for (const base of [7, last, 7 | 0x8000, (last + 2) | 0x8000]) expect(slot(name, base)).not.toThrow();
    for (const base of [0, 6, last + 1, 2040, 0x7fff, 6 | 0x8000, (last + 3) | 0x8000, 0xffff])
      expect(slot(name, base)).toThrow(
        `"saved.state.w.slots.${name}.bases[3]" expected the base of a block, got ${base}`,
      );
  });

  test("of the largest numbers there are come back", () => {
    const max = 3.4028234663852886e38;
    for (const values of [[max], [max, Infinity], [max, NaN]]) {
      const w = new Float32Array(4096).map((_, i) => values[i % values.length]);
      const saved = optimizer.stateDict();
      const slots = { expAvg: w, expAvgSq: w };
      optimizer.loadStateDict({ ...saved, state: { w: { ...saved.state.w, slots } } });
      const bytes = save(params, { optimizers: [optimizer] });
      expect(() => load(bytes, params, { optimizers: [optimizer] })).not.toThrow();
    }
  });
});

test("no message quotes more than 200 characters of a name or a value", () => {
  const long = "n".repeat(5000);
  const field = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';
  const params = new ParameterDict({ [long]: [2], [`${long}2`]: [2] });
  const optimizers = [new Adam(params)];
  const state = { [long]: tensor("F32", [2]), [`${long}2`]: tensor("F32", [2]) };
  const options = { ...adamw, decoupled_weight_decay: false };
  const calls: (() => unknown)[] = [
    () => load(withHeader(`{"${long}":${field},"${long}":${field}}`, []), params),
    () => load(withHeader(`{"${long}":[]}`, []), params),
    () => load(withHeader(`{"${long}":${field.replace("F32", long)}}`, []), params),
    () => load(withHeader(`{"w":${field.replace("dtype", long)}}`, []), params),
    () => load(withHeader(`{"w":${field.replace("[0]", `[${"1".repeat(5000)}]`)}}`, []), params),
    () => load(withHeader(`{"w":${field.replace("[0]", `[${"1,".repeat(5000)}0,1]`)}}`, [new Uint8Array(4)]), params),
    () => load(fileOf({}, { __proto__x: long }), params),
    () => load(fileOf(state), new ParameterDict({})),
    () => load(fileOf({ [long]: tensor("F32", [3]) }), params),
    () => load(fileOf(state), params, { rename: () => long }),
    () => load(fileOf(state), params, { rename: (name) => [name] as never }),
    () => load(fileOf(state, paramGroups(Object.keys(state), { ...options, lr: long })), params, { optimizers }),
    () => load(fileOf(state, paramGroups([long], options)), params, { optimizers }),
    () =>
      load(
        recrafted(save(params), (own) => (own.version = long)),
        params,
      ),
    () =>
      load(
        recrafted(save(params), (own) => (own.extra.x = { $: long })),
        params,
      ),
    () =>
      load(
        recrafted(save(params), (own) => (own.extra.x = { $: "tensor", kind: long, name: long })),
        params,
      ),
    () =>
      load(
        recrafted(save(params), (own) => (own.params = [long.repeat(2)])),
        params,
      ),
  ];
  calls.forEach((call, i) => {
    let message = "";
    try {
      call();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message, `call ${i}`).not.toBe("");
    expect(message, `call ${i}`).not.toMatch(/n{201}|1{201}|(1, ){67}/);
    expect(message.length, `call ${i}`).toBeLessThanOrEqual(400);
  });
});
