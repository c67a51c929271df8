// Compares schedules side by side, in chains and in sequences, with rates set by hand, plateaus and resumes in between,
// with PyTorch's recursive forms.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ParameterDict, SGD } from "../../src/index.js";
import * as schedules from "../../src/schedule/index.js";
import { runs } from "../fuzz/runs.js";
import { type PlainGroup, type Spec, plainSchedule } from "../support/reference/schedules.js";

interface Schedule {
  readonly lastLr: number[];
  step(): void;
  stateDict(): object;
  loadStateDict(saved: object): void;
}
type Make = new (optimizer: SGD, options: object) => Schedule;

function build(optimizer: SGD, { kind, options, schedulers, milestones }: Spec): Schedule {
  const inner = schedulers?.map((spec) => build(optimizer, spec));
  const given = { ...options, ...(inner && { schedulers: inner }), ...(milestones && { milestones }) };
  return new (schedules as unknown as Record<string, Make>)[kind](optimizer, given);
}

const optimizerOf = (lrs: readonly number[]): SGD => {
  const [lr, ...rest] = lrs;
  const groups = rest.map((own, g) => ({ params: [`p${g + 1}`], lr: own }));
  return new SGD(new ParameterDict(Object.fromEntries(lrs.map((_, g) => [`p${g}`, [1]]))), {
    lr,
    momentum: 0.9,
    groups,
  });
};

const close = (lr: number, wanted: number): boolean => Math.abs(lr - wanted) <= 1e-9 * wanted + 1e-13;

const leaves: readonly Spec[] = [
  { kind: "StepLR", options: { stepSize: 3, gamma: 0.5 } },
  { kind: "MultiStepLR", options: { milestones: [0, 2, 5, 5], gamma: 0.5 } },
  { kind: "ConstantLR", options: { factor: 0.25, totalIters: 4 } },
  { kind: "LinearLR", options: { startFactor: 0.2, endFactor: 0.8, totalIters: 4 } },
  { kind: "ExponentialLR", options: { gamma: 0.9 } },
  { kind: "PolynomialLR", options: { totalIters: 9, power: 1.5 } },
  { kind: "CosineAnnealingLR", options: { tMax: 4, etaMin: 0.01 } },
  { kind: "CosineAnnealingWarmRestarts", options: { t0: 2, tMult: 2, etaMin: 0.001 } },
  { kind: "OneCycleLR", options: { maxLr: 0.4, totalSteps: 90, cycleMomentum: false } },
  { kind: "CyclicLR", options: { baseLr: 0.01, maxLr: 0.2, stepSizeUp: 3, cycleMomentum: false } },
  { kind: "LambdaLR", options: { lrLambda: (e: number) => 1 / (1 + e) } },
  { kind: "MultiplicativeLR", options: { lrLambda: (e: number) => 1 - 1 / (3 + e) } },
  { kind: "SWALR", options: { swaLr: 0.05, annealEpochs: 4 } },
];

const ways: Readonly<Record<string, (specs: readonly Spec[]) => readonly Spec[]>> = {
  "side by side": (specs) => specs,
  "in a chain": (schedulers) => [{ kind: "ChainedScheduler", schedulers }],
  "in a sequence": (schedulers) => [
    { kind: "SequentialLR", schedulers, milestones: schedulers.slice(1).map((_, i) => 4 + 5 * i) },
  ],
};

describe.each(Object.keys(ways))("%s", (way) => {
  test.each(leaves)("$kind with every one and every two others: PyTorch's rates", (first) => {
    const others = [...leaves.map((leaf) => [leaf]), ...leaves.flatMap((a) => leaves.map((b) => [a, b]))];
    const optimizer = optimizerOf([0.1]);
    for (const rest of others) {
      const specs = ways[way]([first, ...rest]);
      const group: PlainGroup = { lr: 0.1 };
      Object.assign(optimizer.paramGroups[0], group, { initialLr: undefined }); // as in a new optimizer
      const [real, plain] = [specs.map((s) => build(optimizer, s)), specs.map((s) => plainSchedule([group], s))];
      for (let e = 0; e < 12; e++) {
        if (!close(optimizer.paramGroups[0].lr, group.lr))
          expect([rest.map(({ kind }) => kind), e, optimizer.paramGroups[0].lr]).toEqual([way, e, group.lr]);
        if (e === 7) optimizer.paramGroups[0].lr = group.lr = 0.03; // set by hand
        real.forEach((schedule, i) => {
          schedule.step();
          plain[i].step();
        });
      }
    }
  });
});

