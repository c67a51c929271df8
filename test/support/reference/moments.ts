// Plain loops of the rules that are related to Adam.
import { LARGEST, type Settled, type Update, ema, f, power, root, sweep } from "./common.js";

/** β₁, 1 − β₁, β₂, 1 − β₂, lr/(1 − β₁ᵗ), 1/√(1 − β₂ᵗ), ε. */
function adamish(o: Settled, t: number) {
  const [beta1, beta2] = o.betas;
  return {
    ...{ b1: f(beta1), a1: f(1 - beta1), b2: f(beta2), a2: f(1 - beta2) },
    ...{ s: f(o.lr / (1 - power(beta1, t))), k: f(1 / Math.sqrt(1 - power(beta2, t))), e: f(o.eps) },
  };
}

export const adamax: Update = (tensor, o, t, gradScale) => {
  const { expAvg: m, expInf: u } = tensor.slots;
  const { b1, a1, b2, s } = adamish(o, t);
  const [ei, eo] = o.dialect === "keras" ? [0, f(o.eps)] : [f(o.eps), 0];
  sweep(tensor, o, gradScale, false, (x, i) => {
    m[i] = ema(b1, m[i], a1, x);
    u[i] = Math.max(f(b2 * u[i]), f(Math.abs(x) + ei));
    return f(f(s * m[i]) / f(u[i] + eo));
  });
};

export const radam: Update = (tensor, o, t, gradScale) => {
  const { expAvg: m, expAvgSq: v } = tensor.slots;
  const { b1, a1, b2, a2 } = adamish(o, t);
  const [beta1, beta2] = o.betas;
  const [bc1, bc2] = [1 - power(beta1, t), 1 - power(beta2, t)];
  const most = 2 / (1 - beta2) - 1;
  const rho = most - (2 * t * power(beta2, t)) / bc2;
  const r = Math.sqrt(((rho - 4) * (rho - 2) * most) / ((most - 4) * (most - 2) * rho));
  const optax = o.dialect === "optax";
  const rectified = optax ? rho >= 5 : rho > 5;
  const s = f(rectified ? (optax ? (o.lr / bc1) * r : (o.lr / bc1) * (r * Math.sqrt(bc2))) : o.lr / bc1);
  const [k, e] = [f(optax ? 1 / Math.sqrt(bc2) : 1), f(o.eps)];
  sweep(tensor, o, gradScale, o.decoupledWeightDecay, (x, i) => {
    m[i] = ema(b1, m[i], a1, x);
    v[i] = ema(b2, v[i], a2, f(x * x));
    return rectified ? f(f(s * m[i]) / f(f(root(v[i]) * k) + e)) : f(s * m[i]);
  });
};

export const adabelief: Update = (tensor, o, t, gradScale) => {
  const { mu: m, nu: v } = tensor.slots;
  const { b1, a1, b2, a2, s, k, e } = adamish(o, t);
  sweep(tensor, o, gradScale, false, (x, i) => {
    m[i] = ema(b1, m[i], a1, x);
    const y = f(x - m[i]);
    v[i] = f(ema(b2, v[i], a2, f(y * y)) + e);
    return f(f(s * m[i]) / f(f(root(v[i]) * k) + e));
  });
};

export const yogi: Update = (tensor, o, t, gradScale) => {
  const { mu: m, nu: v } = tensor.slots;
  const { b1, a1, a2, s, k, e } = adamish(o, t);
  sweep(tensor, o, gradScale, false, (x, i) => {
    m[i] = ema(b1, m[i], a1, x);
    const q = Math.min(f(x * x), LARGEST);
    v[i] = f(v[i] - f(f(a2 * Math.sign(f(v[i] - q))) * q));
    return f(f(s * m[i]) / f(f(root(v[i]) * k) + e));
  });
};

export const adan: Update = (tensor, o, t, gradScale) => {
  const { expAvg: m, expAvgDiff: w, expAvgSq: v, negPreGrad: h } = tensor.slots;
  const [beta1, beta2, beta3] = o.betas;
  const [b1, a1, b2, a2, b3, a3] = [beta1, 1 - beta1, beta2, 1 - beta2, beta3, 1 - beta3].map(f);
  const shrink = 1 + o.lr * o.weightDecay;
  const kd = t === 1 ? 0 : 1;
  const s1 = f(o.lr / (1 - power(beta1, t)) / shrink);
  const s2 = f((o.lr * beta2) / (1 - power(beta2, t)) / shrink);
  const k = f(1 / Math.sqrt(1 - power(beta3, t)));
  const e = f(o.eps);
  sweep(tensor, o, gradScale, { wd: 0, dec: f((o.lr * o.weightDecay) / shrink) }, (x, i) => {
    const y = f(kd * f(x + h[i]));
    h[i] = -x;
    m[i] = ema(b1, m[i], a1, x);
    w[i] = ema(b2, w[i], a2, y);
    const z = f(x + f(b2 * y));
    v[i] = ema(b3, v[i], a3, f(z * z));
    return f(ema(s1, m[i], s2, w[i]) / f(f(root(v[i]) * k) + e));
  });
};

export const adopt: Update = (tensor, o, t, gradScale) => {
  const { expAvg: m, expAvgSq: v } = tensor.slots;
  const { b1, a1, e } = adamish(o, t);
  const [b2, a2] = t === 1 ? [0, 1] : [f(o.betas[1]), f(1 - o.betas[1])];
  const clip = t === 1 ? 0 : f(Math.pow(t - 1, o.clipExponent));
  const s = f(o.lr);
  sweep(tensor, o, gradScale, false, (x, i) => {
    const u = Math.min(Math.max(f(x / Math.max(root(v[i]), e)), -clip), clip);
    m[i] = ema(b1, m[i], a1, u);
    v[i] = ema(b2, v[i], a2, f(x * x));
    return f(s * m[i]);
  });
};

export const ademamix: Update = (tensor, o, t, gradScale) => {
  const { m1: m, m2: w, nu: v } = tensor.slots;
  const { b1, a1, b2, a2, s, k, e } = adamish(o, t);
  const [b3, a3, slow] = [f(o.betas[2]), f(1 - o.betas[2]), f(o.lr * o.alpha)];
  sweep(tensor, o, gradScale, true, (x, i) => {
    m[i] = ema(b1, m[i], a1, x);
    w[i] = ema(b3, w[i], a3, x);
    v[i] = ema(b2, v[i], a2, f(x * x));
    return f(ema(s, m[i], slow, w[i]) / f(f(root(v[i]) * k) + e));
  });
};
