// PyTorch's schedulers in its recursive form, in which each step() starts from the current rate, with the differences that
// docs/schedules.md lists: base rates are never overwritten, and no rate is below 0.

export interface PlainGroup {
  lr: number;
  initialLr?: number;
}

/** A schedule: its options, or the schedules that it consists of. */
export interface Spec {
  readonly kind: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly schedulers?: readonly Spec[];
  readonly milestones?: readonly number[];
}

/** The rate when the schedule is made, at e >= 1, and when a sequence switches to it. */
interface Form {
  start(lr: number, base: number): number;
  step(lr: number, base: number, e: number): number;
  begin?(lr: number, base: number): number;
}

/** Options of all schedules. */
interface Options extends Readonly<
  Record<
    | "stepSize"
    | "gamma"
    | "factor"
    | "totalIters"
    | "startFactor"
    | "endFactor"
    | "power"
    | "tMax"
    | "etaMin"
    | "t0"
    | "tMult"
    | "maxLr"
    | "totalSteps"
    | "baseLr"
    | "stepSizeUp"
    | "swaLr"
    | "annealEpochs",
    number
  >
> {
  readonly milestones: readonly number[];
  readonly lrLambda: (e: number) => number;
}
const half = (e: number, period: number): number => (1 + Math.cos((Math.PI * e) / period)) / 2;
const keep = (lr: number): number => lr;
const outright = (rate: (base: number, e: number) => number): Form => ({
  start: (_, base) => rate(base, 0),
  step: (_, base, e) => rate(base, e),
});

const forms: Readonly<Record<string, (options: Options) => Form>> = {
  StepLR: ({ stepSize, gamma }) => ({ start: keep, step: (lr, _, e) => (e % stepSize === 0 ? lr * gamma : lr) }),
  MultiStepLR: ({ milestones, gamma }) => {
    const falls = (e: number): number => milestones.filter((m) => m === e).length;
    return { start: (lr) => lr * gamma ** falls(0), step: (lr, _, e) => lr * gamma ** falls(e) };
  },
  ConstantLR: ({ factor, totalIters }) => ({
    start: (lr) => lr * factor,
    step: (lr, _, e) => (e === totalIters ? lr / factor : lr),
  }),
  LinearLR: ({ startFactor, endFactor, totalIters }) => ({
    start: (lr) => lr * startFactor,
    step(lr, _, e) {
      const change = endFactor - startFactor;
      return e > totalIters ? lr : lr * (1 + change / (totalIters * startFactor + (e - 1) * change));
    },
  }),
  ExponentialLR: ({ gamma }) => ({ start: keep, step: (lr) => lr * gamma }),
  PolynomialLR: ({ totalIters, power }) => ({
    start: keep,
    step: (lr, _, e) => (e > totalIters ? lr : lr * ((1 - e / totalIters) / (1 - (e - 1) / totalIters)) ** power),
  }),
  CosineAnnealingLR: ({ tMax, etaMin }) => ({
    start: keep,
    step(lr, base, e) {
      if ((e - 1 - tMax) % (2 * tMax) === 0) return lr + (base - etaMin) * (1 - half(1, tMax));
      return (half(e, tMax) / half(e - 1, tMax)) * (lr - etaMin) + etaMin;
    },
    begin: (_, base) => base,
  }),
  CosineAnnealingWarmRestarts: ({ t0, tMult, etaMin }) =>
    outright((base, e) => {
      let period = t0;
      for (; e >= period; period *= tMult) e -= period;
      return etaMin + (base - etaMin) * half(e, period);
    }),
  OneCycleLR: ({ maxLr, totalSteps }) =>
    outright((_, e) => {
      const [top, end, first] = [0.3 * totalSteps - 1, totalSteps - 1, maxLr / 25];
      const along = (from: number, to: number, part: number): number => to + (from - to) * half(part, 1);
      return e <= top ? along(first, maxLr, e / top) : along(maxLr, first / 1e4, (e - top) / (end - top));
    }),
  CyclicLR: ({ baseLr, maxLr, stepSizeUp }) =>
    outright((_, e) => baseLr + (maxLr - baseLr) * (1 - Math.abs((e % (2 * stepSizeUp)) / stepSizeUp - 1))),
  LambdaLR: ({ lrLambda }) => outright((base, e) => base * lrLambda(e)),
  MultiplicativeLR: ({ lrLambda }) => ({
    start: keep,
    step: (lr, _, e) => lr * lrLambda(e),
    begin: (lr) => lr * lrLambda(0),
  }),
  SWALR: ({ swaLr, annealEpochs }) => ({
    start: keep,
    step(lr, _, e) {
      const alpha = (t: number): number => 1 - half(Math.min(1, t / annealEpochs), 1);
      const before = alpha(e - 1);
      const from = before === 1 ? swaLr : (lr - before * swaLr) / (1 - before);
      return swaLr * alpha(e) + from * (1 - alpha(e));
    },
    begin: keep,
  }),
};

export interface PlainSchedule {
  step(): void;
  /** Restarts at e = 0, as the first of a sequence or when a sequence switches to it. */
  restart(later: boolean): void;
}

export function plainSchedule(groups: readonly PlainGroup[], spec: Spec): PlainSchedule {
  const whole = partOf(groups, spec);
  return {
    ...whole,
    step() {
      whole.step();
      for (const group of groups) group.lr = Math.max(0, group.lr);
    },
  };
}

function partOf(groups: readonly PlainGroup[], spec: Spec): PlainSchedule {
  const { kind, options, schedulers = [], milestones = [] } = spec;
  const inner = schedulers.map((item) => partOf(groups, item));
  const each = (move: (lr: number, base: number) => number): void => {
    for (const group of groups) group.lr = move(group.lr, (group.initialLr ??= group.lr));
  };
  let e = 0;
  if (kind === "ChainedScheduler")
    return {
      step() {
        for (const schedule of inner) schedule.step();
      },
      restart(later) {
        if (later) each((_, base) => base);
        for (const schedule of inner) schedule.restart(false);
      },
    };
  if (kind === "SequentialLR") {
    const restart = (): void => {
      e = 0;
      each((_, base) => base);
      inner[0].restart(false);
    };
    restart();
    return {
      step() {
        e++;
        const i = milestones.filter((m) => m <= e).length;
        if (milestones.includes(e)) inner[i].restart(true);
        else inner[i].step();
      },
      restart,
    };
  }
  const form = forms[kind](options as unknown as Options);
  each((lr, base) => form.start(lr, base));
  return {
    step() {
      e++;
      each((lr, base) => form.step(lr, base, e));
    },
    restart(later) {
      e = 0;
      each((lr, base) => (later ? (form.begin?.(lr, base) ?? form.start(base, base)) : form.start(lr, base)));
    },
  };
}
