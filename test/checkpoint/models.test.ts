// Files of real models: buffers, other dtypes, a part of a model, other names.
import { describe, expect, test } from "vitest";
import { type Loaded, type LoadOptions, load, read, save } from "../../src/checkpoint/index.js";
import { Adam, AdamW, Lion, NAdam, ParameterDict, RMSprop, SGD, type StepOptimizer } from "../../src/index.js";
import { type Written, adamw, fileOf, paramGroups, tensor } from "./safetensors.js";

const told = ({ missing, unexpected, unknown }: Loaded): object => ({ missing, unexpected, unknown });
const nothing = { missing: [], unexpected: [], unknown: [] };
type Tensors = Record<string, Written>;

describe("a model with buffers", () => {
  const model: Tensors = {
    "bn.num_batches_tracked": tensor("I64", [], 7),
    mask: tensor("BOOL", [3], 1, 0, 1),
    "bn.weight": tensor("F32", [2], 1, 2),
    "bn.running_mean": tensor("F32", [2], 3, 4),
  };
  const bytes = fileOf(model);

  test("unused integers and booleans are left, and listed", () => {
    const params = new ParameterDict({ "bn.weight": [2], "bn.running_mean": [2] });
    expect(told(load(bytes, params))).toEqual({ ...nothing, unexpected: ["bn.num_batches_tracked", "mask"] });
    expect([...params.data["bn.running_mean"]]).toEqual([3, 4]);
  });

  test("used integers and booleans are read", () => {
    const params: ParameterDict = new ParameterDict(
      Object.fromEntries(Object.entries(model).map(([name, { shape }]) => [name, shape])),
    );
    expect(told(load(bytes, params))).toEqual(nothing);
    expect([...params.data["bn.num_batches_tracked"], ...params.data.mask]).toEqual([7, 1, 0, 1]);
  });

  test("unused floats are refused by name, and left when not strict", () => {
    const params = new ParameterDict({ "bn.weight": [2] });
    expect(() => load(bytes, params)).toThrow(
      'load: "params" expected all float tensors of the file, got no "bn.running_mean"; strict: false leaves them',
    );
    expect(params.data["bn.weight"][0]).toBe(0);
    expect(load(bytes, params, { strict: false }).unexpected).toEqual([
      "bn.num_batches_tracked",
      "mask",
      "bn.running_mean",
    ]);
    expect([...params.data["bn.weight"]]).toEqual([1, 2]);
  });
});

