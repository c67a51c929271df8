// What is saved comes back to the bit: odd names, any extra, several optimizers; and mutations are noticed.
import { describe, expect, test } from "vitest";
import { type Loaded, load, save } from "../../src/checkpoint/index.js";
import { unpack } from "../../src/checkpoint/safetensors.js";
import { Adam, Arena, NAdam, ParameterDict, SGD, type StepOptimizer } from "../../src/index.js";
import { bits, fillGradient, random } from "../support/harness.js";

const next = random(99);
function fill(params: ParameterDict): void {
  for (const name of params.names) {
    fillGradient(params.data[name], next);
    fillGradient(params.grad[name], next);
  }
}

describe("names", () => {
  const odd = [
    "a.b",
    'q"uo\\te',
    "\u00fc\u4e2d\u{1f600}",
    "__proto__",
    "constructor",
    "state.x",
    "",
    " ",
    "step",
    "\u0000\n",
  ];
  const make = (): ParameterDict => new ParameterDict(Object.fromEntries(odd.map((name, i) => [name, [i]])));

  test("of any characters work, with state", () => {
    const [from, to] = [make(), make()];
    fill(from);
    const optimizer = new Adam(from);
    optimizer.step();
    const other = new Adam(to);
    load(save(from, { optimizers: [optimizer] }), to, { optimizers: [other] });
    expect(other.stateDict()).toEqual(optimizer.stateDict());
    for (const name of odd) expect(bits(to.data[name]), name).toEqual(bits(from.data[name]));
  });

  test("that would be mistaken for another's state are refused", () => {
    const params = new ParameterDict({ a: [1], "state.a.exp_avg": [1] });
    expect(save(params).length).toBeGreaterThan(0);
    const optimizers = [new Adam(params)];
    expect(() => save(params, { optimizers })).toThrow('got "state.a.exp_avg"');
    for (const name of ["__metadata__", "gradstep.x", "\ud800"])
      expect(() => save(new ParameterDict({ [name]: [1] }))).toThrow('save: "params" expected names');
  });
});

describe("extra", () => {
  test("comes back exactly, whatever is in it", () => {
    const params = new ParameterDict({ a: [1] });
    const float = Float32Array.of(-0, NaN, Infinity, 1e-45);
    new Uint32Array(float.buffer)[1] = 0x7fc12345;
    const extra = {
      numbers: [0, -0, 1 / 3, 5e-324, 1.7976931348623157e308, Infinity, -Infinity, NaN, undefined],
      nested: { list: [[], {}, [null, true, "\ud800\u{1f600}"]], "": { $: 1, "$ ": { $: "tensor", name: "a" } } },
      tag: { $: { $: "undefined" } },
      words: ["Infinity", "-0"],
      views: [
        float.subarray(1, 3),
        new Float64Array([Math.PI, -0]),
        new Uint8Array(3),
        Uint8ClampedArray.of(9),
        new Int8Array(),
      ],
      more: [Int16Array.of(-1), Uint16Array.of(65535), Int32Array.of(-5), Uint32Array.of(2 ** 32 - 1)],
      big: [BigInt64Array.of(-(2n ** 63n)), BigUint64Array.of(2n ** 64n - 1n)],
      "a.b": Float32Array.of(1),
      a: { b: Float32Array.of(2) },
      ["__proto__"]: { polluted: true },
      bare: Object.assign(Object.create(null) as object, { x: 1 }),
    };
    const { extra: back } = load(save(params, { extra }), params);
    expect(back).toEqual({ ...extra, bare: { x: 1 } });
    expect(Object.keys(back)).toEqual(Object.keys(extra));
    const views = back.views as Float32Array[];
    expect(new Uint32Array(views[0].buffer)).toEqual(new Uint32Array(float.buffer).slice(1, 3));
    expect(({} as { polluted?: true }).polluted).toBeUndefined();
    const saved = save(params, { extra: { a: params.data.a } });
    params.data.a.fill(5);
    const owned = load(saved, params).extra.a as Float32Array;
    expect([owned[0], owned.buffer.byteLength]).toEqual([0, 4]);
  });

  test("is refused when it could not be restored", () => {
    const params = new ParameterDict({ a: [1] });
    const circle: Record<string, unknown> = {};
    circle.self = [circle];
    const bad: [unknown, RegExp][] = [
      [{ f: () => 1 }, /"extra.f" expected plain objects, .* got a function/],
      [{ m: [new Map()] }, /"extra.m\[0\]" expected plain objects, .* got a Map/],
      [{ d: new Date() }, /"extra.d" expected/],
      [{ p: new URL("x:y") }, /"extra.p" expected/],
      [{ n: 1n }, /"extra.n" expected .* got 1n/],
      [{ v: new DataView(new ArrayBuffer(1)) }, /"extra.v" expected/],
      [circle, /"extra.self\[0\]" expected a value that does not contain itself/],
      [[1], /"extra" expected an object/],
    ];
    for (const [extra, message] of bad) expect(() => save(params, { extra: extra as never })).toThrow(message);
  });

  test("texts of the user come back as metadata", () => {
    const params = new ParameterDict({ a: [1] });
    const metadata = { author: 'me "\u{1f600}"', ["__proto__"]: "x", note: 'gradstep.crc32":"00000000' };
    expect(load(save(params, { metadata, extra: { note: metadata.note } }), params).metadata).toEqual(metadata);
  });
});

