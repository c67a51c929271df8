// Steps with every option, and changes of gradients between them.
import fc from "fast-check";
import { expect } from "vitest";
import {
  type StepOptions,
  centralizeGradients,
  clipGradAdaptive,
  clipGradNorm,
  clipGradValue,
  gradNorm,
} from "../../../src/index.js";
import { f } from "../../support/reference/common.js";
import { orderedSum } from "../../support/reference/sums.js";
import { equal } from "../invariants.js";
import type { Asked, Member, PlainTensor } from "../plain.js";
import { type LiveAverage, type LiveOptimizer, type Numbers, type World, applied, numbers, pick } from "../world.js";
import { updateAverage } from "./averages.js";
import { command, oneOf, seed, which } from "./command.js";

/** Fills the gradients of tensors, of the real ones and of the models. */
export function fill(tensors: readonly PlainTensor[], seed: number, kind: Numbers): void {
  tensors.forEach((tensor, i) => {
    tensor.g.set(numbers(tensor.g.length, seed + i, kind));
    (tensor as PlainTensor & { grad: Float32Array }).grad.set(tensor.g);
  });
}

const asked = fc.record({
  seed,
  kind: oneOf<Numbers>("usual", "usual", "zero", "special"),
  gradScale: oneOf(1, 0.25, -0.5, 0, 16),
  skip: oneOf<number[]>([], [0], [1, 3], [0, 1, 2, 3, 4]),
  rows: fc.option(fc.uniqueArray(fc.nat(30), { maxLength: 4 }), { freq: 4 }),
  clipNorm: oneOf<number | undefined>(undefined, 0.5, 0, 1e6, Infinity),
  zeroGrad: oneOf(false, true),
  average: fc.option(which, { freq: 3 }),
});
export type AskedStep = typeof asked extends fc.Arbitrary<infer T> ? T : never;

/** Why rows of a tensor are refused, if they are. */
function refusesRows({ plain }: LiveOptimizer, { tensor, group }: Member): boolean {
  const { options } = plain.groups[group];
  const { rule } = plain.row;
  const has = rule === "Adagrad" || (rule === "SGD" && options.momentum === 0) || (rule === "Adam" && !options.amsgrad);
  return !has || plain.format !== "float32" || tensor.shape.length !== 2;
}

/** Draws the options of a step, and says what must come of it. Tensors that are `idle` are skipped besides those of the options. */
export function prepare(
  world: World,
  optimizer: LiveOptimizer,
  given: AskedStep,
  idle: ReadonlySet<PlainTensor> = new Set(),
) {
  const { plain } = optimizer;
  const { members } = plain;
  fill(plain.tensors, given.seed, given.kind);
  const names = members.map(({ tensor }) => tensor.name);
  const skip = [...new Set(given.skip.filter((n) => n < names.length).map((n) => names[n]))];
  const options: { -readonly [Key in keyof StepOptions]: StepOptions[Key] } = {};
  const rows = new Map<string, number[]>();
  let refusal: RegExp | undefined;
  const at = members.find(({ tensor }) => tensor.shape.length === 2 && !skip.includes(tensor.name));
  if (given.rows && at) {
    const numbers = given.rows.filter((r) => r < at.tensor.shape[0]);
    rows.set(at.tensor.name, numbers);
    options.rows = { [at.tensor.name]: given.seed % 2 === 0 ? numbers : Uint32Array.from(numbers) };
    if (refusesRows(optimizer, at) || idle.has(at.tensor)) refusal = /"rows\.\w+" expected/;
  }
  if (skip.length > 0) options.skip = skip;
  if (given.gradScale !== 1) options.gradScale = given.gradScale;
  if (given.clipNorm !== undefined) options.clipNorm = given.clipNorm;
  if (given.zeroGrad) options.zeroGrad = true;
  const average = given.average === null ? undefined : pick(world.averages, given.average);
  if (average) {
    options.average = average.real;
    if (!average.tensors.every((tensor) => members.some((member) => member.tensor === tensor)))
      refusal = /expected an average of tensors that are the optimizer's/;
  }
  const { gradScale = 1, clipNorm, zeroGrad = false } = options;
  const skipped = new Set([...skip, ...[...idle].map(({ name }) => name)]);
  const step: Asked = { skip: skipped, rows, gradScale, clipNorm, zeroGrad };
  if (plain.nonFinite === "throw" && !refusal && !plain.finite(step, plain.scaleOf(step).gradScale))
    refusal = /: the gradient of "\w+" is /;
  if (isUnequal(optimizer)) refusal = /as other groups have/;
  if (plain.evaluating) refusal = /call train\(\) first/;
  refusal = applied(world, plain.tensors) ?? refusal;
  return { options, step, average, refusal };
}

/** Whether the rule refuses a step, because the groups that have tensors have several rates (Prodigy's may be 0, too). */
const isUnequal = ({ real, plain: { row } }: LiveOptimizer): boolean => {
  const rates = new Set(real.paramGroups.flatMap(({ params, lr }) => (params.length > 0 ? [lr] : [])));
  if (row.rule === "Prodigy") rates.delete(0);
  return row.together !== undefined && rates.size > 1;
};

