// Learning rates as functions of e, the number of calls of `step()`.

/** A learning rate as a function of e: the same bits for the same e. */
export interface Curve {
  /** The rate of group g at e by the closed form, or counted up from e = 0 where there is none. */
  rate(base: number, e: number, g: number): number;
  /** PyTorch's recursive form: the rate at e when the present rate, whoever set it, is `lr`. */
  chain(lr: number, base: number, e: number, g: number): number;
  /** The rate at e >= 1: by the closed form if `lr` is the curve's own rate at e − 1, else by the recursive one. */
  next(lr: number, base: number, e: number, g: number): number;
  /** The first rate in a sequence, where the schedule before ended at `lr`. */
  enter(lr: number, base: number, g: number): number;
  /** Whether it starts from the present rate in a sequence, not from the base rate. */
  readonly continues?: true;
  /** Whether a new schedule ignores the present rate. */
  readonly absolute?: true;
  /** The last position up to e where the recursive form ignores `lr`. Default 0. */
  readonly replayFrom?: (e: number, g: number) => number;
  /** The factor of the base rate, if the curve only scales. */
  readonly scale?: Scale;
  /** Throws for a position past the end, if there is one. */
  readonly check?: (e: number) => void;
  /** The momentum of group g at e, if the schedule cycles it. */
  readonly momentum?: (e: number, g: number) => number | undefined;
}

interface Scale {
  readonly factor: (e: number) => number;
  /** factor(e)/factor(e − 1), also where both are 0 or out of range. */
  readonly ratio: (e: number) => number;
}

type Form = Pick<Curve, "rate" | "chain"> & Partial<Curve>;

/** A curve with a closed form. */
export const closed = (form: Form): Curve => ({
  next: (lr, base, e, g) => (lr === form.rate(base, e - 1, g) ? form.rate(base, e, g) : form.chain(lr, base, e, g)),
  enter: (_, base, g) => form.rate(base, 0, g),
  ...form,
});

/** A curve with a recursive form only. */
export const recursive = (form: Form): Curve =>
  closed({ next: (lr, base, e, g) => form.chain(lr, base, e, g), ...form });

/** A curve that scales the base rate. */
export const scaling = ({ factor, ratio }: Scale): Curve =>
  closed({
    rate: (base, e) => base * factor(e),
    chain(lr, base, e) {
      const change = e === 0 ? factor(0) : ratio(e);
      // After a factor of 0 the ratio is not finite: a rate of 0 starts again from the base rate, one set by hand stays.
      if (!(change < Infinity)) return lr === 0 ? base * factor(e) : lr;
      return lr * change;
    },
    scale: { factor, ratio },
  });

/** A curve that ignores the present rate, as in PyTorch. */
export const absolute = (rate: Curve["rate"], momentum?: Curve["momentum"]): Curve => {
  const chain: Curve["chain"] = (_, base, e, g) => rate(base, e, g);
  return recursive({ rate, chain, absolute: true, replayFrom: (e) => e, ...(momentum && { momentum }) });
};

/** The curve for the first `count` groups; those added later keep their own rates. */
export function limited(curve: Curve, count: number): Curve {
  if (count === Infinity) return curve;
  const { replayFrom } = curve;
  return {
    ...curve,
    rate: (base, e, g) => (g < count ? curve.rate(base, e, g) : base),
    chain: (lr, base, e, g) => (g < count ? curve.chain(lr, base, e, g) : lr),
    next: (lr, base, e, g) => (g < count ? curve.next(lr, base, e, g) : lr),
    enter: (lr, base, g) => (g < count ? curve.enter(lr, base, g) : lr),
    ...(replayFrom && { replayFrom: (e, g) => (g < count ? replayFrom(e, g) : 0) }),
  };
}
