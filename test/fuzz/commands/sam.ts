// SAMs around optimizers and Lookaheads: their two steps, together and apart, and what they save.
import fc from "fast-check";
import { expect } from "vitest";
import { SAM } from "../../../src/index.js";
import { f } from "../../support/reference/common.js";
import { orderedSum } from "../../support/reference/sums.js";
import type { Asked, PlainTensor } from "../plain.js";
import { type LiveSAM, type LiveTensor, type SlowWeights, type World, applied, numbers, pick } from "../world.js";
import { advance, takesNew, updateAverage } from "./averages.js";
import { command, which } from "./command.js";
import { byName, tensorsOf } from "./saved.js";
import { moved, prepare, step } from "./step.js";

export const makeSAM = command(
  2,
  fc.record({ at: which, around: fc.boolean(), rho: fc.constantFrom(0, 0.05, 2), adaptive: fc.boolean() }),
  (world, { at, around, rho, adaptive }) => {
    const lookahead = around ? pick(world.lookaheads, at) : undefined;
    const optimizer = lookahead?.optimizer ?? pick(world.optimizers, at);
    if (!optimizer) return;
    const charge = { bytes: 0 };
    const made = world.call(() => new SAM(lookahead?.real ?? optimizer.real, { rho, adaptive }), { to: charge });
    if (!made) return;
    const known = optimizer.plain.members.length;
    world.sams.push({
      ...{ real: made.value, optimizer, lookahead, rho, adaptive, known },
      ...{ climbed: undefined, saved: undefined, ...charge },
    });
  },
);

const BETWEEN = /\w+\(\) after firstStep\(\): call secondStep\(\) first$/;
const DEAD = /: used after dispose\(\)/;
const isDead = (world: World, { optimizer, lookahead }: LiveSAM): { inner: boolean; outer: boolean } => {
  const inner = !world.optimizers.includes(optimizer);
  return { inner, outer: inner || (lookahead !== undefined && !world.lookaheads.includes(lookahead)) };
};

/** What the climb does to the model; the gradients' factor alone matters, not clipping. */
function climb(sam: LiveSAM, { skip, gradScale }: Asked): void {
  const { rho, adaptive, optimizer } = sam;
  const { members, groups } = optimizer.plain;
  const active = members.filter(({ tensor }) => !skip.has(tensor.name));
  let sum = 0;
  for (const {
    tensor: { p, g },
  } of active)
    sum += orderedSum(g.length, (i) => (adaptive ? p[i] * g[i] : g[i]) ** 2);
  const factor = (rho * gradScale) / (Math.sqrt(sum) * Math.abs(gradScale) + 1e-12);
  sam.climbed = new Map(active.map(({ tensor }) => [tensor, tensor.p.slice()]));
  for (const { tensor, group } of active) {
    const c = f(groups[group].options.maximize ? -factor : factor);
    const { p, g } = tensor;
    for (let i = 0; i < p.length; i++) p[i] = f(p[i] + f(c * (adaptive ? f(f(p[i] * p[i]) * g[i]) : g[i])));
  }
}

/** Puts the values from before the climb in their place, and returns those to which it has led. */
function takeBack(sam: LiveSAM): NonNullable<LiveSAM["climbed"]> {
  const there = new Map<PlainTensor, Float32Array>();
  for (const [tensor, values] of sam.climbed ?? []) {
    there.set(tensor, tensor.p.slice());
    tensor.p.set(values);
  }
  sam.climbed = undefined;
  return there;
}

const samStep = step.given as fc.Arbitrary<{ at: number; asked: Parameters<typeof prepare>[2] }>;

export const firstStep = command(5, samStep, (world, { at, asked }) => {
  const sam = pick(world.sams, at);
  if (!sam) return;
  const { real, optimizer, climbed } = sam;
  const { plain } = optimizer;
  if (isDead(world, sam).inner) {
    world.call(() => real.firstStep(), { refusal: climbed ? BETWEEN : DEAD });
    return;
  }
  const { options, step } = prepare(world, optimizer, { ...asked, rows: null, average: null, clipNorm: undefined });
  let refusal: RegExp | undefined;
  if (plain.nonFinite === "throw" && !isFinite(sam, step)) refusal = /^SAM: the gradient of "\w+" is /;
  if (plain.evaluating) refusal = /call train\(\) first/;
  refusal = climbed ? BETWEEN : (applied(world, plain.tensors) ?? refusal);
  const made = world.call(() => real.firstStep(options), { refusal, to: sam });
  if (made) expect(made.value).toBe(afterFirst(sam, step));
});

/** Whether the gradients are finite that a first step would use: it knows no rows. */
const isFinite = ({ optimizer: { plain } }: LiveSAM, step: Asked): boolean =>
  plain.finite({ ...step, rows: new Map() }, step.gradScale);

/** What the model comes to by a first step that was not refused; false where nothing climbs. */
function afterFirst(sam: LiveSAM, step: Asked): boolean {
  const { plain } = sam.optimizer;
  const finite = plain.nonFinite !== "skip" || isFinite(sam, step);
  if (finite) {
    sam.known = plain.members.length;
    climb(sam, step);
  }
  if (step.zeroGrad) for (const { tensor } of plain.members) tensor.g.fill(0);
  return finite;
}

