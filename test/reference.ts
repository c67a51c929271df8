// Plain loops, one Math.fround an operation, written from the headers in assembly/rules: what a kernel must equal to the
// bit. Coefficients are computed in float64 and rounded once.

const f = Math.fround;

/** Options with every default filled in; which of them a rule has is its own affair. */
export interface Settled {
  lr: number;
  weightDecay: number;
  maximize: boolean;
  dialect: "torch" | "keras";
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

const power = (b: number, n: number): number => {
  let result = 1;
  for (; n > 0; n = Math.floor(n / 2), b *= b) if (n % 2 === 1) result *= b;
  return result;
};
const ema = (b: number, x: number, a: number, y: number): number => f(f(b * x) + f(a * y));
const root = (x: number): number => f(Math.sqrt(x));

/** What all rules share: x = gs·g (+ wd·θ) before the rule, θ − u or θ − (dec·θ + u) after it. */
function sweep(
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

export const sgd: Update = (tensor, o, t, gradScale) => {
  const { momentumBuffer: b } = tensor.slots;
  const keras = o.dialect === "keras";
  const ema1 = o.momentumForm === "ema";
  const mu = f(o.momentum);
  const c = f(ema1 ? 1 - o.momentum : keras ? -o.lr : t === 1 ? 1 : 1 - o.dampening);
  const averageRate = o.biasCorrection ? o.lr / (1 - power(o.momentum, t)) : o.lr;
  const torchRate = o.nesterov ? o.lr * o.momentum : o.lr;
  const s = f(!o.momentum ? o.lr : ema1 ? averageRate : keras ? (o.nesterov ? -o.momentum : -1) : torchRate);
  const q = f(o.lr);
  sweep(tensor, o, gradScale, false, (x, i) => {
    if (!o.momentum) return f(s * x);
    b[i] = ema(mu, b[i], c, x);
    return o.nesterov ? f(f(s * b[i]) + f(q * x)) : f(s * b[i]);
  });
};

export const adagrad: Update = (tensor, o, t, gradScale) => {
  const { sum } = tensor.slots;
  const [ei, eo] = o.dialect === "keras" ? [f(o.eps), 0] : [0, f(o.eps)];
  const s = f(o.lr / (1 + (t - 1) * o.lrDecay));
  sweep(tensor, o, gradScale, false, (x, i) => {
    sum[i] = f(sum[i] + f(x * x));
    return f(f(s * x) / f(root(f(sum[i] + ei)) + eo));
  });
};

export const adadelta: Update = (tensor, o, _, gradScale) => {
  const { squareAvg: v, accDelta: a } = tensor.slots;
  const [r, q, e, s] = [f(o.rho), f(1 - o.rho), f(o.eps), f(o.lr)];
  sweep(tensor, o, gradScale, false, (x, i) => {
    v[i] = ema(r, v[i], q, f(x * x));
    const u = f(f(root(f(a[i] + e)) / root(f(v[i] + e))) * x);
    a[i] = ema(r, a[i], q, f(u * u));
    return f(s * u);
  });
};

export const rmsprop: Update = (tensor, o, _, gradScale) => {
  const { squareAvg: v, gradAvg: a, momentumBuffer: b } = tensor.slots;
  const keras = o.dialect === "keras";
  const [r, q, mu] = [f(o.alpha), f(1 - o.alpha), f(o.momentum)];
  const [ei, eo] = keras ? [f(o.eps), 0] : [0, f(o.eps)];
  const [si, so] = keras || !o.momentum ? [f(o.lr), 1] : [1, f(o.lr)];
  sweep(tensor, o, gradScale, false, (x, i) => {
    v[i] = ema(r, v[i], q, f(x * x));
    let w = v[i];
    if (o.centered) {
      a[i] = ema(r, a[i], q, x);
      w = Math.max(f(w - f(a[i] * a[i])), 0);
    }
    const u = f(f(si * x) / f(root(f(w + ei)) + eo));
    if (!o.momentum) return u;
    b[i] = f(f(mu * b[i]) + u);
    return f(so * b[i]);
  });
};

export const adam =
  (decoupled: boolean): Update =>
  (tensor, o, t, gradScale) => {
    const { expAvg: m, expAvgSq: v, maxExpAvgSq: h } = tensor.slots;
    const [beta1, beta2] = o.betas;
    const root2 = Math.sqrt(1 - power(beta2, t));
    const keras = o.dialect === "keras";
    const s = f((keras ? o.lr * root2 : o.lr) / (1 - power(beta1, t)));
    const k = f(keras ? 1 : 1 / root2);
    const [b1, a1, b2, a2, e] = [f(beta1), f(1 - beta1), f(beta2), f(1 - beta2), f(o.eps)];
    sweep(tensor, o, gradScale, decoupled, (x, i) => {
      m[i] = ema(b1, m[i], a1, x);
      v[i] = ema(b2, v[i], a2, f(x * x));
      let w = v[i];
      if (o.amsgrad) w = h[i] = Math.max(h[i], w);
      return f(f(s * m[i]) / f(f(root(w) * k) + e));
    });
  };

export const nadam: Update = (tensor, o, t, gradScale) => {
  const { expAvg: m, expAvgSq: v } = tensor.slots;
  const [beta1, beta2] = o.betas;
  // 1e-15 apart from the library's own power at the most, which does not reach float32 in what these tests run.
  const mu = (step: number): number => beta1 * (1 - 0.5 * Math.pow(0.96, step * o.momentumDecay));
  tensor.scalars.muProduct *= mu(t);
  const product = tensor.scalars.muProduct;
  const cg = f((o.lr * (1 - mu(t))) / (1 - product));
  const cm = f((o.lr * mu(t + 1)) / (1 - product * mu(t + 1)));
  const [b1, a1, b2, a2, e] = [f(beta1), f(1 - beta1), f(beta2), f(1 - beta2), f(o.eps)];
  const k = f(1 / Math.sqrt(1 - power(beta2, t)));
  sweep(tensor, o, gradScale, o.decoupledWeightDecay, (x, i) => {
    m[i] = ema(b1, m[i], a1, x);
    v[i] = ema(b2, v[i], a2, f(x * x));
    return f(ema(cg, x, cm, m[i]) / f(f(root(v[i]) * k) + e));
  });
};