describe("a part of a model", () => {
  const whole = save(ParameterDict.from({ body: { shape: [2], data: [1, 2] }, head: { shape: [3], data: [3, 4, 5] } }));
  const weights = fileOf({ body: tensor("F32", [2], 1, 2), head: tensor("F32", [3], 3, 4, 5) });

  test.each([
    ["of ours", whole],
    ["of another program's", weights],
  ])("%s: what is in both is read, and the rest told", (_, bytes) => {
    const params = new ParameterDict({ body: [2], head: [3], more: [1] });
    params.data.more.fill(9);
    expect(() => load(bytes, params)).toThrow('load: the file has no tensor "more"; strict: false loads the others');
    expect(params.data.body[0]).toBe(0);
    expect(told(load(bytes, params, { strict: false }))).toEqual({ ...nothing, missing: ["more"] });
    expect([...params.data.body, ...params.data.head, ...params.data.more]).toEqual([1, 2, 3, 4, 5, 9]);

    const other = new ParameterDict({ body: [2], head: [3] });
    expect(() => load(bytes, other.subset(["body"]))).toThrow('got no "head"');
    expect(told(load(bytes, other.subset(["body"]), { strict: false }))).toEqual({ ...nothing, unexpected: ["head"] });
    expect([...other.data.body, ...other.data.head]).toEqual([1, 2, 0, 0, 0]);

    const another = new ParameterDict({ body: [2], head: [1, 3] });
    for (const strict of [true, false])
      expect(() => load(bytes, another, { strict })).toThrow('load: "head" expected shape [1, 3], got [3]');
    expect(another.data.body[0]).toBe(0);
  });

  test("a long list of names is cut", () => {
    const params = new ParameterDict(Object.fromEntries(Array.from("abcdefgh", (name) => [name.repeat(200), [1]])));
    let message = "";
    try {
      load(weights, params);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(" and 5 more; strict: false loads the others");
    expect(message.length).toBeLessThanOrEqual(400);
  });

  test("wrong arguments are refused", () => {
    const params = new ParameterDict({ body: [2], head: [3] });
    for (const [options, error, message] of [
      [{ strict: 0 }, TypeError, 'load: "strict" expected true or false, got 0'],
      [{ rename: "x" }, TypeError, 'load: "rename" expected a function, got "x"'],
      [{ rename: () => undefined }, TypeError, 'load: "rename" expected a name for "body", got undefined'],
      [{ rename: () => "body" }, RangeError, 'load: "rename" expected other names for "body" and "head", got "body"'],
    ] as const) {
      expect(() => load(weights, params, options as LoadOptions)).toThrow(error);
      expect(() => load(weights, params, options as LoadOptions)).toThrow(message);
    }
    expect(params.data.body[0]).toBe(0);
  });

  test.each(["ours", "PyTorch's"])("with optimizers, from a file of %s", (whose) => {
    const make = (shapes: Record<string, number[]>): [ParameterDict, AdamW] => {
      const params: ParameterDict = new ParameterDict(shapes);
      return [params, new AdamW(params, { lr: 0.5 })];
    };
    const [from, optimizer] = make({ body: [2], head: [3] });
    for (const name of from.names) from.grad[name].fill(1);
    optimizer.step();
    let bytes = save(from, { optimizers: [optimizer] });
    if (whose !== "ours") {
      const { metadata, tensors } = read(bytes);
      bytes = fileOf(tensors as Tensors, { param_groups: metadata.param_groups });
    }
    const [to, other] = make({ body: [2], more: [1] });
    to.grad.more.fill(1);
    other.step({ skip: ["body"] });
    const before = other.state("more");
    expect(() => load(bytes, to, { optimizers: [other] })).toThrow(RangeError);
    const { missing, unexpected } = load(bytes, to, { optimizers: [other], strict: false });
    expect(missing).toEqual(["more"]);
    expect(unexpected).toContain("head");
    expect(other.state("body")).toEqual(optimizer.state("body"));
    expect(other.state("more")).toEqual(before);
    expect(to.data.body).toEqual(from.data.body);
  });

  test("a part of the state that the file lacks is left, and listed", () => {
    const groups = paramGroups(["w"], adamw);
    const bytes = fileOf(
      {
        w: tensor("F32", [1], 5),
        "state.w.step": tensor("F32", [], 3),
        "state.w.exp_avg": tensor("F32", [1], 0.5),
      },
      groups,
    );
    const params = new ParameterDict({ w: [1] });
    const optimizers = [new AdamW(params)];
    expect(() => load(bytes, params, { optimizers })).toThrow('has no tensor "state.w.exp_avg_sq"');
    expect(load(bytes, params, { optimizers, strict: false }).missing).toEqual(["state.w.exp_avg_sq"]);
    expect(optimizers[0].state("w")).toMatchObject({ step: 3, expAvg: Float32Array.of(0.5) });
  });
});

describe("other dtypes", () => {
  // 1, −2, the largest F16 (65504), its smallest denormal, −0, infinity
  const numbers = [1, -2, 65504, 2 ** -24, -0, Infinity];
  const f16 = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00];
  const cases: [Written, number[]][] = [
    [tensor("F16", [6], ...f16), numbers],
    [tensor("BF16", [4], 0x3f80, 0xc000, 0x0001, 0xff80), [1, -2, 2 ** -133, -Infinity]],
    [
      tensor("F64", [5], 0.1, 1 + 2 ** -24, 1 + 2 ** -24 + 2 ** -40, -0, 1e300),
      [0.1, 1, 1 + 2 ** -23, -0, Infinity].map(Math.fround),
    ],
    [tensor("I64", [3], -3, 2 ** 53, 2 ** 24), [-3, 2 ** 53, 2 ** 24]],
    [tensor("U64", [1], 2 ** 63), [2 ** 63]],
    [tensor("I32", [2], -(2 ** 31), 5), [-(2 ** 31), 5]],
    [tensor("U8", [2], 0, 255), [0, 255]],
    [tensor("BOOL", [2], 0, 1), [0, 1]],
  ];
  test.each(cases.map(([written, want]) => [written.dtype, written, want] as const))("%s", (_, written, want) => {
    for (const odd of ["", "x"]) {
      const bytes = fileOf({ odd: tensor("U8", [odd.length]), w: written });
      const params = new ParameterDict({ w: written.shape });
      load(bytes, params);
      expect([...params.data.w]).toEqual(want);
    }
  });

  test("all halves but NaN are what a float64 says, and NaN stays NaN", () => {
    const all = Array.from({ length: 65536 }, (_, i) => i);
    const params = new ParameterDict({ h: [65536], b: [65536] });
    load(fileOf({ h: tensor("F16", [65536], ...all), b: tensor("BF16", [65536], ...all) }), params);
    const exact = (bits: number, exponents: number, fractions: number): number => {
      const [e, f] = [(bits >> fractions) & (2 ** exponents - 1), bits & (2 ** fractions - 1)];
      const sign = bits & 0x8000 ? -1 : 1;
      const bias = 2 ** (exponents - 1) - 1;
      if (e === 2 ** exponents - 1) return f === 0 ? sign * Infinity : NaN;
      return sign * (e === 0 ? f * 2 ** (1 - bias) : (2 ** fractions + f) * 2 ** (e - bias)) * 2 ** -fractions;
    };
    const wrong = all.filter(
      (i) => !Object.is(params.data.h[i], exact(i, 5, 10)) || !Object.is(params.data.b[i], exact(i, 8, 7)),
    );
    expect(wrong).toEqual([]);
  });

  test.each([
    ["I32", 2 ** 24 + 1, /"w\[1\]" expected an integer that float32 can hold, got 16777217$/],
    ["I64", Number.MAX_SAFE_INTEGER, /"w\[1\]" expected an integer that float32 can hold, got 9007199254740991n/],
    ["BOOL", 2, /"w\[1\]" expected 0 or 1 for a boolean, got 2/],
    ["F8_E4M3", 0, /"w" expected F32, BF16, F16, F64, integers or booleans, got "F8_E4M3"/],
  ] as const)("%s is refused where it would not be exact, or is not known", (dtype, value, message) => {
    const params = new ParameterDict({ w: [2] });
    for (const strict of [true, false])
      expect(() => load(fileOf({ w: tensor(dtype, [2], 1, value) }), params, { strict })).toThrow(message);
    expect([...params.data.w]).toEqual([0, 0]);
  });

  test.each([
    ["F32", []],
    ["F64", [1]],
    ["I32", []],
    ["I64", [1]],
    ["I64", []],
    ["BF16", []],
  ] as const)("a step count in %s of shape %j, and state in BF16 and F64", (dtype, shape) => {
    const bytes = fileOf(
      {
        w: tensor("BF16", [2], 0x3f80, 0x4000),
        "state.w.step": tensor(dtype, [...shape], dtype === "BF16" ? 0x4040 : 3),
        "state.w.exp_avg": tensor("BF16", [2], 0x3f00, 0xbf00),
        "state.w.exp_avg_sq": tensor("F64", [2], 0.1, 0.25),
      },
      paramGroups(["w"], adamw),
    );
    const params = new ParameterDict({ w: [2] });
    const optimizer = new AdamW(params);
    expect(told(load(bytes, params, { optimizers: [optimizer] }))).toEqual(nothing);
    expect(optimizer.state("w")).toEqual({
      step: 3,
      expAvg: Float32Array.of(0.5, -0.5),
      expAvgSq: Float32Array.of(0.1, 0.25),
    });
  });

  test("a step count beyond float32 is exact, one that is no count is refused", () => {
    const make = (step: Written): (() => number) => {
      const state = { "state.w.exp_avg": tensor("F32", [1]), "state.w.exp_avg_sq": tensor("F32", [1]) };
      const bytes = fileOf({ w: tensor("F32", [1]), ...state, "state.w.step": step }, paramGroups(["w"], adamw));
      const params = new ParameterDict({ w: [1] });
      const optimizer = new AdamW(params);
      return () => {
        load(bytes, params, { optimizers: [optimizer] });
        return optimizer.state("w").step;
      };
    };
    expect(make(tensor("F64", [], 2 ** 24 + 1))()).toBe(2 ** 24 + 1);
    expect(make(tensor("I64", [], 2 ** 24 + 1))()).toBe(2 ** 24 + 1);
    const huge = { ...tensor("I64", []), bytes: new Uint8Array(8).fill(0x7f) };
    expect(make(huge)).toThrow(/"state.w.step" expected a number that a float64 can hold, got 9187201950435737471n/);
    expect(make(tensor("F32", [], 0.5))).toThrow(/expected a whole number >= 0, got 0.5/);
    expect(make(tensor("F32", [], NaN))).toThrow(/expected a whole number >= 0, got NaN/);
    expect(make(tensor("F32", [2]))).toThrow(/"state.w.step" expected shape \[\] or \[1\], got \[2\]/);
  });
});