describe("optimizers", () => {
  const shapes = { w: [3, 5], b: [5], e: [0], s: [] };

  test("in one file, one with a group added from another dictionary", () => {
    const make = (): { params: ParameterDict; optimizers: StepOptimizer[]; step: () => void } => {
      const arena = new Arena({ capacity: 2 ** 18 });
      const params: ParameterDict = new ParameterDict(shapes, { arena });
      const more: ParameterDict = new ParameterDict({ head: [7] }, { arena });
      const [sgd, nadam] = [
        new SGD(params.subset(["w", "e"]), { momentum: 0.9 }),
        new NAdam(params.subset(["b", "s"])),
      ];
      nadam.addParamGroup({ params: more, lr: 0.5 });
      for (const dict of [params, more]) for (const name of dict.names) dict.grad[name].fill(0.25);
      const step = (): void => {
        sgd.step();
        nadam.step({ skip: ["s"] });
      };
      return { params, optimizers: [sgd, nadam], step };
    };
    const [one, two] = [make(), make()];
    one.step();
    one.optimizers[0].paramGroups[0].lr = 1 / 3;
    const bytes = save(one.params, { optimizers: one.optimizers });
    load(bytes, two.params, { optimizers: two.optimizers });
    for (const side of [one, two]) side.step();
    expect(two.optimizers.map((o) => o.stateDict())).toEqual(one.optimizers.map((o) => o.stateDict()));
    const [left, right] = [one, two].map(({ params, optimizers }) => save(params, { optimizers }));
    expect(right).toEqual(left);
    expect(() => load(bytes, two.params)).toThrow('"params" expected all float tensors of the file, got no "head"');
    const swapped = [...two.optimizers].reverse();
    expect(() => load(bytes, two.params, { optimizers: swapped })).toThrow(
      'NAdam: "saved.rule" expected "NAdam", got "SGD"',
    );
    expect(() => load(bytes, two.params, { optimizers: [two.optimizers[1]] })).toThrow(
      '"optimizers" expected 2 optimizers',
    );
  });

  test("are left as they were, and the parameters, when the last of them does not fit", () => {
    const make = (amsgrad: boolean): [ParameterDict, StepOptimizer[]] => {
      const params: ParameterDict = new ParameterDict(shapes);
      fill(params);
      const optimizers = [
        new SGD(params.subset(["w"]), { momentum: 0.9 }),
        new Adam(params.subset(["b", "e", "s"]), { amsgrad }),
      ];
      for (const optimizer of optimizers) optimizer.step();
      return [params, optimizers];
    };
    const [params, optimizers] = make(false);
    const [other, others] = make(true);
    const before = save(other, { optimizers: others });
    expect(() => load(save(params, { optimizers }), other, { optimizers: others })).toThrow(
      '"saved.groups[0].options.amsgrad"',
    );
    expect(save(other, { optimizers: others })).toEqual(before);
  });

  test("keep step counts and numbers that float32 cannot hold", () => {
    const params = new ParameterDict({ a: [2] });
    const optimizer = new NAdam(params);
    optimizer.step();
    const saved = optimizer.stateDict();
    const state = { a: { ...saved.state.a, step: 2 ** 40 + 1, scalars: { muProduct: 1 / 3 } } };
    optimizer.loadStateDict({ ...saved, state });
    const bytes = save(params, { optimizers: [optimizer] });
    const scalar = (name: string): number => {
      const { bytes: four = new Uint8Array(4) } = unpack(bytes).tensors.get(name) ?? {};
      return new Float32Array(four.slice().buffer)[0];
    };
    expect([scalar("state.a.step"), scalar("state.a.mu_product")]).toEqual([2 ** 40, Math.fround(1 / 3)]);
    load(bytes, params, { optimizers: [optimizer] });
    expect(optimizer.stateDict().state).toEqual(state);
  });

  test("without a step count in PyTorch are told apart by their buffers", () => {
    const make = (): [ParameterDict, SGD] => {
      const params: ParameterDict = new ParameterDict({ a: [1], b: [1] });
      return [params, new SGD(params, { momentum: 0.9, dampening: 0.5 })];
    };
    const [params, sgd] = make();
    sgd.step({ skip: ["b"] });
    const ours = save(params, { optimizers: [sgd] });
    expect([...unpack(ours).tensors.keys()].filter((name) => name.startsWith("state."))).toEqual([
      "state.a.momentum_buffer",
    ]);
    const [other, loaded] = make();
    load(ours, other, { optimizers: [loaded] });
    expect(loaded.stateDict()).toEqual(sgd.stateDict());
  });
});