export const step = command(20, fc.record({ at: which, asked }), (world, given) => {
  const optimizer = pick(world.optimizers, given.at);
  if (!optimizer || world.lookaheads.some((lookahead) => lookahead.optimizer === optimizer)) return;
  const { real, plain } = optimizer;
  const { options, step, average, refusal } = prepare(world, optimizer, given.asked);
  const none = Object.keys(options).length === 0;
  const made = world.call(() => (none ? real.step() : real.step(options)), { refusal, to: optimizer });
  if (!made) return;
  moved(made.value, plain.step(step), average);
});

/** What both sides say of a step, and the average that went along. */
export function moved(got: boolean, want: boolean, average: LiveAverage | undefined): void {
  expect(got).toBe(want);
  if (want && average) updateAverage(average);
}

export const stepOften = command(2, fc.record({ at: which, seed, count: fc.nat(9) }), (world, { at, seed, count }) => {
  const optimizer = pick(world.optimizers, at);
  if (!optimizer || optimizer.plain.evaluating || applied(world, optimizer.plain.tensors)) return;
  if (isUnequal(optimizer)) return;
  if (world.lookaheads.some((lookahead) => lookahead.optimizer === optimizer)) return;
  const { real, plain } = optimizer;
  fill(plain.tensors, seed, "usual");
  for (let n = 0; n < count; n++)
    if (world.call(() => real.step(), { to: optimizer }))
      plain.step({ skip: new Set(), rows: new Map(), gradScale: 1, clipNorm: undefined, zeroGrad: false });
});

export const zeroGrad = command(1, which, (world, at) => {
  const optimizer = pick(world.optimizers, at);
  if (!optimizer) return;
  world.call(() => optimizer.real.zeroGrad());
  for (const { tensor } of optimizer.plain.members) tensor.g.fill(0);
});

const scale = (tensors: readonly PlainTensor[], factor: number): void => {
  if (factor !== 1) for (const { g } of tensors) g.forEach((x, i) => (g[i] = f(x * f(factor))));
};

export const clip = command(
  2,
  fc.record({
    at: which,
    seed,
    how: fc.nat(3),
    most: fc.constantFrom(0, 0.5, 3, Infinity),
    normType: fc.constantFrom(1, 2, Infinity),
  }),
  (world, { at, seed, how, most, normType }) => {
    const dict = pick(world.dicts, at);
    if (!dict) return;
    const { real, tensors } = dict;
    fill(tensors, seed, "usual");
    const sums = tensors.map(({ g }) => orderedSum(g.length, (i) => (normType === 2 ? g[i] * g[i] : Math.abs(g[i]))));
    const sum = sums.reduce((a, b) => a + b, 0);
    const largest = Math.max(0, ...tensors.map(({ g }) => g.reduce((max, x) => Math.max(max, Math.abs(x)), 0)));
    const norm = normType === Infinity ? largest : normType === 2 ? Math.sqrt(sum) : sum;
    if (how === 0) equal(world.call(() => gradNorm(real, { normType }))!.value, norm, "gradNorm");
    else if (how === 1) {
      equal(world.call(() => clipGradNorm(real, most, { normType }))!.value, norm, "clipGradNorm");
      scale(tensors, Math.min(1, most / (norm + 1e-6)));
    } else if (how === 2) {
      world.call(() => clipGradValue(real, most));
      for (const { g } of tensors) g.forEach((x, i) => (g[i] = Math.min(Math.max(x, -f(most)), f(most))));
    } else {
      if (most === Infinity) return;
      world.call(() => clipGradAdaptive(real, most, { eps: 1e-2 }));
      for (const { p, g, shape } of tensors) {
        const width = shape.length > 1 ? g.length / shape[0] : g.length;
        for (let from = 0; from < g.length; from += width) {
          const [theta, unit] = [p, g].map((x) => x.subarray(from, from + width));
          const [of, along] = [theta, unit].map((x) => Math.sqrt(orderedSum(width, (i) => x[i] * x[i])));
          const limit = most * Math.max(of, 1e-2);
          if (!(along < limit)) scale([{ g: unit } as unknown as PlainTensor], limit / Math.max(along, 1e-6));
        }
      }
    }
  },
);

export const centralize = command(1, fc.record({ at: which, seed }), (world, { at, seed }) => {
  const dict = pick(world.dicts, at);
  if (!dict) return;
  fill(dict.tensors, seed, "usual");
  world.call(() => centralizeGradients(dict.real));
  for (const { g, shape } of dict.tensors) {
    if (shape.length < 2 || g.length === 0) continue;
    const width = g.length / shape[0];
    for (let from = 0; from < g.length; from += width) {
      const row = g.subarray(from, from + width);
      const mean = f(orderedSum(width, (i) => row[i]) / width);
      row.forEach((x, i) => (row[i] = f(x - mean)));
    }
  }
});

export const swap = command(1, fc.record({ at: which, evaluating: fc.boolean() }), (world, { at, evaluating }) => {
  const optimizer = pick(world.optimizers, at);
  if (!optimizer) return;
  const { real, plain } = optimizer;
  const swaps = plain.evaluates && plain.evaluating !== evaluating;
  const refusal = swaps ? applied(world, plain.tensors) : undefined;
  if (world.call(() => (evaluating ? real.eval() : real.train()), { refusal })) plain.swap(evaluating);
});
