// Invalid calls, which throw or do nothing and never change anything.
import fc from "fast-check";
import { expect } from "vitest";
import * as gradstep from "../../../src/index.js";
import { load, save } from "../../../src/checkpoint/index.js";
import * as schedule from "../../../src/schedule/index.js";
import { common, withRequired } from "../../support/bad.js";
import { type Options, make, rows } from "../../rules/table.js";
import { type AnyStep, type LiveDict, type LiveOptimizer, type LiveSAM, type World, pick } from "../world.js";
import { command, which } from "./command.js";
import { junk } from "./junk.js";

export const dead = command(2, which, (world, at) => {
  const use = pick(world.graveyard, at);
  if (use) world.call(use, { refusal: /: used after dispose\(\)/ });
});

/** Options that the rule's row, or every rule, must refuse: of tensors that nobody owns. */
export const badOptions = command(
  2,
  fc.record({ at: which, row: fc.nat(rows.length - 1), bad: fc.nat(99) }),
  (world, given) => {
    const dict = world.dicts.find(({ tensors }) => tensors.length > 0 && !tensors.some(({ owner }) => owner));
    const row = rows[given.row];
    const [options, error, message] = pick(
      [...row.bad, ...common.filter(([o]) => !(o as Options | null)?.groups)],
      given.bad,
    )!;
    if (!dict) return;
    let thrown: unknown;
    const construct = (): void => {
      try {
        make(row.rule, dict.real, withRequired(row, options) as Options);
      } catch (caught) {
        thrown = caught;
        throw caught;
      }
    };
    world.call(construct, { refusal: message });
    expect(thrown).toBeInstanceOf(error);
  },
);

type Use = (world: World, value: never, at: number) => (() => unknown) | undefined;
const any = /./;
const onDict =
  (use: (dict: LiveDict, value: never) => unknown): Use =>
  (world, value, at) => {
    const dict = pick(world.dicts, at);
    return dict && (() => use(dict, value));
  };
const onOptimizer =
  (use: (optimizer: LiveOptimizer, value: never, at: number) => unknown): Use =>
  (world, value, at) => {
    const optimizer = pick(world.optimizers, at);
    return optimizer && (() => use(optimizer, value, at));
  };
const onSAM =
  (use: (sam: LiveSAM, value: never) => unknown): Use =>
  (world, value, at) => {
    const sam = pick(world.sams, at);
    return sam && (() => use(sam, value));
  };
const name = ({ tensors }: LiveDict): string => tensors.at(0)?.name ?? "none";

/** Uses that change nothing even where they are accepted; what is made is ended at once. */
const harmless: Use[] = [
  (world, value) => () => new gradstep.ParameterDict(value, { arena: world.arena }),
  (world, value) => () => new gradstep.ParameterDict({ x: value }, { arena: world.arena }),
  (world, value) => () => new gradstep.ParameterDict({ x: [value] }, { arena: world.arena }),
  (world, value) => () => gradstep.ParameterDict.from(value, { arena: world.arena }),
  (world, value) => () => gradstep.ParameterDict.from({ x: value }, { arena: world.arena }),
  (world, value) => () => gradstep.ParameterDict.from({ x: { shape: [3], data: value } }, { arena: world.arena }),
  (_, value) => () => new gradstep.ParameterDict({}, value),
  (_, value) => () => new gradstep.ParameterDict({}, { capacity: value }),
  (_, value) => () => new gradstep.ParameterDict({}, { arena: value }),
  (_, value) => () => new gradstep.ParameterDict({}, { module: value, capacity: 1 }),
  (_, value) => () => new gradstep.Arena(value),
  (_, value) => () => new gradstep.Arena({ capacity: value }),
  onDict(({ real }, value) => real.subset(value)),
  onDict(({ real }, value) => real.subset([value])),
  onDict((dict, value) => dict.real.assign({ [name(dict)]: dict.tensors.length > 0 ? [value] : [], none: value })),
  onDict(({ real }, value) => real.assign(Object.fromEntries([["none", value]]))),
  onDict(({ real }, value) => new gradstep.WeightEma(real, value)),
  onDict(({ real }, value) => new gradstep.WeightEma(real, { decay: value })),
  onDict(({ real }, value) => new gradstep.WeightAverage(real, value)),
  (_, value) => () => new gradstep.WeightEma(value),
  (_, value) => () => new gradstep.Lookahead(value),
  onOptimizer(({ real }, value) => new gradstep.Lookahead(real, value)),
  onOptimizer(({ real }, value) => new gradstep.Lookahead(real, { k: value })),
  onOptimizer(({ real }, value) => new gradstep.Lookahead(real, { alpha: value })),
  (_, value) => () => new gradstep.SAM(value),
  onOptimizer(({ real }, value) => new gradstep.SAM(real, value)),
  onOptimizer(({ real }, value) => new gradstep.SAM(real, { rho: value })),
  onOptimizer(({ real }, value) => new gradstep.SAM(real, { adaptive: value })),
  (_, value) => () => gradstep.centralizeGradients(value),
  (_, value) => () => gradstep.gradNorm(value),
  onDict(({ real }, value) => gradstep.gradNorm(real, value)),
  onDict(({ real }, value) => gradstep.gradNorm(real, { normType: value })),
  (_, value) => () => new gradstep.AdamW(value),
  (_, value, at) => () => new schedule.StepLR(value, { stepSize: at }),
  onOptimizer(({ real }, value) => real.state(value)),
  onDict(({ real }, value) => save(real, value)),
  onDict(({ real }, value) => save(real, { extra: value })),
  onDict(({ real }, value) => save(real, { extra: { x: value } })),
  onDict(({ real }, value) => save(real, { metadata: value })),
  onDict(({ real }, value) => save(real, { metadata: { x: value } })),
  onDict(({ real }, value) => save(real, { optimizers: value })),
  onDict(({ real }, value) => save(real, { optimizers: [value] })),
  (_, value) => () => save(value),
  ...[
    "lr",
    "betas",
    "eps",
    "groups",
    "dialect",
    "nonFinite",
    "stateFormat",
    "weightDecay",
    "maximize",
    "unheardOf",
  ].map((option): Use => (world, value, at) => {
    const dict = world.dicts.find(({ tensors }) => !tensors.some(({ owner }) => owner));
    return dict && (() => make(rows[at % rows.length].rule, dict.real, { [option]: value }));
  }),
];

