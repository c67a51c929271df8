// Plain loops of LaProp, MARS, AdamP, SGDP, StableAdamW, Signum, AdaBound and DAdaptAdam, and of cautious updates.
import { type Plain, type Settled, type Update, decayOf, ema, f, gradientOf, power, root, sweep } from "./common.js";
import { norm, orderedSum } from "./sums.js";

const gsOf = (o: Settled, gradScale: number): number => (o.maximize ? -gradScale : gradScale);
const dot = (x: Float32Array, y: Float32Array): number => orderedSum(x.length, (i) => x[i] * y[i]);

/** θ − s·u, or θ − (dec·θ + s·u). */
function moveBy({ p }: Plain, u: Float32Array, s: number, dec: number): void {
  for (let i = 0; i < p.length; i++) {
    const y = f(f(s) * u[i]);
    p[i] = f(p[i] - (f(dec) === 0 ? y : f(f(f(dec) * p[i]) + y)));
  }
}

/** A cautious step along s·u: elements in which u and the gradient have other signs only decay. */
export function moveCautiously(
  tensor: Plain,
  o: Settled,
  gradScale: number,
  s: number,
  of: (x: number, i: number) => number,
): void {
  const gradient = gradientOf(tensor, o, gradScale, 0);
  const u = tensor.p.map((_, i) => of(gradient(i), i));
  const sides = u.map((y, i) => Math.sign(y) * gradient(i));
  const factor = s / Math.max(sides.filter((side) => side > 0).length / u.length, 1e-3);
  const rest = u.map((y, i) => (sides[i] <= 0 ? 0 : y)); // NaN goes on
  moveBy(tensor, rest, factor, o.lr * o.weightDecay);
}

export const laprop: Update = (tensor, o, _, gradScale) => {
  const { slots, scalars } = tensor;
  const { expAvg: m, expAvgSq: v } = slots;
  const [beta1, beta2] = o.betas;
  scalars.expAvgLr1 = beta1 * scalars.expAvgLr1 + (1 - beta1) * o.lr;
  scalars.expAvgLr2 = beta2 * scalars.expAvgLr2 + (1 - beta2);
  const [b1, a1, b2, a2] = [beta1, (1 - beta1) * o.lr, beta2, 1 - beta2].map(f);
  const [k, e] = [f(1 / Math.sqrt(scalars.expAvgLr2)), f(o.eps)];
  const s = scalars.expAvgLr1 === 0 ? 0 : (o.lr / scalars.expAvgLr1) * (1 - o.lr * o.weightDecay);
  const average = (x: number, i: number): number => {
    v[i] = ema(b2, v[i], a2, f(x * x));
    return (m[i] = ema(b1, m[i], a1, f(x / f(f(root(v[i]) * k) + e))));
  };
  if (o.cautious) moveCautiously(tensor, o, gradScale, s, average);
  else sweep(tensor, o, gradScale, true, (x, i) => f(f(s) * average(x, i)));
};

export const mars: Update = (tensor, o, t, gradScale) => {
  const { p, shape } = tensor;
  const { expAvg: m, expAvgSq: v, lastGrad: last } = tensor.slots;
  const [beta1, beta2] = o.betas;
  const [b1, a1, b2, a2] = [beta1, 1 - beta1, beta2, 1 - beta2].map(f);
  const [k, e] = [f(1 / Math.sqrt(1 - power(beta2, t))), f(o.eps)];
  const corrects = o.optimize1d || shape.length > 1;
  const cg = corrects && t > 1 ? f((o.gamma * beta1) / (1 - beta1)) : 0;
  const gradient = gradientOf(tensor, o, gradScale, 0);
  const c = p.map((_, i) => {
    const x = gradient(i);
    const y = cg === 0 ? x : f(x + f(cg * f(x - last[i])));
    last[i] = x;
    return y;
  });
  const gs = corrects ? f(1 / Math.max(1, norm(c))) : 1;
  const s = o.lr / (1 - power(beta1, t));
  const { dec } = decayOf(o, true);
  const moments = (i: number): [number, number] => {
    const x = f(gs * c[i]);
    m[i] = ema(b1, m[i], a1, x);
    v[i] = ema(b2, v[i], a2, f(x * x));
    return [m[i], f(f(root(v[i]) * k) + e)];
  };
  if (o.cautious)
    moveCautiously(tensor, o, gradScale, s, (_, i) => {
      const [y, under] = moments(i);
      return f(y / under);
    });
  else
    for (let i = 0; i < p.length; i++) {
      const [y, under] = moments(i);
      const u = f(f(f(s) * y) / under);
      p[i] = f(p[i] - (dec === 0 ? u : f(f(dec * p[i]) + u)));
    }
};

