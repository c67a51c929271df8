// Small state from outside: options, costs, state(), state dicts and checkpoints.
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import { Adam, AdamW, LBFGS, type OptimizerState, ParameterDict, SGD, type StateFormat } from "../../src/index.js";
import { fillGradient, random } from "../support/harness.js";
import { make, reduces, rows } from "../rules/table.js";

const SHAPES = { big: [70, 70], small: [30], empty: [0], scalar: [] };
const FORMATS = ["bfloat16", "8bit"] as const;

type Params = ParameterDict<keyof typeof SHAPES>;
function fresh(stateFormat: StateFormat): { params: Params; optimizer: AdamW<keyof typeof SHAPES> } {
  const params = new ParameterDict(SHAPES);
  const next = random(3);
  for (const name of params.names) fillGradient(params.data[name], next);
  return { params, optimizer: new AdamW(params, { lr: 0.01, stateFormat }) };
}

function train({ params, optimizer }: ReturnType<typeof fresh>, from: number, to: number): void {
  for (let t = from; t <= to; t++) {
    const next = random(50 + t);
    for (const name of params.names) fillGradient(params.grad[name], next);
    optimizer.step({ skip: t === 2 ? ["small"] : [] });
  }
}

const mean = (x: Float32Array): number => x.reduce((sum, v) => sum + Math.abs(v), 0) / x.length;

describe("options", () => {
  test("a wrong format, a group's own, and rules of whole tensors are refused", () => {
    const params = new ParameterDict({ w: [8, 8] });
    const bad = (options: object) => () => new Adam(params, options);
    expect(bad({ stateFormat: "fp8" })).toThrow(/Adam: "stateFormat" expected one of "float32", .* got "fp8"/);
    expect(bad({ stateFormat: 8 })).toThrow(TypeError);
    expect(bad({ groups: [{ params: ["w"], stateFormat: "8bit" }] })).toThrow(
      /unknown option "groups\[0\].stateFormat"/,
    );
    expect(() => new LBFGS(params, { stateFormat: "8bit" })).toThrow(/LBFGS: "stateFormat" expected "float32"/);
    const whole = rows.flatMap((row) =>
      row.variants.filter((options) => reduces(row, options)).map((options) => [row.rule, options] as const),
    );
    for (const [rule, options] of whole)
      expect(() => make(rule, params, { ...options, stateFormat: "bfloat16" })).toThrow(RangeError);
    expect(() => new Adam(params, { stateFormat: "float32" }).dispose()).not.toThrow();
  });

  test("sparse steps are refused, and change nothing", () => {
    const params = new ParameterDict({ w: [80, 60] });
    const optimizer = new Adam(params, { stateFormat: "8bit" });
    params.grad.w.fill(1);
    expect(() => optimizer.step({ rows: { w: [3] } })).toThrow(/"rows.w" expected nothing with stateFormat "8bit"/);
    expect(optimizer.state("w").step).toBe(0);
    expect(mean(params.data.w)).toBe(0);
  });

  test("without room, nothing is taken", () => {
    const params = new ParameterDict({ w: [4096] }, { capacity: 65536 + 2 * 4096 * 4 + 20000 });
    const { free } = params.arena;
    expect(() => new Adam(params, { stateFormat: "bfloat16" })).toThrow(
      /Adam: needs 16384 bytes for unpacking its state/,
    );
    expect(params.arena.free).toBe(free);
  });
});

test("stateBytes: 8, 4 and 2 bytes a parameter; gradient and moments included 16, 12 and 10.1", () => {
  const cost = (stateFormat: StateFormat): number => {
    const params = new ParameterDict({ w: [1024, 256] });
    return new Adam(params, { stateFormat }).stateBytes / params.numel;
  };
  expect(cost("float32")).toBe(8);
  expect(cost("bfloat16")).toBe(4);
  expect(cost("8bit")).toBeLessThanOrEqual(2.1);
  const { optimizer } = fresh("8bit");
  expect(optimizer.stateBytes).toBe(2 * (Math.ceil((4912 + 40) / 64) * 64 + 128 + 64)); // the small ones in float32
});