describe("rename", () => {
  const strip = (name: string): string => name.replace(/^module\./, "");
  const foreign = fileOf(
    {
      "module.w": tensor("F32", [1], 5),
      "module.count": tensor("I64", [], 1),
      "state.module.w.step": tensor("F32", [], 3),
      "state.module.w.exp_avg": tensor("F32", [1], 0.5),
      "state.module.w.exp_avg_sq": tensor("F32", [1], 0.25),
    },
    paramGroups(["module.w"], { ...adamw, caution: true }),
  );

  test("maps the names of tensors, and their state and options follow", () => {
    const params = new ParameterDict({ w: [1] });
    const optimizer = new AdamW(params);
    const asked: string[] = [];
    const rename = (name: string): string => {
      asked.push(name);
      return strip(name);
    };
    const result = load(foreign, params, { optimizers: [optimizer], rename });
    expect(told(result)).toEqual({ missing: [], unexpected: ["count"], unknown: ["param_groups.w.caution"] });
    expect([params.data.w[0], optimizer.state("w").step, optimizer.paramGroups[0].lr]).toEqual([5, 3, 0.1]);
    expect(asked.sort()).toEqual(["module.count", "module.w"]);
  });

  test("also in a file that gradstep wrote", () => {
    const make = (name: string): [ParameterDict, NAdam] => {
      const params: ParameterDict = new ParameterDict({ [name]: [2] });
      return [params, new NAdam(params, { lr: 0.1 })];
    };
    const [from, optimizer] = make("module.w");
    from.grad["module.w"].fill(1);
    optimizer.step();
    const [to, other] = make("w");
    load(save(from, { optimizers: [optimizer] }), to, { optimizers: [other], rename: strip });
    expect(other.state("w")).toEqual(optimizer.state("module.w"));
    expect(to.data.w).toEqual(from.data["module.w"]);
  });

  test("a submodule that is called state is no optimizer's state", () => {
    const bytes = fileOf({ "state.proj.weight": tensor("F32", [1], 5) });
    const params = new ParameterDict({ "state.proj.weight": [1] });
    load(bytes, params);
    expect(params.data["state.proj.weight"][0]).toBe(5);
    expect(() => load(bytes, new ParameterDict({}))).toThrow('got no "state.proj.weight"');
  });
});

