// The given file of a PyTorch run, both ways.
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import { pack, unpack } from "../../src/checkpoint/safetensors.js";
import * as gradstep from "../../src/index.js";
import { Adam, AdamW, NAdam, type Optimizer, ParameterDict } from "../../src/index.js";
import { fixture } from "../support/fixture.js";
import { make as makeRule } from "../rules/table.js";

const json = (name: string): unknown => JSON.parse(fixture(name).toString());
type Named<T> = Record<string, T>;
const inputs = json("inputs.json") as { shapes: Named<number[]>; gradients: Named<number[]>[] };
const run = json("torch-adamw.json") as {
  at: number;
  until: number;
  options: { lr: number; betas: [number, number]; groups: { params: string[]; weightDecay: number; lr?: number }[] };
  expected: Named<number[]>;
};
const { cases } = json("cases.json.gz") as { cases: { name: string; bound: Named<Named<number>> }[] };
const file = fixture("torch-adamw.safetensors");

const make = (options: object = {}): { params: ParameterDict; optimizer: AdamW } => {
  const params: ParameterDict = new ParameterDict(inputs.shapes);
  return { params, optimizer: new AdamW(params, { ...run.options, ...options }) };
};

/** What PyTorch's optimizers have in their groups beside lr, and in their state. */
const theirs: Named<{ group: string; state: string; options?: object }> = {
  SGD: { group: "momentum dampening weight_decay nesterov maximize foreach differentiable fused", state: "" },
  "SGD with momentum": {
    group: "momentum dampening weight_decay nesterov maximize foreach differentiable fused",
    state: "momentum_buffer",
    options: { momentum: 0.9 },
  },
  Adagrad: {
    group: "lr_decay eps weight_decay initial_accumulator_value foreach maximize differentiable fused",
    state: "step sum",
  },
  Adadelta: {
    group: "rho eps weight_decay maximize capturable foreach differentiable",
    state: "step square_avg acc_delta",
  },
  RMSprop: {
    group: "momentum alpha eps centered weight_decay capturable foreach maximize differentiable",
    state: "step square_avg momentum_buffer grad_avg",
    options: { momentum: 0.9, centered: true },
  },
  Adam: {
    group: "betas eps weight_decay amsgrad maximize foreach capturable differentiable fused decoupled_weight_decay",
    state: "step exp_avg exp_avg_sq max_exp_avg_sq",
    options: { amsgrad: true },
  },
  AdamW: {
    group: "betas eps weight_decay amsgrad maximize foreach capturable differentiable fused decoupled_weight_decay",
    state: "step exp_avg exp_avg_sq",
  },
  Adamax: { group: "betas eps weight_decay foreach maximize differentiable capturable", state: "step exp_avg exp_inf" },
  NAdam: {
    group: "betas eps weight_decay momentum_decay decoupled_weight_decay maximize foreach capturable differentiable",
    state: "step mu_product exp_avg exp_avg_sq",
  },
  RAdam: {
    group: "betas eps weight_decay maximize foreach capturable decoupled_weight_decay differentiable",
    state: "step exp_avg exp_avg_sq",
  },
  ASGD: {
    group: "lambd alpha t0 weight_decay foreach maximize differentiable capturable",
    state: "step eta mu ax",
  },
  Rprop: { group: "etas step_sizes foreach maximize differentiable capturable", state: "step prev step_size" },
  Adafactor: { group: "beta2_decay eps d weight_decay foreach maximize", state: "step row_var col_var" },
  Muon: {
    group: "weight_decay momentum nesterov ns_coefficients eps ns_steps adjust_lr_fn use_addmm",
    state: "momentum_buffer",
  },
};