export const secondStep = command(6, samStep, (world, { at, asked }) => {
  const between = world.sams.filter(({ climbed }) => climbed);
  const sam = pick(between.length > 0 ? between : world.sams, at);
  if (!sam || (sam.lookahead && takesNew(sam.lookahead))) return;
  const { real, optimizer, climbed } = sam;
  const { inner, outer } = isDead(world, sam);
  const dead = !climbed ? /secondStep\(\) without firstStep\(\)/ : outer ? DEAD : undefined;
  if (inner) {
    world.call(() => real.secondStep(), { refusal: dead });
    return;
  }
  const there = takeBack(sam);
  const unmoved = new Set(optimizer.plain.tensors.filter((tensor) => !climbed?.has(tensor)));
  const { options, step, average, refusal } = prepare(world, optimizer, asked, unmoved);
  const made = world.call(() => real.secondStep(options), { refusal: dead ?? refusal, to: optimizer });
  if (made) {
    moved(made.value, takeStep(sam, step), average);
    return;
  }
  sam.climbed = climbed;
  for (const [tensor, values] of there) tensor.p.set(values);
});

const takeStep = ({ optimizer, lookahead }: LiveSAM, step: Asked): boolean =>
  lookahead ? advance(lookahead, step) : optimizer.plain.step(step);

/** Both steps in one call, with a closure that gives the second other gradients. */
export const stepSAM = command(4, samStep, (world, { at, asked }) => {
  const sam = pick(world.sams, at);
  if (!sam || sam.climbed || isDead(world, sam).outer || (sam.lookahead && takesNew(sam.lookahead))) return;
  const { real, optimizer, known } = sam;
  const { plain } = optimizer;
  if (known < plain.members.length) return; // what it takes is its own, and what the step inside takes is the optimizer's
  const { options, step, average, refusal } = prepare(world, optimizer, asked);
  if (refusal || (plain.nonFinite === "throw" && !isFinite(sam, step))) return; // gradients would change all the same
  const second = plain.tensors.map(({ g }, i) => numbers(g.length, asked.seed + 50 + i, "usual"));
  let calls = 0;
  const closure = (): number => {
    if (++calls === 2) plain.tensors.forEach((tensor, i) => (tensor as LiveTensor).grad.set(second[i]));
    return calls;
  };
  const made = world.call(() => real.step(closure, options), { to: optimizer });
  if (made) expect(made.value).toBe(1);
  const climbs = afterFirst(sam, step);
  expect(calls).toBe(climbs ? 2 : 1);
  if (!climbs) return;
  plain.tensors.forEach(({ g }, i) => g.set(second[i]));
  takeBack(sam);
  if (made && takeStep(sam, step) && average) updateAverage(average);
});

/** Saves it, or loads what was saved: it goes on with the same bits. */
export const keepSAM = command(
  3,
  fc.record({ at: which, loads: fc.boolean(), cloned: fc.boolean() }),
  (world, { at, loads, cloned }) => {
    const sam = pick(world.sams, at);
    if (!sam || (sam.lookahead && takesNew(sam.lookahead))) return;
    const { real, optimizer, lookahead, saved, climbed } = sam;
    const { plain } = optimizer;
    let refusal = climbed ? BETWEEN : isDead(world, sam).outer ? DEAD : applied(world, plain.tensors);
    const tensors = byName(tensorsOf(optimizer));
    if (!loads) {
      const made = world.call(() => real.stateDict(), { refusal });
      if (made) sam.saved = { dict: made.value, plain: plain.copy(tensors), slow: lookahead && slowOf(lookahead) };
      return;
    }
    if (!saved) return;
    if (saved.plain.members.length !== plain.members.length || saved.plain.groups.length !== plain.groups.length)
      refusal ??= /expected/;
    const dict = cloned ? structuredClone(saved.dict) : saved.dict;
    if (!world.call(() => real.loadStateDict(dict), { refusal })) return;
    plain.restore(saved.plain, tensors);
    plain.gradNorm = optimizer.real.gradNorm;
    if (lookahead && saved.slow) Object.assign(lookahead, slowOf(saved.slow));
  },
);

const slowOf = ({ steps, slow }: SlowWeights): SlowWeights => ({
  steps,
  slow: new Map([...slow].map(([name, values]) => [name, values.slice()])),
});

export const disposeSAM = command(1, which, (world, at) => {
  const sam = pick(world.sams, at);
  if (sam) endSAM(world, sam);
});

/** Disposes of a SAM, perhaps between its steps, and perhaps after its optimizer or its tensors. */
export function endSAM(world: World, sam: LiveSAM): void {
  const { real } = sam;
  takeBack(sam);
  world.end(
    sam,
    world.sams,
    () => real.firstStep(),
    () => real.secondStep(),
    () => real.stateDict(),
    () => real.paramGroups,
  );
}