/** Projects u, and returns the factor of the decay. */
function project({ p, g, shape }: Plain, u: Float32Array, o: Settled, gs: number): number {
  if (shape.length < 2 || p.length === 0) return 1;
  for (const rows of [shape[0], 1]) {
    const n = p.length / rows;
    const parts = Array.from({ length: rows }, (_, r) => [p, g, u].map((x) => x.subarray(r * n, (r + 1) * n)));
    const cosines = parts.map(
      ([weights, gradient]) =>
        (Math.abs(gs) * Math.abs(dot(gradient, weights))) /
        (Math.max(Math.abs(gs) * norm(gradient), o.eps) * Math.max(norm(weights), o.eps)),
    );
    if (!cosines.every((cosine) => cosine < o.delta / Math.sqrt(n))) continue;
    for (const [weights, , update] of parts) {
      const length = norm(weights) + o.eps;
      const a = f(dot(weights, update) / (length * length));
      update.forEach((y, i) => (update[i] = f(y - f(a * weights[i]))));
    }
    return o.wdRatio;
  }
  return 1;
}

export const adamp: Update = (tensor, o, t, gradScale) => {
  const { expAvg: m, expAvgSq: v } = tensor.slots;
  const [beta1, beta2] = o.betas;
  const [b1, a1, b2, a2] = [beta1, 1 - beta1, beta2, 1 - beta2].map(f);
  const [km, kx] = o.nesterov ? [b1, a1] : [1, 0];
  const [k, e] = [f(1 / Math.sqrt(1 - power(beta2, t))), f(o.eps)];
  const gradient = gradientOf(tensor, o, gradScale, 0);
  const u = tensor.p.map((_, i) => {
    const x = gradient(i);
    m[i] = ema(b1, m[i], a1, x);
    v[i] = ema(b2, v[i], a2, f(x * x));
    return f(ema(km, m[i], kx, x) / f(f(root(v[i]) * k) + e));
  });
  const factor = project(tensor, u, o, gsOf(o, gradScale));
  moveBy(tensor, u, o.lr / (1 - power(beta1, t)), o.lr * o.weightDecay * factor);
};

export const sgdp: Update = (tensor, o, _, gradScale) => {
  const { momentum: b } = tensor.slots;
  const [mu, c] = [f(o.momentum), f(1 - o.dampening)];
  const gradient = gradientOf(tensor, o, gradScale, 0);
  const u = tensor.p.map((_, i) => {
    const x = gradient(i);
    b[i] = ema(mu, b[i], c, x);
    return o.nesterov ? ema(mu, b[i], 1, x) : b[i];
  });
  const factor = project(tensor, u, o, gsOf(o, gradScale));
  moveBy(tensor, u, o.lr, (o.lr * o.weightDecay * factor) / (1 - o.momentum));
};

export const stableAdamW: Update = (tensor, o, t, gradScale) => {
  const { p, g } = tensor;
  const { expAvg: m, expAvgSq: v } = tensor.slots;
  const [[b1, a1], [b2, a2]] = o.betas.map((beta) => {
    const correction = 1 - power(beta, t);
    return [f((beta * (1 - power(beta, t - 1))) / correction), f((1 - beta) / correction)];
  });
  const gradient = gradientOf(tensor, o, gradScale, 0);
  const u = p.map((_, i) => {
    const x = gradient(i);
    m[i] = ema(b1, m[i], a1, x);
    v[i] = ema(b2, v[i], a2, f(x * x));
    return f(m[i] / f(root(v[i]) + f(o.eps)));
  });
  const sum = orderedSum(p.length, (i) => (g[i] * g[i]) / Math.max(v[i], o.eps * o.eps));
  const rate = o.lr / Math.max(1, Math.sqrt((gradScale * gradScale * sum) / p.length));
  moveBy(tensor, u, rate, rate * o.weightDecay);
};

