// The given file of a PyTorch run, both ways.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import { unpack } from "../../src/checkpoint/safetensors.js";
import { Adam, AdamW, NAdam, type Optimizer, ParameterDict } from "../../src/index.js";

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
const json = (name: string): unknown => JSON.parse(fixture(name).toString());
type Named<T> = Record<string, T>;
const inputs = json("inputs.json") as { shapes: Named<number[]>; gradients: Named<number[]>[] };
const run = json("torch-adamw.json") as {
  at: number;
  until: number;
  options: { lr: number; betas: [number, number]; groups: { params: string[]; weightDecay: number; lr?: number }[] };
  expected: Named<number[]>;
};
const { cases } = json("cases.json") as { cases: { name: string; bound: Named<Named<number>> }[] };
const file = fixture("torch-adamw.safetensors");

const make = (options: object = {}): { params: ParameterDict; optimizer: AdamW } => {
  const params: ParameterDict = new ParameterDict(inputs.shapes);
  return { params, optimizer: new AdamW(params, { ...run.options, ...options }) };
};

describe("a file of PyTorch's", () => {
  test("goes on as PyTorch went on", () => {
    const { params, optimizer } = make();
    expect(load(file, params, { optimizers: [optimizer] })).toEqual({ extra: {}, metadata: {} });
    expect(optimizer.state("weight").step).toBe(run.at);
    for (let t = run.at + 1; t <= run.until; t++) {
      for (const name of params.names) params.grad[name].set(inputs.gradients[t - 1][name].flat(9));
      optimizer.step();
    }
    const bound = cases.find(({ name }) => name === "groups/adamw")?.bound["40"] ?? {};
    for (const [name, values] of Object.entries(run.expected))
      values.forEach((want, i) => expect(Math.abs(params.data[name][i] - want), name).toBeLessThanOrEqual(bound[name]));
  });

  test("comes out again with the same names, order, shapes, dtypes and bytes", () => {
    const { params, optimizer } = make();
    load(file, params, { optimizers: [optimizer] });
    const [theirs, ours] = [unpack(file), unpack(save(params, { optimizers: [optimizer] }))];
    expect([...ours.tensors.keys()]).toEqual([...theirs.tensors.keys()]);
    for (const [name, { dtype, shape, bytes }] of theirs.tensors) {
      const entry = ours.tensors.get(name);
      expect([entry?.dtype, entry?.shape], name).toEqual([dtype, shape]);
      expect(Buffer.compare(entry?.bytes ?? new Uint8Array(), bytes), name).toBe(0);
    }
    const groups = [ours, theirs].map(({ metadata }) => JSON.parse(metadata.get("param_groups") ?? "") as unknown);
    expect(groups[0]).toEqual(groups[1]);
    expect(ours.metadata.get("format")).toBe("pt");
  });

  test("brings its hyper-parameters along", () => {
    const { params, optimizer } = make({ lr: 1, betas: [0, 0], weightDecay: 1 });
    load(file, params, { optimizers: [optimizer] });
    const { lr, betas, weightDecay } = optimizer.paramGroups[1];
    expect({ lr, betas, weightDecay }).toEqual({ lr: 0.02, betas: [0.9, 0.98], weightDecay: 0.2 });
  });

  test("gives weights alone where no optimizers are given", () => {
    const { params, optimizer } = make();
    load(file, params);
    expect(params.data.scale[0]).not.toBe(0);
    expect(optimizer.state("scale").step).toBe(0);
  });

  test("is refused as a whole where it does not fit", () => {
    const wrong: [RegExp, (params: ParameterDict) => Optimizer[], shapes?: Named<number[]>][] = [
      [/"param_groups.weight.decoupled_weight_decay" expected false for Adam, got true/, (p) => [new Adam(p)]],
      [/no "param_groups.weight.momentum_decay", an option of NAdam/, (p) => [new NAdam(p)]],
      [
        /"dialect" expected "torch" for a file that gradstep did not write, got "keras"/,
        (p) => [new AdamW(p, { dialect: "keras" })],
      ],
      [
        /has no tensor "state.bias.max_exp_avg_sq"|has no tensor "state.weight.max_exp_avg_sq"/,
        (p) => [new AdamW(p, { ...run.options, amsgrad: true })],
      ],
      [/"param_groups.scale.lr" expected 0.02, as "weight" has in the same group/, (p) => [new AdamW(p)]],
      [
        /"optimizers" expected all states of the file, got "none for \\"state.gain/,
        (p) => [new AdamW(p.subset(["weight", "bias"]))],
      ],
      [/has no tensor "more"/, () => [], { ...inputs.shapes, more: [1] }],
      [
        /"params" expected all tensors of the file, got "no \\"gain\\""/,
        () => [],
        Object.fromEntries(Object.entries(inputs.shapes).filter(([n]) => n !== "gain")),
      ],
      [
        /"kernel" expected F32 \[4, 3, 6\], got "F32 \[4, 3, 3, 2\]"/,
        () => [],
        { ...inputs.shapes, kernel: [4, 3, 6] },
      ],
    ];
    for (const [message, optimizers, shapes = inputs.shapes] of wrong) {
      const params: ParameterDict = new ParameterDict(shapes);
      const list = optimizers(params);
      const before = list.map((o) => o.stateDict());
      expect(() => load(file, params, { optimizers: list })).toThrow(message);
      for (const name of params.names) expect(params.data[name].every((x) => x === 0)).toBe(true);
      expect(list.map((o) => o.stateDict())).toEqual(before);
    }
  });
});