const leaf: fc.Arbitrary<Spec> = fc.oneof(
  fc.constantFrom(...leaves),
  fc.record({ stepSize: fc.integer({ min: 1, max: 6 }), gamma: fc.constantFrom(0, 0.1, 1.1) }).map(of("StepLR")),
  fc.record({ factor: fc.constantFrom(0.1, 1), totalIters: fc.integer({ min: 1, max: 9 }) }).map(of("ConstantLR")),
  fc
    .record({
      startFactor: fc.constantFrom(0.1, 0.5, 1),
      endFactor: fc.constantFrom(0, 0.3, 1),
      totalIters: fc.integer({ min: 1, max: 9 }),
    })
    .map(of("LinearLR")),
  fc.record({ tMax: fc.integer({ min: 1, max: 9 }), etaMin: fc.constantFrom(0, 0.02) }).map(of("CosineAnnealingLR")),
  fc.record({ totalIters: fc.integer({ min: 1, max: 20 }), power: fc.constantFrom(0, 0.5, 2) }).map(of("PolynomialLR")),
);
function of(kind: string): (options: Record<string, unknown>) => Spec {
  return (options) => ({ kind, options });
}
const few = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 });
const { spec } = fc.letrec<{ spec: Spec }>((tie) => ({
  spec: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    few(tie("spec")).map((schedulers): Spec => ({ kind: "ChainedScheduler", schedulers })),
    fc
      .tuple(few(tie("spec")), fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 2 }))
      .map(([schedulers, at]): Spec => {
        const milestones = at.sort((a, b) => a - b).slice(0, schedulers.length - 1);
        return { kind: "SequentialLR", schedulers, milestones };
      }),
  ),
}));
const action = fc.oneof(
  { weight: 12, arbitrary: fc.record({ what: fc.constant("step" as const), which: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("set" as const), lr: fc.constantFrom(0, 0.003, 0.3) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("metric" as const), metric: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("resume" as const) }) },
);

test("random schedules with other changes of the rate: PyTorch's rates, and the same bits after a resume", () => {
  fc.assert(
    fc.property(
      few(spec),
      fc.array(action, { maxLength: 40 }),
      fc.subarray([0.1, 0.5], { minLength: 1 }),
      (specs, actions, lrs) => {
        const groups: PlainGroup[] = lrs.map((lr) => ({ lr }));
        const plain = specs.map((item) => plainSchedule(groups, item));
        let best = Infinity;
        const make = () => {
          const optimizer = optimizerOf(lrs);
          const real = specs.map((item) => build(optimizer, item));
          return {
            optimizer,
            real,
            plateau: new schedules.ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.5, eps: 0 }),
          };
        };
        const world = make();
        let twin = make();
        const both = (move: (w: typeof world) => void) => [world, twin].forEach(move);
        for (const act of actions) {
          if (act.what === "step") {
            const i = act.which % specs.length;
            plain[i].step();
            both(({ real }) => real[i].step());
          } else if (act.what === "set") {
            groups[0].lr = act.lr;
            both(({ optimizer }) => (optimizer.paramGroups[0].lr = act.lr));
          } else if (act.what === "metric") {
            if (act.metric < best * (1 - 1e-4)) best = act.metric;
            else for (const group of groups) group.lr /= 2;
            both(({ plateau }) => plateau.step(act.metric));
          } else {
            const { optimizer, real, plateau } = twin;
            twin = make();
            twin.optimizer.loadStateDict(optimizer.stateDict());
            const through = (state: object): never => JSON.parse(JSON.stringify(state)) as never;
            twin.plateau.loadStateDict(through(plateau.stateDict()));
            twin.real.forEach((schedule, i) => schedule.loadStateDict(through(real[i].stateDict())));
          }
          const rates = world.optimizer.paramGroups.map(({ lr }) => lr);
          expect(twin.optimizer.paramGroups.map(({ lr }) => lr)).toEqual(rates);
          const wanted = groups.map(({ lr }) => lr);
          if (!rates.every((lr, g) => close(lr, wanted[g]))) expect(rates).toEqual(wanted);
        }
      },
    ),
    runs(200),
  );
});