export const signum: Update = (tensor, o, _, gradScale) => {
  const b = o.momentum > 0 ? tensor.slots.momentumBuffer : undefined;
  const [mu, a] = [f(o.momentum), f(1 - o.momentum)];
  sweep(tensor, o, gradScale, true, (x, i) => f(f(o.lr) * Math.sign(b ? (b[i] = ema(mu, b[i], a, x)) : x)));
};

/** The rate that a group of AdaBound was made with. */
export const adaboundShared = { start: ({ lr }: Settled): Record<string, number> => ({ baseLr: lr }) };

export const adabound: Update = (tensor, o, t, gradScale) => {
  const { expAvg: m, expAvgSq: v, maxExpAvgSq: h } = tensor.slots;
  const [beta1, beta2] = o.betas;
  const [b1, a1, b2, a2] = [beta1, 1 - beta1, beta2, 1 - beta2].map(f);
  const s = f((o.lr * Math.sqrt(1 - power(beta2, t))) / (1 - power(beta1, t)));
  const { baseLr } = tensor.shared;
  const last = f(baseLr) === 0 ? 0 : (o.finalLr * o.lr) / baseLr;
  const [lo, hi] = [f(last * (1 - 1 / (o.gamma * t + 1))), f(last * (1 + 1 / (o.gamma * t)))];
  sweep(tensor, o, gradScale, o.decoupledWeightDecay, (x, i) => {
    m[i] = ema(b1, m[i], a1, x);
    v[i] = ema(b2, v[i], a2, f(x * x));
    if (o.amsbound) h[i] = Math.max(h[i], v[i]);
    let rate = f(s / f(root(o.amsbound ? h[i] : v[i]) + f(o.eps)));
    if (!(rate > lo)) rate = lo;
    if (rate > hi) rate = hi;
    return f(rate * m[i]);
  });
};

export const dadaptShared = {
  start: ({ d0 }: Settled): Record<string, number> => ({ d: d0, numeratorWeighted: 0 }),
};

export function dadaptGather(
  tensors: readonly Plain[],
  o: Settled,
  gradScale: number,
  shared: Record<string, number>,
  optionsOf: (tensor: Plain) => Settled = () => o,
): boolean {
  const [beta1, beta2] = o.betas;
  const [kappa, beta3] = [shared.d * o.lr, Math.sqrt(beta2)];
  const coefficients = [beta1, kappa * (1 - beta1), beta2, 1 - beta2, beta3, kappa * (1 - beta3)];
  const [b1, a1, b2, a2, b3, a3] = coefficients.map(f);
  let [numerator, denominator] = [0, 0];
  for (const tensor of tensors) {
    const own = optionsOf(tensor);
    const { p, g, slots, scalars } = tensor;
    const { expAvg: m, expAvgSq: v, s: h } = slots;
    const wd = own.decoupledWeightDecay ? 0 : own.weightDecay;
    const gradient = gradientOf(tensor, own, gradScale, f(wd));
    const y = p.map((_, i) => (h[i] === 0 ? 0 : f(h[i] / f(root(v[i]) + f(own.eps)))));
    numerator += kappa * gsOf(own, gradScale) * dot(g, y);
    if (wd !== 0) numerator += kappa * wd * dot(p, y);
    for (let i = 0; i < p.length; i++) {
      const x = gradient(i);
      m[i] = ema(b1, m[i], a1, x);
      v[i] = ema(b2, v[i], a2, f(x * x));
      h[i] = ema(b3, h[i], a3, x);
    }
    denominator += orderedSum(p.length, (i) => Math.abs(h[i]));
    scalars.kappa = kappa;
  }
  if (denominator === 0) return false;
  shared.numeratorWeighted = beta3 * shared.numeratorWeighted + (1 - beta3) * numerator;
  const estimate = shared.numeratorWeighted / ((1 - beta3) * denominator);
  if (estimate > shared.d) shared.d = Math.min(estimate, shared.d * o.growthRate);
  return true;
}

export const dadaptAdam: Update = (tensor, o) => {
  const { expAvg: m, expAvgSq: v } = tensor.slots;
  const u = tensor.p.map((_, i) => f(m[i] / f(root(v[i]) + f(o.eps))));
  moveBy(tensor, u, 1, o.decoupledWeightDecay ? o.weightDecay * tensor.scalars.kappa : 0);
};