const isNumber = (x: unknown): boolean => typeof x === "number";
const isEmpty = (x: unknown): boolean => typeof x === "object" && x !== null && Object.keys(x).length === 0;
const schedules = [
  (o: AnyStep, value: never) => new schedule.StepLR(o, { stepSize: value }),
  (o: AnyStep, value: never) => new schedule.MultiStepLR(o, { milestones: [value] }),
  (o: AnyStep, value: never) => new schedule.OneCycleLR(o, value),
  (o: AnyStep, value: never) => new schedule.CosineAnnealingLR(o, { tMax: value }),
  (o: AnyStep, value: never) => new schedule.SequentialLR(o, { schedulers: value, milestones: [] }),
  (o: AnyStep, value: never) => new schedule.ChainedScheduler(o, { schedulers: [value] }),
];

/** Uses that must throw, of all values but those that are right there. */
const refused: [use: Use, isRight: (value: unknown) => boolean][] = [
  [onOptimizer(({ real }, value) => real.step(value)), (x) => x === undefined || isEmpty(x)],
  [onOptimizer(({ real }, value) => real.step({ gradScale: value })), (x) => isNumber(x) || x === undefined],
  [onOptimizer(({ real }, value) => real.step({ clipNorm: value })), (x) => isNumber(x) || x === undefined],
  [onOptimizer(({ real }, value) => real.step({ zeroGrad: value })), (x) => x === true || x === undefined],
  [
    onOptimizer(({ real }, value) => real.step({ skip: value })),
    (x) => x === undefined || (Array.isArray(x) && x.length === 0),
  ],
  [onOptimizer(({ real }, value) => real.step({ skip: [value] })), () => false],
  [onOptimizer(({ real }, value) => real.step({ rows: value })), (x) => x === undefined || isEmpty(x)],
  [onOptimizer(({ real }, value) => real.step({ rows: { none: value } })), () => false],
  [
    onOptimizer(({ real, plain }, value) =>
      real.step({ rows: { [plain.members.at(0)?.tensor.name ?? "none"]: value } }),
    ),
    (x) => isNumber(x) || Array.isArray(x) || ArrayBuffer.isView(x),
  ],
  [onOptimizer(({ real }, value) => real.step({ average: value })), (x) => x === undefined],
  [onOptimizer(({ real }, value) => real.step({ unheardOf: value } as never)), () => false],
  [
    (world, value, at) => {
      const lookahead = pick(world.lookaheads, at);
      if (!lookahead || lookahead.slow.size < lookahead.optimizer.plain.members.length) return undefined; // new tensors take memory and give it back
      return () => lookahead.real.step({ gradScale: value });
    },
    (x) => isNumber(x) || x === undefined,
  ],
  [onSAM(({ real }, value) => real.firstStep(value)), (x) => x === undefined || isEmpty(x)],
  [onSAM(({ real }, value) => real.firstStep({ gradScale: value })), (x) => isNumber(x) || x === undefined],
  [onSAM(({ real }, value) => real.firstStep({ clipNorm: value } as never)), () => false],
  [onSAM(({ real }, value) => real.secondStep({ skip: [value] })), () => false],
  [onSAM(({ real }, value) => real.step(value)), (x) => typeof x === "function"],
  [onSAM(({ real }, value) => real.loadStateDict(value)), () => false],
  [onOptimizer(({ real }, value) => real.addParamGroup(value)), () => false],
  [onOptimizer(({ real }, value) => real.addParamGroup({ params: value })), () => false],
  [onOptimizer(({ real }, value) => real.loadStateDict(value)), () => false],
  [onOptimizer(({ real }, value) => real.loadStateDict({ ...real.stateDict(), groups: value })), () => false],
  [onOptimizer(({ real }, value) => real.loadStateDict({ ...real.stateDict(), rule: value })), () => false],
  [onOptimizer(({ real }, value) => real.loadStateDict({ ...real.stateDict(), state: value })), isEmpty],
  ...["lr", "weightDecay", "betas", "eps", "maximize", "params", "dialect", "unheardOf"].map(
    (option): [Use, (value: unknown) => boolean] => [
      onOptimizer(({ real }, value, at) => ((pick(real.paramGroups, at) as unknown as Options)[option] = value)),
      (x) => (isNumber(x) && (x as number) >= 0) || x === true,
    ],
  ),
  [onOptimizer(({ real }) => delete (real.paramGroups[0] as Options).lr), () => false],
  [onOptimizer(({ real }) => Object.defineProperty(real.paramGroups[0], "lr", { value: 1 })), () => false],
  [onDict(({ real }, value) => real.assign(value)), isEmpty],
  [onDict((dict, value) => gradstep.clipGradNorm(dict.real, value)), (x) => isNumber(x)],
  [onDict((dict, value) => gradstep.clipGradNorm(dict.real, 1, value)), (x) => x === undefined || isEmpty(x)],
  [onDict((dict, value) => gradstep.clipGradValue(dict.real, value)), (x) => isNumber(x)],
  [onDict((dict, value) => gradstep.clipGradAdaptive(dict.real, value)), (x) => isNumber(x)],
  [onDict(({ real }, value) => load(value, real)), () => false],
  [onDict(({ real }, value) => load(save(real).subarray(0, 40), real, value)), () => false],
  [
    onDict(({ real }, value) => load(save(real), real, { optimizers: value })),
    (x) => x === undefined || (Array.isArray(x) && x.length === 0),
  ],
  ...schedules.map((construct): [Use, (value: unknown) => boolean] => [
    onOptimizer(({ real }, value) => construct(real, value)),
    (x) => isNumber(x) || Array.isArray(x),
  ]),
];

