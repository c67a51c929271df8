// Plain loops of the classic rules: SGD, Adagrad, RMSprop, Adam and the like.
import { LARGEST, type Update, ema, f, power, root, sweep } from "./common.js";
import { moveCautiously } from "./more.js";

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
    return o.nesterov && q !== 0 ? f(f(s * b[i]) + f(q * x)) : f(s * b[i]);
  });
};

export const adagrad: Update = (tensor, o, t, gradScale) => {
  const { sum } = tensor.slots;
  const [ei, eo] = o.dialect === "torch" ? [0, f(o.eps)] : [f(o.eps), 0];
  const s = f(o.lr / (1 + (t - 1) * o.lrDecay));
  sweep(tensor, o, gradScale, false, (x, i) => {
    sum[i] = f(sum[i] + f(x * x));
    if (o.dialect === "optax" && sum[i] === 0) return 0;
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
  const inside = o.dialect !== "torch";
  const [r, q, mu] = [f(o.alpha), f(1 - o.alpha), f(o.momentum)];
  const [ei, eo] = inside ? [f(o.eps), 0] : [0, f(o.eps)];
  const [si, so] = inside || !o.momentum ? [f(o.lr), 1] : [1, f(o.lr)];
  sweep(tensor, o, gradScale, false, (x, i) => {
    v[i] = ema(r, v[i], q, f(x * x));
    let w = v[i];
    if (o.centered) {
      a[i] = ema(r, a[i], q, x);
      w = Math.max(f(w - Math.min(f(a[i] * a[i]), LARGEST)), 0);
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
    const s = (keras ? o.lr * root2 : o.lr) / (1 - power(beta1, t));
    const inMaximum = o.amsgrad && o.dialect === "optax";
    const k = f(keras || inMaximum ? 1 : 1 / root2);
    const j = f(inMaximum ? (1 / root2) * (1 / root2) : 1);
    const [b1, a1, b2, a2, e] = [f(beta1), f(1 - beta1), f(beta2), f(1 - beta2), f(o.eps)];
    /** Updates the moments and returns the denominator. */
    const moments = (x: number, i: number): number => {
      m[i] = ema(b1, m[i], a1, x);
      v[i] = ema(b2, v[i], a2, f(x * x));
      let w = v[i];
      if (o.amsgrad) w = h[i] = Math.max(h[i], f(w * j));
      return f(f(root(w) * k) + e);
    };
    if (o.cautious)
      moveCautiously(tensor, o, gradScale, s, (x, i) => {
        const under = moments(x, i);
        return f(m[i] / under);
      });
    else
      sweep(tensor, o, gradScale, decoupled, (x, i) => {
        const under = moments(x, i);
        return f(f(f(s) * m[i]) / under);
      });
  };

export const nadam: Update = (tensor, o, t, gradScale) => {
  const { expAvg: m, expAvgSq: v } = tensor.slots;
  const [beta1, beta2] = o.betas;
  // Within 1e-15 of the library's own power, which does not show in float32 in these tests.
  const mu = (step: number): number => beta1 * (1 - 0.5 * Math.pow(0.96, step * o.momentumDecay));
  const optax = o.dialect === "optax";
  if (!optax) tensor.scalars.muProduct *= mu(t);
  const product = tensor.scalars.muProduct;
  const corrected = (n: number): number => o.lr / (1 - power(beta1, n));
  const cg = f(optax ? corrected(t) * (1 - beta1) : (o.lr * (1 - mu(t))) / (1 - product));
  const cm = f(optax ? corrected(t + 1) * beta1 : (o.lr * mu(t + 1)) / (1 - product * mu(t + 1)));
  const [b1, a1, b2, a2, e] = [f(beta1), f(1 - beta1), f(beta2), f(1 - beta2), f(o.eps)];
  const k = f(1 / Math.sqrt(1 - power(beta2, t)));
  sweep(tensor, o, gradScale, o.decoupledWeightDecay, (x, i) => {
    m[i] = ema(b1, m[i], a1, x);
    v[i] = ema(b2, v[i], a2, f(x * x));
    return f(ema(cg, x, cm, m[i]) / f(f(root(v[i]) * k) + e));
  });
};
