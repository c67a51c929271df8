// Options that are set during training, and schedules that set them.
import fc from "fast-check";
import { expect } from "vitest";
import * as schedule from "../../../src/schedule/index.js";
import { ParameterDict } from "../../../src/index.js";
import { type Options, make } from "../../rules/table.js";
import { equal } from "../invariants.js";
import type { Settled } from "../../support/reference/common.js";
import { type LiveOptimizer, type LiveSchedule, pick } from "../world.js";
import { command, which, without } from "./command.js";

const settings: [name: string, values: unknown[]][] = [
  ["lr", [0.01, 0.3, 0.05]],
  ["weightDecay", [0, 0.1]],
  ["maximize", [true, false]],
  ["eps", [1e-8, 1e-3]],
  [
    "betas",
    [
      [0.5, 0.6],
      [0.9, 0.99],
      [0.7, 0.8, 0.9],
    ],
  ],
  ["momentum", [0.5, 0.9]],
  ["dampening", [0, 0.3]],
  ["nesterov", [true, false]],
  ["alpha", [0.5, 0.99]],
  ["rho", [0.5, 0.95]],
];

export const set = command(
  4,
  fc.record({ at: which, group: which, setting: fc.nat(settings.length - 1), value: fc.nat(2) }),
  (world, given) => {
    const optimizer = pick(world.optimizers, given.at);
    const [name, values] = settings[given.setting];
    if (!optimizer || !(name in optimizer.plain.groups[0].options)) return;
    const { real, plain } = optimizer;
    const value = pick(values, given.value);
    const { together } = plain.row;
    const chosen = together ? plain.groups.keys() : [given.group % plain.groups.length];
    for (const g of chosen) {
      const group = real.paramGroups[g] as unknown as Options;
      const perhaps = new RegExp(`^${plain.row.rule}: "paramGroups\\[${g}\\]\\.`);
      if (world.call(() => (group[name] = value), { perhaps }))
        (plain.groups[g].options as unknown as Options)[name] = value;
    }
  },
);

type Make = LiveSchedule["make"];
const simple: Make[] = [
  (o) => new schedule.StepLR(o, { stepSize: 2, gamma: 0.5 }),
  (o) => new schedule.MultiStepLR(o, { milestones: [1, 3, 3] }),
  (o) => new schedule.ConstantLR(o, { totalIters: 3 }),
  (o) => new schedule.LinearLR(o, { totalIters: 4 }),
  (o) => new schedule.ExponentialLR(o, { gamma: 0.9 }),
  (o) => new schedule.PolynomialLR(o, { totalIters: 6, power: 1.5 }),
  (o) => new schedule.CosineAnnealingLR(o, { tMax: 5, etaMin: 1e-3 }),
  (o) => new schedule.CosineAnnealingWarmRestarts(o, { t0: 2, tMult: 2 }),
  (o) => new schedule.LambdaLR(o, { lrLambda: (e) => 1 / (1 + e) }),
  (o) => new schedule.OneCycleLR(o, { maxLr: 0.1, totalSteps: 6, cycleMomentum: false }),
  (o) => new schedule.CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 2, cycleMomentum: false }),
  (o) => new schedule.OneCycleLR(o, { maxLr: 0.1, totalSteps: 6 }),
  (o) => new schedule.MultiplicativeLR(o, { lrLambda: (e) => (e === 3 ? 1 : 0.8) }),
  (o) => new schedule.SWALR(o, { swaLr: 0.02, annealEpochs: 3 }),
  (o) => new schedule.CosineAnnealingLR(o, { tMax: 4, lastEpoch: 3 }),
];

const makeOf = (a: number, b: number, how: number): Make => {
  const [first, second] = [simple[a % simple.length], simple[b % simple.length]];
  if (how === 1) return (o) => new schedule.SequentialLR(o, { schedulers: [first(o), second(o)], milestones: [2] });
  if (how === 2) return (o) => new schedule.ChainedScheduler(o, { schedulers: [first(o), second(o)] });
  return first;
};

/** Tells the model which rates and momenta a schedule has set: what they must be is tested in test/schedule. */
function read({ real, plain }: LiveOptimizer): void {
  plain.groups.forEach(({ options }, g) => {
    const group = real.paramGroups[g] as unknown as Settled;
    for (const name of ["lr", "momentum", "betas"] as const)
      if (name in options) Object.assign(options, { [name]: group[name] });
  });
}

const REFUSES = /^(SGD|[A-Z]\w+): /;
export const makeSchedule = command(
  3,
  fc.record({ at: which, a: fc.nat(14), b: fc.nat(14), how: fc.nat(2) }),
  (world, { at, a, b, how }) => {
    const optimizer = pick(world.optimizers, at);
    if (!optimizer) return;
    const make = makeOf(a, b, how);
    const before = JSON.stringify(optimizer.plain.groups.map(({ options }) => options));
    const made = world.call(() => make(optimizer.real), { perhaps: REFUSES });
    // A schedule that is made of others has made these before it is refused itself.
    if (made || how > 0) read(optimizer);
    if (!made && how === 0 && JSON.stringify(optimizer.plain.groups.map(({ options }) => options)) !== before)
      throw new Error("a schedule that was refused has changed the options");
    if (made) world.schedules.push({ real: made.value, optimizer, make, counter: made.value.stateDict().counter });
  },
);

export const stepSchedule = command(6, which, (world, at) => {
  const live = pick(world.schedules, at);
  if (!live) return;
  const before = JSON.stringify(live.real.stateDict());
  if (!world.call(() => live.real.step(), { perhaps: REFUSES })) {
    expect(JSON.stringify(live.real.stateDict())).toBe(before);
    return;
  }
  live.counter++;
  read(live.optimizer);
  live.real.lastLr.forEach((rate, g) => equal(rate, live.optimizer.plain.groups[g].options.lr, "lastLr"));
});

/** Another optimizer with the same groups and another schedule, loaded: both go on alike. */
export const resumeSchedule = command(1, fc.record({ at: which, count: fc.nat(5) }), (world, { at, count }) => {
  const live = pick(world.schedules, at);
  if (!live) return;
  const { optimizer, real } = live;
  const { plain } = optimizer;
  const params = new ParameterDict(Object.fromEntries(plain.groups.map((_, g) => [`x${g}`, [1, 1]])));
  try {
    const [first, ...rest] = plain.groups.map(({ options }) => options);
    const groups = rest.map((options, g) => ({ params: [`x${g + 1}`], ...without(options, "dialect") }));
    const twin = make(plain.row.rule, params, { ...first, groups });
    const other = live.make(twin);
    other.loadStateDict(structuredClone(real.stateDict()));
    for (let n = 0; n < count; n++) {
      const stepped = world.call(() => real.step(), { perhaps: REFUSES });
      if (!stepped) break;
      live.counter++;
      other.step();
      read(optimizer);
      plain.groups.forEach(({ options }, g) =>
        equal(twin.paramGroups[g].lr, options.lr, `rate ${g} after ${n + 1} more steps`),
      );
    }
  } finally {
    params.arena.dispose();
  }
});
