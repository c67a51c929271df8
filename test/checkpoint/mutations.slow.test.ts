// Sound files, changed in their structure and in their bytes: they load, or are refused and change nothing.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type LoadOptions, load, read, save } from "../../src/checkpoint/index.js";
import { writeChecksum } from "../../src/checkpoint/gradstep-metadata.js";
import { AdamW, LBFGS, NAdam, ParameterDict, Prodigy, SGD, type StepOptimizer } from "../../src/index.js";
import { runs } from "../fuzz/runs.js";
import { adamw, fileOf, paramGroups, tensor, withHeader } from "./safetensors.js";
import { type Change, apply, change, textOf, treeOf } from "./trees.js";
import { workOf } from "./work.js";

interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly params: ParameterDict;
  readonly optimizers: readonly Stepping[];
  /** All that a load can change. */
  readonly state: () => Uint8Array;
}

type Stepping = StepOptimizer | LBFGS;
type Make = (params: ParameterDict) => Stepping[];

function sampleOf(name: string, shapes: Record<string, number[]>, make: Make, written?: Uint8Array): Sample {
  const build = (fill: number): [ParameterDict, Stepping[]] => {
    const params: ParameterDict = new ParameterDict(shapes);
    const optimizers = make(params);
    for (const tensor of params.names) params.grad[tensor].fill(fill);
    for (const optimizer of optimizers) {
      if (optimizer instanceof LBFGS) optimizer.step(() => fill);
      else optimizer.step();
    }
    return [params, optimizers];
  };
  const [from, optimizers] = build(1);
  const extra = { schedule: { epoch: 3, best: Infinity }, order: Uint32Array.of(3, 1), list: [1, [2, "x"]] };
  const bytes = written ?? save(from, { optimizers, extra, metadata: { note: "hello" } });
  const [params, others] = build(2);
  return { name, bytes, params, optimizers: others, state: () => save(params, { optimizers: others }) };
}

const foreign = fileOf(
  {
    w: tensor("BF16", [3], 0x3f80),
    v: tensor("F64", [2], 0.5, 0.25),
    count: tensor("I64", [], 7),
    ...Object.fromEntries(
      ["w", "v"].flatMap((name, i) => [
        [`state.${name}.step`, tensor(i === 0 ? "F32" : "I64", i === 0 ? [] : [1], 4)],
        [`state.${name}.exp_avg`, tensor("F16", i === 0 ? [3] : [2], 0x3c00)],
        [`state.${name}.exp_avg_sq`, tensor("F32", i === 0 ? [3] : [2], 1)],
      ]),
    ),
  },
  { format: "pt", ...paramGroups(["w", "v"], { ...adamw, caution: true }) },
);

const small = { w: [3], v: [2] };
const samples: Sample[] = [
  sampleOf("two optimizers", small, (p) => [
    new NAdam(p.subset(["w"]), { lr: 0.1 }),
    new SGD(p.subset(["v"]), { lr: 0.1, momentum: 0.9 }),
  ]),
  sampleOf("bfloat16", small, (p) => [new AdamW(p, { lr: 0.1, stateFormat: "bfloat16" })]),
  sampleOf("8bit", { w: [4096], v: [2] }, (p) => [new AdamW(p, { lr: 0.1, stateFormat: "8bit" })]),
  sampleOf("shared numbers", small, (p) => [new Prodigy(p)]),
  sampleOf("a history", small, (p) => [new LBFGS(p, { historySize: 2 })]),
  sampleOf("PyTorch's", small, (p) => [new AdamW(p)], foreign),
];