describe("unknown", () => {
  const loaded = (make: (params: ParameterDict) => StepOptimizer, entries: object): string[] => {
    const params: ParameterDict = new ParameterDict({ w: [1] });
    const bytes = fileOf({ w: tensor("F32", [1]) }, paramGroups(["w"], entries));
    return load(bytes, params, { optimizers: [make(params)] }).unknown;
  };
  const lion = { lr: 0.1, betas: [0.9, 0.99], weight_decay: 0, maximize: false };
  const rmsprop = { lr: 0.1, momentum: 0, alpha: 0.99, eps: 1e-8, centered: false, weight_decay: 0, maximize: false };
  const sgd = { lr: 0.1, momentum: 0, dampening: 0, weight_decay: 0, nesterov: false, maximize: false };

  const cases: [string, string[], string[]][] = [
    ["an option that changes the steps", loaded((p) => new AdamW(p), { ...adamw, caution: true }), ["caution"]],
    ["one that is off, but that nobody knows", loaded((p) => new AdamW(p), { ...adamw, lr_scale: null }), ["lr_scale"]],
    ["another rule's option", loaded((p) => new RMSprop(p), { ...rmsprop, amsgrad: true }), ["amsgrad"]],
    ["the same, off", loaded((p) => new RMSprop(p), { ...rmsprop, amsgrad: false, nesterov: false }), []],
    ["how PyTorch computes", loaded((p) => new SGD(p, { lr: 1 }), { ...sgd, foreach: true, fused: true }), []],
    ["what schedules keep", loaded((p) => new AdamW(p), { ...adamw, initial_lr: 1, max_lr: 2, min_lr: 0 }), []],
    ["a rule that PyTorch lacks", loaded((p) => new Lion(p), { ...lion, foreach: null, caution: true }), ["caution"]],
  ];
  test.each(cases)("%s", (_, found, want) => {
    expect(found).toEqual(want.map((entry) => `param_groups.w.${entry}`));
  });

  test("names the entries of tensors that no optimizer has, and nothing without optimizers", () => {
    const params = new ParameterDict({ w: [1], frozen: [1] });
    const bytes = fileOf(
      { w: tensor("F32", [1]), frozen: tensor("F32", [1]) },
      paramGroups(["w", "frozen"], { ...adamw, foreach: true }),
    );
    const { unknown } = load(bytes, params, { optimizers: [new AdamW(params.subset(["w"]))] });
    expect(unknown).toContain("param_groups.frozen.lr");
    expect(unknown).not.toContain("param_groups.frozen.foreach");
    expect(load(bytes, params).unknown).toEqual([]);
  });

  test("numbers as Python writes them are read, and refused where a rule refuses them", () => {
    const text = paramGroups(["w"], { ...adamw, caution: "inf" }).param_groups.replace('"inf"', "-Infinity");
    const params = new ParameterDict({ w: [1] });
    const withGroups = (groups: string): Uint8Array => fileOf({ w: tensor("F32", [1]) }, { param_groups: groups });
    const optimizers = [new AdamW(params)];
    expect(load(withGroups(text), params, { optimizers }).unknown).toEqual(["param_groups.w.caution"]);
    expect(() => load(withGroups(text.replace('.lr":0.1', '.lr":NaN')), params, { optimizers })).toThrow(
      /"saved.groups\[0\].options.lr" expected a finite number >= 0.*, got NaN/,
    );
  });
});

