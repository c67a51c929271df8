// Averages and slow weights.
import fc from "fast-check";
import { Lookahead, WeightAverage, WeightEma } from "../../../src/index.js";
import { power } from "../../support/reference/common.js";
import { type Asked, approach } from "../plain.js";
import { type LiveAverage, type LiveLookahead, type World, applied, pick } from "../world.js";
import { command, which } from "./command.js";
import { moved, prepare, step } from "./step.js";

/** What an update does to the model. */
export function updateAverage(average: LiveAverage): void {
  const { kind, tensors, values, updates, decay, debias } = average;
  const corrected = debias && decay < 1 ? 1 - power(decay, updates + 1) : 1;
  const w = kind === "WeightAverage" || (debias && decay === 1) ? 1 / (updates + 1) : (1 - decay) / corrected;
  tensors.forEach(({ p }, i) => (updates === 0 ? values[i].set(p) : approach(values[i], p, w)));
  average.updates++;
}

export const makeAverage = command(
  3,
  fc.record({ at: which, mean: fc.boolean(), decay: fc.constantFrom(0, 0.7, 0.999, 1), debias: fc.boolean() }),
  (world, { at, mean, decay, debias }) => {
    const dict = pick(world.dicts, at);
    if (!dict || applied(world, dict.tensors)) return;
    const { real, tensors } = dict;
    const charge = { bytes: 0 };
    const made = world.call(() => (mean ? new WeightAverage(real) : new WeightEma(real, { decay, debias })), {
      to: charge,
    });
    if (!made) return;
    world.averages.push({
      real: made.value,
      kind: mean ? "WeightAverage" : "WeightEma",
      tensors,
      values: tensors.map(({ p }) => p.slice()),
      views: tensors.map(({ name }) => made.value.values[name]),
      decay,
      debias,
      updates: 0,
      kept: undefined,
      ...charge,
    });
  },
);

type Act = "update" | "apply" | "restore" | "load" | "decay" | "dispose";
export const useAverage = command(
  6,
  fc.record({
    at: which,
    act: fc.constantFrom<Act>("update", "update", "apply", "restore", "restore", "load", "decay", "dispose"),
  }),
  (world, { at, act }) => {
    const average = pick(world.averages, at);
    if (average) actions[act](world, average);
  },
);

const FIRST = /call restore\(\) first/;
const actions: Record<Act, (world: World, average: LiveAverage) => void> = {
  update(world, average) {
    const refusal = applied(world, average.tensors);
    if (world.call(() => average.real.update(), { refusal })) updateAverage(average);
  },
  apply(world, average) {
    const { real, tensors, values, updates, kept } = average;
    const refusal = kept ? /apply\(\) twice/ : updates === 0 ? /apply\(\) without an average/ : applied(world, tensors);
    if (!world.call(() => real.apply(), { refusal })) return;
    average.kept = tensors.map(({ p }) => p.slice());
    tensors.forEach(({ p }, i) => p.set(values[i]));
  },
  restore(world, average) {
    const { real, tensors, kept } = average;
    world.call(() => real.restore(), { refusal: kept ? undefined : /restore\(\) without apply\(\)/ });
    if (kept) tensors.forEach(({ p }, i) => p.set(kept[i]));
    average.kept = undefined;
  },
  load(world, average) {
    const { real, values, updates, decay } = average;
    const saved = world.call(() => real.stateDict())!.value;
    const [then, at] = [values.map((x) => x.slice()), { updates, decay }];
    if (world.call(() => real.update(), { refusal: applied(world, average.tensors) })) updateAverage(average);
    if (!world.call(() => real.loadStateDict(structuredClone(saved)), { refusal: average.kept ? FIRST : undefined }))
      return;
    values.forEach((x, i) => x.set(then[i]));
    Object.assign(average, at);
  },
  decay(world, average) {
    const { real } = average;
    if (!(real instanceof WeightEma)) return;
    world.call(() => (real.decay = 0.5));
    average.decay = 0.5;
  },
  dispose(world, average) {
    const { real } = average;
    world.end(
      average,
      world.averages,
      () => real.update(),
      () => real.stateDict(),
      () => real.values,
    );
  },
};

export const makeLookahead = command(
  2,
  fc.record({ at: which, k: fc.integer({ min: 1, max: 3 }), alpha: fc.constantFrom(0, 0.3, 0.5, 1) }),
  (world, { at, k, alpha }) => {
    const optimizer = pick(world.optimizers, at);
    if (!optimizer || world.lookaheads.some((lookahead) => lookahead.optimizer === optimizer)) return;
    const charge = { bytes: 0 };
    const refusal = applied(world, optimizer.plain.tensors);
    const made = world.call(() => new Lookahead(optimizer.real, { k, alpha }), { refusal, to: charge });
    if (!made) return;
    const slow = new Map(optimizer.plain.members.map(({ tensor: { name, p } }) => [name, p.slice()]));
    world.lookaheads.push({ real: made.value, optimizer, k, alpha, steps: 0, slow, ...charge });
  },
);

export const stepLookahead = command(6, step.given, (world, given) => {
  const { at, asked } = given as { at: number; asked: Parameters<typeof prepare>[2] };
  const lookahead = pick(world.lookaheads, at);
  if (!lookahead) return;
  const { real, optimizer, slow } = lookahead;
  const { plain } = optimizer;
  // What it takes is its own, and what the step inside takes is the optimizer's: two calls tell them apart.
  if (takesNew(lookahead) && !applied(world, plain.tensors)) {
    if (!world.call(() => real.loadStateDict(real.stateDict()), { to: lookahead })) return;
    for (const {
      tensor: { name, p },
    } of plain.members)
      if (!slow.has(name)) slow.set(name, p.slice());
  }
  const { options, step, average, refusal } = prepare(world, optimizer, asked);
  const made = world.call(() => real.step(options), { refusal, to: optimizer });
  if (!made) return;
  moved(made.value, advance(lookahead, step), average);
});

/** Whether the next step takes tensors of a new group in. */
export const takesNew = ({ slow, optimizer: { plain } }: LiveLookahead): boolean => slow.size < plain.members.length;

/** What a step does to the model; false when it is skipped. */
export function advance(lookahead: LiveLookahead, step: Asked): boolean {
  const { optimizer, slow, k, alpha } = lookahead;
  const moves = optimizer.plain.step(step);
  if (moves && ++lookahead.steps % k === 0)
    for (const { tensor } of optimizer.plain.members) {
      const own = slow.get(tensor.name)!;
      approach(own, tensor.p, alpha);
      tensor.p.set(own);
    }
  return moves;
}

export const endLookahead = command(1, which, (world, at) => {
  const lookahead = pick(world.lookaheads, at);
  if (lookahead) world.end(lookahead, world.lookaheads, () => lookahead.real.step());
});