interface Mutation {
  sample: number;
  changes: { part: "header" | "own" | "groups"; change: Change }[];
  bytes: { kind: "flip" | "cut" | "add"; at: number; value: number }[];
  sound: boolean;
  optimizers: boolean;
  strict: boolean;
  rename: "same" | "first" | "one" | "none";
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  sample: fc.nat(samples.length - 1),
  changes: fc.array(fc.record({ part: fc.constantFrom("header", "own", "groups"), change }), { maxLength: 3 }),
  bytes: fc.array(
    fc.record({ kind: fc.constantFrom("flip", "flip", "cut", "add"), at: fc.nat(), value: fc.nat(255) }),
    { maxLength: 1 },
  ),
  sound: fc.boolean(),
  optimizers: fc.boolean(),
  strict: fc.boolean(),
  rename: fc.constantFrom("none", "none", "same", "first", "one"),
});

/** The changed file; where `sound`, with the checksum that fits it. */
function mutate({ bytes }: Sample, { changes, bytes: flips, sound }: Mutation): Uint8Array {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as {
    __metadata__: Partial<Record<string, string>>;
  };
  for (const [part, key] of [
    ["own", "gradstep"],
    ["groups", "param_groups"],
  ] as const) {
    const here = changes.filter((each) => each.part === part);
    const text = header.__metadata__[key];
    if (here.length === 0 || text === undefined) continue;
    const tree = treeOf(JSON.parse(text));
    for (const { change } of here) apply(tree, change);
    header.__metadata__[key] = textOf(tree);
  }
  const ours = header.__metadata__.gradstep !== undefined;
  if (ours) header.__metadata__["gradstep.crc32"] = "00000000";
  const tree = treeOf(header);
  for (const { part, change } of changes) if (part === "header") apply(tree, change);
  let data = bytes.slice(8 + length);
  for (const { kind, at, value } of flips) {
    const place = at % (data.length + 1);
    if (kind === "flip" && place < data.length) data[place] ^= 1 << (value % 8);
    if (kind === "cut") data = data.slice(0, place);
    if (kind === "add") data = Uint8Array.of(...data, value);
  }
  const file = withHeader(textOf(tree), [data]);
  if (ours && sound && file.length > 60) writeChecksum(file);
  return file;
}

const renames = {
  none: undefined,
  same: (name: string) => name,
  first: (name: string) => name.slice(1),
  one: () => "w",
};

/** Runs a call that may throw, and checks what it throws. */
function attempt(call: () => unknown): "done" | "refused" {
  try {
    call();
    return "done";
  } catch (error) {
    expect([TypeError, RangeError, Error]).toContain((error as Error).constructor);
    const { message } = error as Error;
    expect(message).toMatch(/^(load|read|AdamW|NAdam|SGD|Prodigy|LBFGS): /);
    expect(message.length).toBeLessThanOrEqual(400);
    return "refused";
  }
}

test("files changed in structure load or are refused, and never in part", { timeout: 600_000 }, () => {
  const counts = { done: 0, refused: 0 };
  const beginnings = samples.map(({ state }) => state());
  fc.assert(
    fc.property(mutation, (mutated) => {
      const sample = samples[mutated.sample];
      const { params, state } = sample;
      const optimizers = mutated.optimizers ? sample.optimizers : [];
      const options: LoadOptions = { optimizers, strict: mutated.strict, rename: renames[mutated.rename] };
      const file = mutate(sample, mutated);
      const before = beginnings[mutated.sample];

      const ends: ("done" | "refused")[] = [];
      const work = workOf(() => {
        ends.push(attempt(() => read(file)));
        ends.push(attempt(() => load(file, params, options)));
      });
      const end = ends[1];
      expect(work).toBeLessThan(20 * (file.length + before.length));
      expect(Object.keys(Object.prototype)).toEqual([]);
      counts[end]++;
      if (end === "refused") {
        expect(Buffer.compare(state(), before)).toBe(0);
        return;
      }
      const after = state();
      load(after, params, { optimizers: sample.optimizers });
      expect(Buffer.compare(state(), after)).toBe(0);
      load(before, params, { optimizers: sample.optimizers });
      expect(Buffer.compare(state(), before)).toBe(0);
    }),
    runs(1000),
  );
  expect(counts.done, "so that loading is tried too").toBeGreaterThan(100);
  expect(counts.refused).toBeGreaterThan(100);
});
