// Every schedule, with options for each of its branches, for tests of all schedules.
import { type Optimizer, ParameterDict, SGD } from "../../src/index.js";
import {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  type LRScheduler,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  type PlateauState,
  PolynomialLR,
  ReduceLROnPlateau,
  type ScheduleState,
  SequentialLR,
  StepLR,
  SWALR,
} from "../../src/schedule/index.js";
import { random } from "../support/harness.js";

export interface AnySchedule {
  readonly lastLr: number[];
  step(metric?: number): void;
  stateDict(): ScheduleState | PlateauState;
  loadStateDict(saved: never): void;
}

export interface Row {
  readonly title: string;
  readonly make: (optimizer: Optimizer) => AnySchedule;
  /** Whether the rates are multiples of the base rates. */
  readonly scales?: boolean;
  /** Whether the rates are the schedule's own, whatever the base rates. */
  readonly own?: boolean;
}

const chain = (o: Optimizer, ...schedulers: LRScheduler[]) => new ChainedScheduler(o, { schedulers });

export const rows: readonly Row[] = [
  { title: "StepLR", make: (o) => new StepLR(o, { stepSize: 3, gamma: 0.7 }), scales: true },
  { title: "MultiStepLR", make: (o) => new MultiStepLR(o, { milestones: [9, 2, 9] }), scales: true },
  { title: "ConstantLR", make: (o) => new ConstantLR(o), scales: true },
  { title: "LinearLR", make: (o) => new LinearLR(o, { startFactor: 0.1, totalIters: 7 }), scales: true },
  { title: "ExponentialLR", make: (o) => new ExponentialLR(o, { gamma: 0.93 }), scales: true },
  { title: "PolynomialLR", make: (o) => new PolynomialLR(o, { totalIters: 30, power: 1.7 }), scales: true },
  { title: "CosineAnnealingLR", make: (o) => new CosineAnnealingLR(o, { tMax: 8, etaMin: 1e-3 }) },
  { title: "CosineAnnealingLR to 0", make: (o) => new CosineAnnealingLR(o, { tMax: 25 }), scales: true },
  { title: "CosineAnnealingWarmRestarts", make: (o) => new CosineAnnealingWarmRestarts(o, { t0: 3, tMult: 2 }) },
  { title: "OneCycleLR", make: (o) => new OneCycleLR(o, { maxLr: 0.4, totalSteps: 24 }), own: true },
  {
    title: "OneCycleLR, three phases",
    make: (o) =>
      new OneCycleLR(o, { maxLr: [0.4, 2], epochs: 3, stepsPerEpoch: 8, threePhase: true, annealStrategy: "linear" }),
    own: true,
  },
  { title: "CyclicLR", make: (o) => new CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 4 }), own: true },
  {
    title: "CyclicLR, exp_range",
    make: (o) =>
      new CyclicLR(o, {
        baseLr: [0.01, 0.02],
        maxLr: 1,
        stepSizeUp: 3,
        stepSizeDown: 5,
        mode: "exp_range",
        gamma: 0.9,
      }),
    own: true,
  },
  {
    title: "CyclicLR, triangular2",
    make: (o) => new CyclicLR(o, { baseLr: 0, maxLr: 1, stepSizeUp: 2, mode: "triangular2", cycleMomentum: false }),
    own: true,
  },
  { title: "LambdaLR", make: (o) => new LambdaLR(o, { lrLambda: (e) => 1 / (1 + 0.1 * e) }), scales: true },
  { title: "LambdaLR by group", make: (o) => new LambdaLR(o, { lrLambda: [(e) => 1 / (1 + e), () => 1] }) },
  {
    title: "MultiplicativeLR",
    make: (o) => new MultiplicativeLR(o, { lrLambda: (e) => 1 - 1 / (9 + e) }),
    scales: true,
  },
  { title: "SWALR", make: (o) => new SWALR(o, { swaLr: 0.05, annealEpochs: 7 }) },
  { title: "SWALR by group", make: (o) => new SWALR(o, { swaLr: [0.05, 0.5], annealStrategy: "linear" }) },
  {
    title: "a sequence that goes on",
    make(o) {
      const schedulers = [
        new LinearLR(o),
        new MultiplicativeLR(o, { lrLambda: () => 0.9 }),
        new SWALR(o, { swaLr: 0.1, annealEpochs: 4 }),
      ];
      return new SequentialLR(o, { schedulers, milestones: [3, 9] });
    },
  },
  {
    title: "SequentialLR",
    make: (o) => {
      const schedulers = [
        new LinearLR(o),
        new CosineAnnealingLR(o, { tMax: 9, etaMin: 1e-4 }),
        new StepLR(o, { stepSize: 2 }),
      ];
      return new SequentialLR(o, { schedulers, milestones: [5, 14] });
    },
  },
  {
    title: "ChainedScheduler",
    make: (o) => chain(o, new ConstantLR(o, { factor: 0.5 }), new ExponentialLR(o, { gamma: 0.9 })),
    scales: true,
  },
  {
    title: "ChainedScheduler with a cosine",
    make: (o) => chain(o, new LinearLR(o), new CosineAnnealingLR(o, { tMax: 10, etaMin: 1e-3 })),
  },
  {
    title: "a chain in a sequence in a chain",
    make: (o) => {
      const first = chain(o, new CosineAnnealingLR(o, { tMax: 4, etaMin: 0.01 }), new ConstantLR(o));
      const schedulers = [first, new OneCycleLR(o, { maxLr: 0.2, totalSteps: 40 })];
      return chain(o, new SequentialLR(o, { schedulers, milestones: [6] }), new StepLR(o, { stepSize: 8 }));
    },
  },
  { title: "ReduceLROnPlateau", make: (o) => new ReduceLROnPlateau(o, { patience: 1, factor: 0.5, cooldown: 1 }) },
  {
    title: "ReduceLROnPlateau, max",
    make: (o) =>
      new ReduceLROnPlateau(o, { mode: "max", thresholdMode: "abs", patience: 2, minLr: [0.02, 0.03], threshold: 0.1 }),
  },
];

export const STEPS = 24;
export const LRS = [0.1, 0.25] as const;

/** An optimizer of two groups with rates of their own. */
export const twoGroups = (): SGD =>
  new SGD(new ParameterDict({ a: [3], b: [5] }), {
    lr: LRS[0],
    momentum: 0.9,
    groups: [{ params: ["b"], lr: LRS[1] }],
  });

const next = random(7);
export const metrics = Array.from({ length: STEPS }, () => next());

/** One step: with a metric, where the schedule takes one. */
export const stepOf = (schedule: AnySchedule, metric: number): void => {
  if (schedule instanceof ReduceLROnPlateau) schedule.step(metric);
  else schedule.step();
};

/** The values that a schedule sets. */
export const inForce = (optimizer: SGD): number[] =>
  optimizer.paramGroups.flatMap(({ lr, momentum }) => [lr, momentum]);