export const useJunk = command(
  4,
  fc.record({ use: fc.nat(harmless.length + refused.length - 1), value: fc.nat(junk.length - 1), at: which }),
  (world, { use, value, at }) => {
    const given = junk[value] as never;
    const [act, isRight] = use < harmless.length ? [harmless[use]] : refused[use - harmless.length];
    if (isRight?.(given)) return;
    const call = act(world, given, at);
    if (!call) return;
    const used = world.arena.used;
    const charge = { bytes: 0 };
    const made = world.call(call, isRight ? { refusal: any } : { perhaps: any, to: charge });
    const end = made?.value as { dispose?: () => void } | undefined;
    end?.dispose?.();
    expect(world.arena.used).toBe(used);
  },
);

/** What states of 0.1 lack, so that it may be missing. */
const LATER = ["initialLr", "debias", "clipExponent", "nsCoefficients", "maximize", "rates", "cautious"];

/** A saved state with other numbers that are right, so that any of them that is written shows. */
function changed(value: unknown, key = ""): unknown {
  if (value instanceof Float32Array) return value.fill(7);
  if (typeof value === "number") {
    if (["lr", "weightDecay", "decay", "alpha"].includes(key)) return value / 2;
    return ["step", "steps", "updates", "counter"].includes(key) ? value + 1 : value;
  }
  if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, changed(inner, name)]));
  return Array.isArray(value) ? value.map((inner) => changed(inner)) : value;
}

/** A saved state of which one part is missing or wrong. */
export const damage = command(
  4,
  fc.record({ at: which, path: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }), value: fc.nat(3) }),
  (world, { at, path, value }) => {
    const kinds: { stateDict: () => unknown; loadStateDict: (saved: never) => void }[] = [];
    const all: { real: (typeof kinds)[number] }[] = [
      ...world.optimizers,
      ...world.searches,
      ...world.averages,
      ...world.schedules,
      ...world.sams.filter(({ optimizer, lookahead }) => !lookahead && world.optimizers.includes(optimizer)),
    ];
    kinds.push(...all.map(({ real }) => real));
    const target = pick(kinds, at);
    if (!target || world.averages.some(({ kept }) => kept) || world.sams.some(({ climbed }) => climbed)) return; // nothing is saved then
    const saved = changed(structuredClone(target.stateDict())) as object;
    let inside = saved as Record<string, unknown>;
    for (const n of path) {
      const key = pick(Object.keys(inside), n);
      if (key === undefined) return;
      const next = inside[key];
      if (typeof next === "object" && next !== null && !ArrayBuffer.isView(next) && n !== path.at(-1)) {
        inside = next as Record<string, unknown>;
        continue;
      }
      if (LATER.includes(key)) return;
      inside[key] = [undefined, "x", new Map(), 10n][value];
      world.call(() => target.loadStateDict(saved as never), { refusal: any });
      return;
    }
  },
);