/** A file of ours with a bit of everything, and what it is read into. */
function sample(): { bytes: Uint8Array; read: (bytes: Uint8Array) => Loaded; state: () => unknown } {
  const make = (): { params: ParameterDict; optimizers: StepOptimizer[] } => {
    const params: ParameterDict = new ParameterDict({ "a.w": [3, 4], 'b"': [5], e: [0] });
    fill(params);
    const optimizers = [new NAdam(params.subset(["a.w"])), new SGD(params.subset(['b"', "e"]), { momentum: 0.9 })];
    return { params, optimizers };
  };
  const [from, to] = [make(), make()];
  for (const optimizer of from.optimizers) optimizer.step();
  const extra = { schedule: { epoch: 3, best: Infinity }, order: Uint32Array.of(3, 1, 2), list: [1, [2, "x"]] };
  const state = (): unknown => ({ data: to.params.copy(), optimizers: to.optimizers.map((o) => o.stateDict()) });
  return {
    bytes: save(from.params, { optimizers: from.optimizers, extra, metadata: { note: "hello" } }),
    read: (bytes) => load(bytes, to.params, { optimizers: to.optimizers }),
    state,
  };
}

test("10,000 mutations of a file load equal values or are refused, and never in part", { timeout: 60_000 }, () => {
  const { bytes, read, state } = sample();
  const untouched = JSON.stringify(state());
  const expected = read(bytes);
  const loaded = JSON.stringify(state());
  expect(loaded).not.toBe(untouched);
  const draw = random(2024);
  const below = (n: number): number => Math.floor(draw() * n);
  const digits = '0123456789abcdef{}[]",:.-+eE\\ _tfn\u0000'.split("").map((c) => c.charCodeAt(0));
  const counts = { loaded: 0, refused: 0 };
  for (let n = 0; n < 10_000; n++) {
    let mutant = bytes.slice();
    for (let changes = 1 + below(3); changes > 0; changes--) {
      const at = below(n % 3 === 0 ? mutant.length : Math.min(mutant.length, 3000));
      const length = 1 + below(16);
      const kind = below(7);
      if (kind === 0) mutant[at] ^= 1 << below(8);
      if (kind === 1) mutant[at] = below(256);
      if (kind === 2) mutant[at] = digits[below(digits.length)];
      if (kind === 3) mutant = mutant.slice(0, at);
      if (kind === 4) mutant = Uint8Array.of(...mutant.subarray(0, at), ...mutant.subarray(at + length));
      if (kind === 5) mutant = Uint8Array.of(...mutant.subarray(0, at + length), ...mutant.subarray(at));
      if (kind === 6) mutant.copyWithin(at, below(mutant.length), below(mutant.length));
    }
    const before = Buffer.compare(mutant, bytes) === 0 ? "" : JSON.stringify(state());
    try {
      expect(read(mutant)).toEqual(expected);
      expect(JSON.stringify(state())).toBe(loaded);
      counts.loaded++;
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      expect(error.message).toMatch(/^(load|NAdam|SGD): /);
      if (JSON.stringify(state()) !== before) expect.fail(`mutation ${n} was loaded in part: ${error.message}`);
      counts.refused++;
    }
  }
  expect(counts.refused).toBeGreaterThan(9_500);
});

test("a valid file that another program has changed is refused", () => {
  const { bytes, read } = sample();
  const text = new TextDecoder("latin1").decode(bytes);
  const changed = (from: RegExp, to: string): Uint8Array => {
    expect(text).toMatch(from);
    return Uint8Array.from(text.replace(from, to), (c) => c.charCodeAt(0));
  };
  const message = "load: the file is not as gradstep wrote it: its checksum does not match";
  expect(() => read(changed(/hello/, "hallo"))).toThrow(message);
  expect(() => read(changed(/"gradstep":/, '"gradstap":'))).toThrow(message);
  expect(() => read(changed(/"gradstep.crc32":/, '"gradstep.crc33":'))).toThrow(message);
});
