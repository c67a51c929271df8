// What the plain loops share. A loop has one Math.fround per operation and is written from the header in assembly/rules;
// kernels must equal it bit for bit. Coefficients are computed in float64 and rounded once.

export const f = Math.fround;

/** Options of all rules, with defaults filled in. */
export interface Settled {
  lr: number;
  weightDecay: number;
  maximize: boolean;
  dialect: "torch" | "keras" | "optax";
  betas: [number, number, number];
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
  lambd: number;
  t0: number;
  etas: [number, number];
  stepSizes: [number, number];
  l1: number;
  l2: number;
  beta: number;
  warmupSteps: number;
  r: number;
  weightLrPower: number;
  trustCoefficient: number;
  beta2Decay: number;
  d: number;
  nsSteps: number;
  adjustLr: "original" | "match_rms_adamw" | "spectral_unclamped";
  d0: number;
  dCoef: number;
  growthRate: number;
  clipExponent: number;
  nsCoefficients: [number, number, number];
  cautious: boolean;
  gamma: number;
  optimize1d: boolean;
  delta: number;
  wdRatio: number;
  finalLr: number;
  amsbound: boolean;
}

/** A tensor: values, gradient, slots and numbers by public name, and the numbers it shares with its group. */
export interface Plain {
  shape: readonly number[];
  p: Float32Array;
  g: Float32Array;
  slots: Record<string, Float32Array>;
  scalars: Record<string, number>;
  shared: Record<string, number>;
}

export type Update = (tensor: Plain, o: Settled, t: number, gradScale: number) => void;

export const LARGEST = 3.4028234663852886e38;

export const power = (b: number, n: number): number => {
  let result = 1;
  for (; n > 0; n = Math.floor(n / 2), b *= b) if (n % 2 === 1) result *= b;
  return result;
};
export const ema = (b: number, x: number, a: number, y: number): number => f(f(b * x) + f(a * y));
export const root = (x: number): number => f(Math.sqrt(x));

/** Weight decay in float32: coupled λ and decoupled lr·λ. Keras decouples it in every rule. */
export function decayOf(o: Settled, decoupled: boolean): { wd: number; dec: number } {
  const decouple = decoupled || o.dialect === "keras";
  return { wd: decouple ? 0 : f(o.weightDecay), dec: decouple ? f(o.lr * o.weightDecay) : 0 };
}

/** The gradient that a rule uses: gs·g, plus wd·θ with coupled decay. */
export function gradientOf({ p, g }: Plain, o: Settled, gradScale: number, wd: number): (i: number) => number {
  const gs = f(o.maximize ? -gradScale : gradScale);
  return (i) => (wd === 0 ? f(gs * g[i]) : f(f(gs * g[i]) + f(wd * p[i])));
}

/** The frame of most rules: x = gs·g (+ wd·θ) before the rule, θ − u or θ − (dec·θ + u) after it. */
export function sweep(
  tensor: Plain,
  o: Settled,
  gradScale: number,
  decay: boolean | { wd: number; dec: number },
  rule: (x: number, i: number) => number,
): void {
  const { p } = tensor;
  const { wd, dec } = typeof decay === "boolean" ? decayOf(o, decay) : decay;
  const gradient = gradientOf(tensor, o, gradScale, wd);
  for (let i = 0; i < p.length; i++) {
    const u = rule(gradient(i), i);
    p[i] = f(p[i] - (dec === 0 ? u : f(f(dec * p[i]) + u)));
  }
}
