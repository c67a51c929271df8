// Plain loops of the rules that reduce over a tensor, in float64 and in the order of assembly/step/reductions.ts.
import { dense, denseInput, denseWeight } from "../../nn/reference.js";
import { type Plain, type Settled, type Update, decayOf, ema, f, power, root } from "./common.js";
import { norm, orderedSum } from "./sums.js";

const gsOf = (o: Settled, gradScale: number): number => (o.maximize ? -gradScale : gradScale);

/** θ − s·u, or θ − (dec·θ + s·u). */
function moveBy({ p }: Plain, u: Float32Array, s: number, dec: number): void {
  for (let i = 0; i < p.length; i++) {
    const y = f(f(s) * u[i]);
    p[i] = f(p[i] - (dec === 0 ? y : f(f(f(dec) * p[i]) + y)));
  }
}

/** SGD's step on gs·g + wd·θ, with momentum where there is a buffer. */
function momentumStep(
  { p, g }: Plain,
  b: Float32Array | undefined,
  c: Record<"gs" | "wd" | "mu" | "c" | "s" | "q", number>,
) {
  const [gs, wd, mu, own, s, q] = [c.gs, c.wd, c.mu, c.c, c.s, c.q].map(f);
  for (let i = 0; i < p.length; i++) {
    let x = f(gs * g[i]);
    if (wd !== 0) x = f(x + f(wd * p[i]));
    if (b) b[i] = ema(mu, b[i], own, x);
    const u = f(s * (b ? b[i] : x));
    p[i] = f(p[i] - (q === 0 ? u : f(u + f(q * x))));
  }
}

export const lamb: Update = (tensor, o, t, gradScale) => {
  const { p, g } = tensor;
  const { expAvg: m, expAvgSq: v } = tensor.slots;
  const [beta1, beta2] = o.betas;
  const [b1, a1, b2, a2] = [beta1, 1 - beta1, beta2, 1 - beta2].map(f);
  const [s, k, e] = [1 / (1 - power(beta1, t)), 1 / Math.sqrt(1 - power(beta2, t)), o.eps].map(f);
  const { wd, dec } = decayOf(o, false);
  const u = p.map((theta, i) => {
    const x = f(f(gsOf(o, gradScale)) * g[i]);
    m[i] = ema(b1, m[i], a1, x);
    v[i] = ema(b2, v[i], a2, f(x * x));
    const y = f(f(s * m[i]) / f(f(root(v[i]) * k) + e));
    return wd === 0 ? y : f(y + f(wd * theta));
  });
  const [weights, update] = [norm(p) * Math.abs(1 - (dec === 0 ? 0 : o.lr * o.weightDecay)), norm(u)];
  moveBy(tensor, u, o.lr * (weights > 0 && update > 0 ? weights / update : 1), dec);
};

export const lars: Update = (tensor, o, t, gradScale) => {
  const gs = gsOf(o, gradScale);
  const [weights, gradient] = [norm(tensor.p), norm(tensor.g) * Math.abs(gs)];
  const scaled = o.weightDecay !== 0 && weights > 0 && gradient > 0;
  const ratio = scaled ? (o.trustCoefficient * weights) / (gradient + weights * o.weightDecay + o.eps) : 1;
  momentumStep(tensor, o.momentum === 0 ? undefined : tensor.slots.momentumBuffer, {
    ...{ gs: gs * ratio, wd: ratio * o.weightDecay, mu: o.momentum, c: t === 1 ? 1 : 1 - o.dampening },
    ...{ s: o.nesterov ? o.lr * o.momentum : o.lr, q: o.nesterov ? o.lr : 0 },
  });
};

export const novograd: Update = (tensor, o, t, gradScale) => {
  const gs = gsOf(o, gradScale);
  const [beta1, beta2] = o.betas;
  const square = gs * gs * orderedSum(tensor.g.length, (i) => tensor.g[i] * tensor.g[i]);
  const { scalars } = tensor;
  if (tensor.g.length > 0) scalars.nu = t === 1 ? square : beta2 * scalars.nu + (1 - beta2) * square;
  const scale = gs / (Math.sqrt(scalars.nu) + o.eps);
  momentumStep(tensor, tensor.slots.mu, { gs: scale, wd: o.weightDecay, mu: beta1, c: 1, s: o.lr, q: 0 });
};

