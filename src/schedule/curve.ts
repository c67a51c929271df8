/** The learning rate as a function of e, the number of calls of `step()`: the same bits for the same e. */
export interface Curve {
  /** The rate of group g at e, by a closed form from the group's base rate. */
  rate(base: number, e: number, g: number): number;
  /** What a chain's rate `lr` becomes when it comes to e. */
  chain(lr: number, base: number, e: number, g: number): number;
  /** rate/base, of a curve that does nothing but scale. */
  readonly factor?: (e: number) => number;
  /** The momentum of group g at e, where it is cycled too. */
  readonly momentum?: (e: number, g: number) => number | undefined;
}

/** A curve that scales the base rate: in a chain, what is there by how much the factor has changed. */
export const scaling = (factor: (e: number) => number): Curve => ({
  rate: (base, e) => base * factor(e),
  chain(lr, _, e) {
    if (e === 0) return lr * factor(0);
    const [before, now] = [factor(e - 1), factor(e)];
    return now === before ? lr : lr * (now / before);
  },
  factor,
});

/** A curve that sets the rate, whatever a chain had come to, as PyTorch's does. */
export const setting = (rate: Curve["rate"], momentum?: Curve["momentum"]): Curve => ({
  rate,
  chain: (_, base, e, g) => rate(base, e, g),
  ...(momentum && { momentum }),
});