describe("PyTorch's form", () => {
  const here = Object.entries(theirs).filter(([title]) => title.split(" ")[0] in gradstep);
  test.each(here)("of %s: the same entries, and a file without ours loads", (title, { group, state, options }) => {
    const rule = title.split(" ")[0];
    const make = (): [ParameterDict, ReturnType<typeof makeRule>] => {
      const params: ParameterDict = new ParameterDict({ w: [3, 4], late: [2, 2] });
      params.data.w.forEach((_, i, w) => (w[i] = i - 4));
      return [params, makeRule(rule, params, { lr: 0.01, ...options })];
    };
    const [params, optimizer] = make();
    const step = (on: ParameterDict, by: typeof optimizer, t: number): void => {
      on.grad.w.forEach((_, i, w) => (w[i] = ((i * t) % 5) - 2));
      by.step({ skip: ["late"] });
    };
    for (let t = 1; t <= 3; t++) step(params, optimizer, t);
    const { tensors, metadata } = unpack(save(params, { optimizers: [optimizer] }));
    const groups = JSON.parse(metadata.get("param_groups") ?? "") as object;
    const parts = (names: Iterable<string>, prefix: string): string[] =>
      [...names].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    expect(parts(Object.keys(groups), "param_groups.w.").sort()).toEqual(["lr", ...group.split(" ")].sort());
    expect(parts(tensors.keys(), "state.w.")).toEqual(state.split(" ").filter(Boolean).sort());
    expect(parts(tensors.keys(), "gradstep.")).toEqual([]);

    const [other, loaded] = make();
    step(other, loaded, 9);
    const unstepped = [...tensors].filter(([name]) => !name.startsWith("state.late."));
    const foreign = pack(new Map(unstepped), new Map([["param_groups", metadata.get("param_groups") ?? ""]]));
    load(foreign, other, { optimizers: [loaded] });
    expect(loaded.state("late")).toEqual(
      makeRule(rule, new ParameterDict({ late: [2, 2] }), { lr: 0.01, ...options }).state("late"),
    );
    const { step: steps, ...own } = optimizer.state("w");
    const stepless = !state.includes("step ");
    const count = stepless ? (state === "" ? 0 : 1) : steps;
    const { muProduct } = own as Partial<Record<string, unknown>>;
    const numbers = Object.entries(own).filter((entry): entry is [string, number] => typeof entry[1] === "number");
    const rounded = Object.fromEntries(numbers.map(([name, value]) => [name, Math.fround(value)]));
    expect(loaded.state("w")).toEqual({ ...own, ...rounded, step: count });
    for (const side of [[params, optimizer] as const, [other, loaded] as const]) step(...side, 4);
    if (muProduct === undefined) expect(other.data.w).toEqual(params.data.w);
  });

  test("is not taken where PyTorch has no such thing", () => {
    for (const options of [{ dialect: "keras" }, { momentumForm: "ema" }]) {
      const params: ParameterDict = new ParameterDict({ w: [1] });
      const bytes = save(params, { optimizers: [makeRule("SGD", params, { momentum: 0.9, ...options })] });
      const groups = JSON.parse(unpack(bytes).metadata.get("param_groups") ?? "") as object;
      expect(Object.keys(groups), "so that PyTorch misses its own").not.toContain("param_groups.w.foreach");
    }
  });
});

describe("a file of PyTorch's", () => {
  test("continues as PyTorch did", () => {
    const { params, optimizer } = make();
    expect(load(file, params, { optimizers: [optimizer] })).toMatchObject({ extra: {}, unexpected: [], unknown: [] });
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

  test("brings its hyper-parameters", () => {
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
      [
        /"param_groups.weight.decoupled_weight_decay" expected false for Adam \(else use AdamW\), got true/,
        (p) => [new Adam(p)],
      ],
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
        /"optimizers" expected all states of the file, got no "state.gain/,
        (p) => [new AdamW(p.subset(["weight", "bias"]))],
      ],
      [/has no tensor "more"/, () => [], { ...inputs.shapes, more: [1] }],
      [
        /"params" expected all float tensors of the file, got no "gain"/,
        () => [],
        Object.fromEntries(Object.entries(inputs.shapes).filter(([n]) => n !== "gain")),
      ],
      [/"kernel" expected shape \[4, 3, 6\], got \[4, 3, 3, 2\]/, () => [], { ...inputs.shapes, kernel: [4, 3, 6] }],
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
