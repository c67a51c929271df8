// Plain loops, one Math.fround an operation, written from the headers in assembly/rules: what a kernel must equal to the
// bit. Coefficients are computed in float64 and rounded once. Here: what all of them share.

export const f = Math.fround;

/** Options with every default filled in; which of them a rule has is its own affair. */
export interface Settled {
  lr: number;
  weightDecay: number;
  maximize: boolean;
  dialect: "torch" | "keras" | "optax";
  betas: [number, number];
  eps: number;
  amsgrad: boolean;
  momentum: number;
  dampening: number;
  nesterov: boolean;
  momentumForm: "torch" | "ema";
  biasCorrection: boolean;
  lrDecay: number;
  initialAccumulatorValue: number;
  rho: number;
  alpha: number;
  centered: boolean;
  momentumDecay: number;
  decoupledWeightDecay: boolean;
}

/** One tensor: values, gradient, slots by their public names, numbers by theirs. */
export interface Plain {
  p: Float32Array;
  g: Float32Array;
  slots: Record<string, Float32Array>;
  scalars: Record<string, number>;
}

export type Update = (tensor: Plain, o: Settled, t: number, gradScale: number) => void;

export const power = (b: number, n: number): number => {
  let result = 1;
  for (; n > 0; n = Math.floor(n / 2), b *= b) if (n % 2 === 1) result *= b;
  return result;
};
export const ema = (b: number, x: number, a: number, y: number): number => f(f(b * x) + f(a * y));
export const root = (x: number): number => f(Math.sqrt(x));

/** What all rules share: x = gs·g (+ wd·θ) before the rule, θ − u or θ − (dec·θ + u) after it. */
export function sweep(
  { p, g }: Plain,
  o: Settled,
  gradScale: number,
  decoupled: boolean,
  rule: (x: number, i: number) => number,
): void {
  const gs = f(o.maximize ? -gradScale : gradScale);
  const decouple = decoupled || o.dialect === "keras";
  const wd = decouple ? 0 : f(o.weightDecay);
  const dec = decouple ? f(o.lr * o.weightDecay) : 0;
  for (let i = 0; i < p.length; i++) {
    const scaled = f(gs * g[i]);
    const u = rule(wd === 0 ? scaled : f(scaled + f(wd * p[i])), i);
    p[i] = f(p[i] - (dec === 0 ? u : f(f(dec * p[i]) + u)));
  }
}
