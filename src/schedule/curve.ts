/** The learning rate as a function of e, the number of calls of `step()`: the same bits for the same e. */
export interface Curve {
  /** The rate of group g at e, by a closed form from the group's base rate; where there is none, counted up from e = 0. */
  rate(base: number, e: number, g: number): number;
  /** PyTorch's recursive form: what the rate `lr` that is there, whoever set it, becomes when the schedule comes to e. */
  chain(lr: number, base: number, e: number, g: number): number;
  /** What `lr` becomes at e >= 1: by the closed form where `lr` is the curve's own rate at e − 1, else by the recursive one. */
  next(lr: number, base: number, e: number, g: number): number;
  /** What `lr` becomes where a sequence comes to the curve. */
  enter(lr: number, base: number, g: number): number;
  /** Whether a sequence that comes to the curve goes on from the rate that is there. */
  readonly continues?: true;
  /** Whether a new schedule sets the rate from the base rate, whatever it is then. */
  readonly outright?: true;
  /** The last position up to e whose rate does not depend on the rate before it; where there is none, 0. */
  readonly since?: (e: number, g: number) => number;
  /** What the base rate is multiplied by, of a curve that does nothing else. */
  readonly scale?: Scale;
  /** Throws for a position past the end, of a curve that has one. */
  readonly check?: (e: number) => void;
  /** The momentum of group g at e, where it is cycled too. */
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

/** A curve that is known by its recursive form alone. */
export const recursive = (form: Form): Curve =>
  closed({ next: (lr, base, e, g) => form.chain(lr, base, e, g), ...form });

/** A curve that scales the base rate. */
export const scaling = ({ factor, ratio }: Scale): Curve =>
  closed({
    rate: (base, e) => base * factor(e),
    chain(lr, base, e) {
      const change = e === 0 ? factor(0) : ratio(e);
      // A rate that was scaled to 0 comes back from the base rate; one that somebody set in its place stays.
      if (!(change < Infinity)) return lr === 0 ? base * factor(e) : lr;
      return lr * change;
    },
    scale: { factor, ratio },
  });

/** A curve that sets the rate, whatever it was, as PyTorch's does. */
export const setting = (rate: Curve["rate"], momentum?: Curve["momentum"]): Curve =>
  closed({
    rate,
    chain: (_, base, e, g) => rate(base, e, g),
    next: (_, base, e, g) => rate(base, e, g),
    outright: true,
    since: (e) => e,
    ...(momentum && { momentum }),
  });

/** The curve for the first `count` groups; those that were added later keep rates of their own. */
export function limited(curve: Curve, count: number): Curve {
  if (count === Infinity) return curve;
  const { since } = curve;
  return {
    ...curve,
    rate: (base, e, g) => (g < count ? curve.rate(base, e, g) : base),
    chain: (lr, base, e, g) => (g < count ? curve.chain(lr, base, e, g) : lr),
    next: (lr, base, e, g) => (g < count ? curve.next(lr, base, e, g) : lr),
    enter: (lr, base, g) => (g < count ? curve.enter(lr, base, g) : lr),
    ...(since && { since: (e, g) => (g < count ? since(e, g) : 0) }),
  };
}
