// Plain loops of Lion, Rprop, ASGD, MADGRAD, Ftrl and others.
import { moveCautiously } from "./more.js";
import { LARGEST, type Update, decayOf, ema, f, gradientOf, root, sweep } from "./common.js";

export const asgd: Update = (tensor, o, t, gradScale) => {
  const { p, slots } = tensor;
  const { ax } = slots;
  const eta = t === 1 ? o.lr : tensor.scalars.eta;
  const average = tensor.scalars.mu;
  tensor.scalars.eta = o.lr / Math.pow(1 + o.lambd * o.lr * t, o.alpha);
  tensor.scalars.mu = 1 / Math.max(1, t - o.t0);
  const [s, dec, mu, nu] = [f(eta), f(o.lambd * eta), f(average), f(1 - average)];
  const gradient = gradientOf(tensor, o, gradScale, f(o.weightDecay));
  for (let i = 0; i < p.length; i++) {
    const x = gradient(i);
    p[i] = f(p[i] - f(f(dec * p[i]) + f(s * x)));
    ax[i] = ema(nu, ax[i], mu, p[i]);
  }
};

export const rprop: Update = (tensor, o, _, gradScale) => {
  const { prev, stepSize: h } = tensor.slots;
  const [lo, hi, min, max] = [...o.etas, ...o.stepSizes].map(f);
  sweep(tensor, o, gradScale, false, (x, i) => {
    const y = f(x * prev[i]);
    h[i] = Math.min(Math.max(f(h[i] * (y > 0 ? hi : y < 0 ? lo : 1)), min), max);
    if (y < 0) x = 0;
    prev[i] = x;
    return f(Math.sign(x) * h[i]);
  });
};

export const lion: Update = (tensor, o, _, gradScale) => {
  const { expAvg: m } = tensor.slots;
  const [b1, a1, b2, a2] = [o.betas[0], 1 - o.betas[0], o.betas[1], 1 - o.betas[1]].map(f);
  const direction = (x: number, i: number): number => {
    const u = Math.sign(ema(b1, m[i], a1, x));
    m[i] = ema(b2, m[i], a2, x);
    return u;
  };
  if (o.cautious) moveCautiously(tensor, o, gradScale, o.lr, direction);
  else sweep(tensor, o, gradScale, true, (x, i) => f(f(o.lr) * direction(x, i)));
};

const float = new Float32Array(1);
const integer = new Int32Array(float.buffer);

function cubeRoot(x: number): number {
  if (!(x > 0 && x < Infinity)) return x;
  float[0] = x;
  integer[0] = Math.floor(integer[0] / 3) + 709921077;
  let r = float[0];
  for (let k = 0; k < 3; k++) r = f(f(f(r + r) + f(x / f(r * r))) * f(1 / 3));
  return r;
}

export const madgrad: Update = (tensor, o, t, gradScale) => {
  const { p, slots } = tensor;
  const { gradSumSq: S, s, x0 } = slots;
  const still = f(o.lr) === 0;
  const [l, e, c] = [still ? 0 : f((o.lr + o.eps) * Math.sqrt(t)), f(o.eps), still ? 0 : f(1 - o.momentum)];
  const gradient = gradientOf(tensor, o, gradScale, f(o.weightDecay));
  for (let i = 0; i < p.length; i++) {
    const x = gradient(i);
    S[i] = f(S[i] + f(l * f(x * x)));
    s[i] = f(s[i] + f(l * x));
    const y = f(x0[i] - f(s[i] / f(cubeRoot(S[i]) + e)));
    p[i] = f(p[i] - f(c * f(p[i] - y)));
  }
};

export const ftrl: Update = (tensor, o, _, gradScale) => {
  const { p, slots } = tensor;
  const { accumulator: S, linear: z } = slots;
  const { dec } = decayOf(o, true);
  const [inverse, l1, c] = [f(1 / o.lr), f(o.l1), f(2 * o.l2 + o.beta / o.lr)];
  const gradient = gradientOf(tensor, o, gradScale, 0);
  if (!(inverse < Infinity && c < Infinity)) {
    // As SGD at a rate of 0: only gradients that are not finite have an effect.
    for (let i = 0; i < p.length; i++) p[i] = f(p[i] - f(0 * gradient(i)));
    return;
  }
  for (let i = 0; i < p.length; i++) {
    const x = gradient(i);
    const y = dec === 0 ? p[i] : f(p[i] - f(dec * p[i]));
    const q = Math.min(f(x * x), LARGEST);
    const r0 = root(S[i]);
    S[i] = Math.min(f(S[i] + q), LARGEST);
    const r1 = root(S[i]);
    const roots = f(r0 + r1);
    const h = roots === 0 ? 0 : f(q / roots);
    z[i] = f(z[i] + f(x - f(f(h * inverse) * y)));
    p[i] = f(f(Math.min(Math.max(z[i], -l1), l1) - z[i]) / f(f(r1 * inverse) + c));
  }
};