export const adafactor: Update = (tensor, o, t, gradScale) => {
  const { p, g, shape, slots } = tensor;
  const eps = o.eps as unknown as [number | null, number];
  const power = Math.pow(t, o.beta2Decay);
  const [a, b] = [f(power), f(1 - power)];
  const floor = eps[0] ?? 2 ** -23;
  const least = f(floor === 0 ? 0 : Math.max(floor ** 2, 2 ** -149));
  const u = g.map((x) => f(f(gsOf(o, gradScale)) * x));
  const square = (i: number): number => u[i] * u[i];
  if (shape.length < 2) {
    const { variance: v } = slots;
    u.forEach((x, i) => {
      v[i] = ema(b, v[i], a, f(x * x));
      u[i] = f(x / root(Math.max(v[i], least)));
    });
  } else {
    const { rowVar, colVar } = slots;
    const [rows, columns] = shape.slice(-2);
    for (let first = 0, m = 0; first < u.length; first += rows * columns, m++) {
      const [r, c] = [rowVar.subarray(m * rows, (m + 1) * rows), colVar.subarray(m * columns, (m + 1) * columns)];
      for (let i = 0; i < rows; i++)
        r[i] = ema(b, r[i], a, f(orderedSum(columns, (j) => square(first + i * columns + j)) / columns));
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let i = 0; i < rows; i++) sum += square(first + i * columns + j);
        c[j] = ema(b, c[j], a, f(sum / rows));
      }
      const mean = Math.max(f(orderedSum(rows, (i) => r[i]) / rows), f(floor));
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) {
          const at = first + i * columns + j;
          u[at] = f(u[at] / root(Math.max(f(f(r[i] * c[j]) / mean), least)));
        }
    }
  }
  const n = Math.sqrt(p.length);
  const relative = Math.max(eps[1], norm(p) / n) * Math.min(o.lr, 1 / Math.sqrt(t));
  moveBy(tensor, u, relative / Math.max(1, norm(u) / (n * o.d)), o.lr * o.weightDecay);
};

export const muon: Update = (tensor, o, _, gradScale) => {
  const { g, shape, slots } = tensor;
  const { momentumBuffer: b } = slots;
  const [rows, columns] = shape;
  const [mu, c] = [f(o.momentum), f(1 - o.momentum)];
  const u = g.map((raw, i) => {
    const x = f(f(gsOf(o, gradScale)) * raw);
    b[i] = ema(mu, b[i], c, x);
    return o.nesterov ? ema(mu, b[i], c, x) : b[i];
  });
  const inverse = f(1 / Math.max(norm(u), 1e-7));
  let x = u.map((y) => f(inverse * y));
  const [na, nb, nc] = o.nsCoefficients.map(f);
  const wide = rows <= columns;
  const side = Math.min(rows, columns);
  for (let step = 0; step < o.nsSteps; step++) {
    const gram = wide ? dense(rows, columns, rows, x, x) : denseWeight(rows, columns, columns, x, x);
    const square = denseInput(side, side, side, gram, gram).map((y, i) => f(f(nc * y) + f(nb * gram[i])));
    const y = wide ? denseInput(rows, columns, rows, square, x) : denseInput(rows, columns, columns, x, square);
    x = y.map((value, i) => f(value + f(na * x[i])));
  }
  const factor = {
    original: Math.sqrt(Math.max(1, rows / columns)),
    match_rms_adamw: 0.2 * Math.sqrt(Math.max(rows, columns)),
    spectral_unclamped: Math.sqrt(rows / columns),
  }[o.adjustLr];
  moveBy(tensor, x, o.lr * factor, o.lr * o.weightDecay);
};

/** Prodigy's shared numbers, with d before the step. */
export const prodigyShared = {
  start: ({ d0 }: Settled): Record<string, number> => ({ d: d0, dMax: d0, dNumerator: 0 }),
};

export function prodigyGather(
  tensors: readonly Plain[],
  o: Settled,
  gradScale: number,
  shared: Record<string, number>,
): boolean {
  const [beta1, beta2] = o.betas;
  const d = shared.d;
  const weight = (d / o.d0) * (d * o.lr);
  const coefficients = [beta1, d * (1 - beta1), beta2, d * d * (1 - beta2), Math.sqrt(beta2), weight];
  const [b1, a1, b2, a2, b3, a3] = coefficients.map(f);
  let [numerator, denominator] = [shared.dNumerator * Math.sqrt(beta2), 0];
  for (const { p, g, slots } of tensors) {
    const { expAvg: m, expAvgSq: v, s, p0 } = slots;
    const gs = gsOf(o, gradScale);
    numerator += weight * gs * orderedSum(p.length, (i) => g[i] * f(p0[i] - p[i]));
    g.forEach((raw, i) => {
      const x = f(f(gs) * raw);
      m[i] = ema(b1, m[i], a1, x);
      v[i] = ema(b2, v[i], a2, f(x * x));
      s[i] = ema(b3, s[i], a3, x);
    });
    denominator += orderedSum(p.length, (i) => Math.abs(s[i]));
  }
  for (const tensor of tensors) tensor.scalars.oldD = d;
  if (denominator === 0) return false;
  const estimate = (o.dCoef * numerator) / denominator;
  if (estimate > shared.dMax) shared.dMax = estimate;
  const grown = (d === o.d0 && estimate > d ? estimate : d) * o.growthRate;
  Object.assign(shared, { d: Math.min(shared.dMax, grown), dNumerator: numerator });
  return true;
}

export const prodigy: Update = (tensor, o) => {
  const { expAvg: m, expAvgSq: v } = tensor.slots;
  const rate = tensor.scalars.oldD * o.lr;
  const e = f(tensor.shared.d * o.eps);
  const u = tensor.p.map((_, i) => f(f(f(rate) * m[i]) / f(root(v[i]) + e)));
  moveBy(tensor, u, 1, o.weightDecay * rate);
};