test("read gives every tensor as a view, with all metadata", () => {
  const params = new ParameterDict({ w: [2, 3] });
  const optimizer = new Adam(params);
  const bytes = save(params, { optimizers: [optimizer], metadata: { by: "me" } });
  const { metadata, tensors } = read(bytes);
  expect(metadata).toMatchObject({ by: "me", format: "pt" });
  expect(metadata.param_groups).toContain("param_groups.w.lr");
  expect(Object.keys(tensors)).toEqual(["state.w.exp_avg", "state.w.exp_avg_sq", "state.w.step", "w"].sort());
  expect(tensors.w).toMatchObject({ dtype: "F32", shape: [2, 3] });
  expect(tensors.w.bytes.buffer).toBe(bytes.buffer);
  expect(tensors.w.bytes.length).toBe(24);
  const damaged = bytes.slice();
  damaged[damaged.length - 1] ^= 1;
  expect(() => read(damaged)).toThrow("read: the file is not as gradstep wrote it: its checksum does not match");
  expect(() => read(bytes.subarray(0, 20))).toThrow(/^read: the file is cut short/);
  expect(() => read("x" as never)).toThrow('read: "bytes" expected a Uint8Array, got "x"');

  const others = fileOf({
    __proto__x: tensor("U8", [1]),
    f4: { dtype: "F4", shape: [2, 3], bytes: new Uint8Array(3) },
    f6: { dtype: "F6_E2M3", shape: [4], bytes: new Uint8Array(3) },
    c: { dtype: "C64", shape: [1], bytes: new Uint8Array(8) },
  });
  expect(Object.values(read(others).tensors).map(({ dtype }) => dtype)).toEqual(["U8", "F4", "F6_E2M3", "C64"]);
  expect(() => read(fileOf({ f4: { dtype: "F4", shape: [3], bytes: new Uint8Array(2) } }))).toThrow(
    /F4 \[3\] takes 1.5 bytes, it has 2/,
  );
});