describe.each(FORMATS)("%s", (stateFormat) => {
  test("state() gives owned copies near float32's", () => {
    const [one, exact] = [fresh(stateFormat), fresh("float32")];
    train(one, 1, 40);
    train(exact, 1, 40);
    const state = one.optimizer.state("big");
    const wanted = exact.optimizer.state("big");
    for (const slot of ["expAvg", "expAvgSq"] as const) {
      const [got, want] = [state[slot], wanted[slot]];
      expect(got.buffer.byteLength).toBe(4 * 4900);
      const error = got.map((x, i) => x - want[i]);
      expect(mean(error) / mean(want)).toBeLessThan(stateFormat === "8bit" ? 0.15 : 0.01);
    }
    (state.expAvg as Float32Array).fill(7);
    expect((one.optimizer.state("big").expAvg as Float32Array)[0]).not.toBe(7);
  });

  test.each(["a state dict", "a checkpoint"])("goes on from %s with the same bits", (form) => {
    const [one, two] = [fresh(stateFormat), fresh(stateFormat)];
    train(one, 1, 5);
    train(two, 1, 2);
    if (form === "a checkpoint") {
      load(save(one.params, { optimizers: [one.optimizer] }), two.params, { optimizers: [two.optimizer] });
    } else {
      two.params.assign(one.params.copy());
      two.optimizer.loadStateDict(structuredClone(one.optimizer.stateDict()));
    }
    expect(two.optimizer.stateDict()).toEqual(one.optimizer.stateDict());
    train(one, 6, 9);
    train(two, 6, 9);
    expect(two.params.copy()).toEqual(one.params.copy());
    expect(two.optimizer.stateDict()).toEqual(one.optimizer.stateDict());
  });

  test("a checkpoint in float32 has PyTorch's names, and goes to float32 and back", () => {
    const [one, exact, other] = [fresh(stateFormat), fresh("float32"), fresh(stateFormat)];
    train(one, 1, 5);
    const bytes = save(one.params, { optimizers: [one.optimizer], stateFormat: "float32" });
    const kept = save(one.params, { optimizers: [one.optimizer] });
    expect(new TextDecoder().decode(bytes.subarray(0, 8000))).toContain('"state.big.exp_avg":{"dtype":"F32"');
    expect(kept.length).toBeLessThan(bytes.length);
    for (const file of [bytes, kept]) {
      load(file, exact.params, { optimizers: [exact.optimizer] });
      expect(exact.optimizer.state("big")).toEqual(one.optimizer.state("big"));
    }
    load(bytes, other.params, { optimizers: [other.optimizer] });
    const [got, want] = [other.optimizer.state("big"), one.optimizer.state("big")];
    expect(got.step).toBe(5);
    const error = (got.expAvg as Float32Array).map((x, i) => x - (want.expAvg as Float32Array)[i]);
    expect(mean(error)).toBeLessThan(1e-4 * mean(want.expAvg));
    expect(() => save(one.params, { stateFormat: "8bit" as never })).toThrow(
      /save: "stateFormat" expected one of "float32"/,
    );
  });

  test("a state dict with any fault is refused and changes nothing", () => {
    const one = fresh(stateFormat);
    train(one, 1, 3);
    const before = one.optimizer.stateDict();
    type Slot = Record<string, unknown>;
    const damaged = (change: (slot: Slot) => void): OptimizerState => {
      const saved = structuredClone(before);
      change(saved.state.big.slots.expAvg as unknown as Slot);
      return saved;
    };
    const array = stateFormat === "8bit" ? "codes" : "halves";
    for (const [change, message] of [
      [(s: Slot) => (s.format = "fp8"), /expAvg.format" expected one of "bfloat16", "8bit"/],
      [(s: Slot) => (s[array] = [1]), new RegExp(`expAvg.${array}" expected a Uint(8|16)Array of 4900`)],
      [(s: Slot) => (s[array] = new Uint8Array(3)), new RegExp(`expAvg.${array}" expected`)],
      ...(stateFormat === "8bit"
        ? ([
            [(s: Slot) => (s.bases = new Uint16Array(20)), /expAvg.bases\[0\]" expected the base of a block, got 0/],
            [(s: Slot) => (s.signed = 1), /expAvg.signed" expected true or false/],
          ] as const)
        : []),
    ] as const) {
      expect(() => one.optimizer.loadStateDict(damaged(change))).toThrow(message);
      expect(one.optimizer.stateDict()).toEqual(before);
    }
  });

  test("a group that is added later has it too; a rule without slots takes it", () => {
    const params = new ParameterDict({ w: [5000] });
    const more = new ParameterDict({ v: [5000] }, { arena: params.arena });
    const optimizer = new SGD(params, { lr: 0.1, momentum: 0.9, stateFormat });
    const { stateBytes } = optimizer;
    optimizer.addParamGroup({ params: more, lr: 0.2 });
    expect(optimizer.stateBytes).toBe(2 * stateBytes);
    params.grad.w.fill(1);
    more.grad.v.fill(1);
    optimizer.step();
    expect([params.data.w[4999], more.data.v[4999]]).toEqual([Math.fround(-0.1), Math.fround(-0.2)]);
    optimizer.dispose();
    const plain = new SGD(params, { lr: 1, stateFormat });
    plain.step();
    expect(plain.stateBytes).toBe(0);
  });
});
