// The update rules as a careful person writes them in JavaScript: one loop over Float32Arrays, float64 arithmetic in
// between, everything that is the same for all elements taken out of the loop, each element read and written once.

/** Parameters, gradient, slots, and the step counted from 1. */
export type Loop = (p: Float32Array, g: Float32Array, slots: Float32Array[], t: number) => void;

export const sgd: Loop = (p, g) => {
  const lr = 0.01;
  for (let i = 0; i < p.length; i++) p[i] -= lr * g[i];
};

export const momentum: Loop = (p, g, [b]) => {
  const lr = 0.01;
  const mu = 0.9;
  for (let i = 0; i < p.length; i++) {
    const bi = mu * b[i] + g[i];
    b[i] = bi;
    p[i] -= lr * bi;
  }
};

export const nesterov: Loop = (p, g, [b]) => {
  const lr = 0.01;
  const mu = 0.9;
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const bi = mu * b[i] + gi;
    b[i] = bi;
    p[i] -= lr * (gi + mu * bi);
  }
};

export const adagrad: Loop = (p, g, [sum]) => {
  const lr = 0.01;
  const eps = 1e-10;
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const si = sum[i] + gi * gi;
    sum[i] = si;
    p[i] -= (lr * gi) / (Math.sqrt(si) + eps);
  }
};

export const adadelta: Loop = (p, g, [v, a]) => {
  const rho = 0.9;
  const rest = 1 - rho;
  const eps = 1e-6;
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const vi = rho * v[i] + rest * gi * gi;
    v[i] = vi;
    const delta = Math.sqrt((a[i] + eps) / (vi + eps)) * gi;
    a[i] = rho * a[i] + rest * delta * delta;
    p[i] -= delta;
  }
};

export const rmsprop: Loop = (p, g, [v]) => {
  const lr = 0.01;
  const alpha = 0.99;
  const rest = 1 - alpha;
  const eps = 1e-8;
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const vi = alpha * v[i] + rest * gi * gi;
    v[i] = vi;
    p[i] -= (lr * gi) / (Math.sqrt(vi) + eps);
  }
};

const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];
const [rest1, rest2] = [1 - beta1, 1 - beta2];

export const adam: Loop = (p, g, [m, v], t) => {
  const lr = 1e-3;
  const stepSize = lr / (1 - Math.pow(beta1, t));
  const scale = 1 / Math.sqrt(1 - Math.pow(beta2, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + rest1 * gi;
    const vi = beta2 * v[i] + rest2 * gi * gi;
    m[i] = mi;
    v[i] = vi;
    p[i] -= (stepSize * mi) / (Math.sqrt(vi) * scale + eps);
  }
};

export const adamw: Loop = (p, g, [m, v], t) => {
  const lr = 1e-3;
  const keep = 1 - lr * 0.01;
  const stepSize = lr / (1 - Math.pow(beta1, t));
  const scale = 1 / Math.sqrt(1 - Math.pow(beta2, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + rest1 * gi;
    const vi = beta2 * v[i] + rest2 * gi * gi;
    m[i] = mi;
    v[i] = vi;
    p[i] = p[i] * keep - (stepSize * mi) / (Math.sqrt(vi) * scale + eps);
  }
};

export const nadam: Loop = (p, g, [m, v], t) => {
  const lr = 2e-3;
  const muAt = (step: number): number => beta1 * (1 - 0.5 * Math.pow(0.96, step * 4e-3));
  let product = 1;
  for (let k = 1; k <= t; k++) product *= muAt(k);
  const gradientRate = (lr * (1 - muAt(t))) / (1 - product);
  const momentRate = (lr * muAt(t + 1)) / (1 - product * muAt(t + 1));
  const scale = 1 / Math.sqrt(1 - Math.pow(beta2, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + rest1 * gi;
    const vi = beta2 * v[i] + rest2 * gi * gi;
    m[i] = mi;
    v[i] = vi;
    p[i] -= (gradientRate * gi + momentRate * mi) / (Math.sqrt(vi) * scale + eps);
  }
};

export const adamax: Loop = (p, g, [m, u], t) => {
  const stepSize = 2e-3 / (1 - Math.pow(beta1, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + rest1 * gi;
    const ui = Math.max(beta2 * u[i], Math.abs(gi) + eps);
    m[i] = mi;
    u[i] = ui;
    p[i] -= (stepSize * mi) / ui;
  }
};

export const radam: Loop = (p, g, [m, v], t) => {
  const lr = 1e-3;
  const bias = 1 - Math.pow(beta2, t);
  const most = 2 / (1 - beta2) - 1;
  const rho = most - (2 * t * (1 - bias)) / bias;
  const r = Math.sqrt(((rho - 4) * (rho - 2) * most * bias) / ((most - 4) * (most - 2) * rho));
  const stepSize = (rho > 5 ? lr * r : lr) / (1 - Math.pow(beta1, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + rest1 * gi;
    const vi = beta2 * v[i] + rest2 * gi * gi;
    m[i] = mi;
    v[i] = vi;
    p[i] -= rho > 5 ? (stepSize * mi) / (Math.sqrt(vi) + eps) : stepSize * mi;
  }
};

export const asgd: Loop = (p, g, [ax], t) => {
  const [lr, lambda, t0] = [1e-2, 1e-4, 1e6];
  const eta = lr / Math.pow(1 + lambda * lr * (t - 1), 0.75);
  const keep = 1 - lambda * eta;
  const mu = 1 / Math.max(1, t - 1 - t0);
  for (let i = 0; i < p.length; i++) {
    const pi = p[i] * keep - eta * g[i];
    p[i] = pi;
    ax[i] += mu * (pi - ax[i]);
  }
};

export const rprop: Loop = (p, g, [prev, step]) => {
  for (let i = 0; i < p.length; i++) {
    let gi = g[i];
    const turn = gi * prev[i];
    let si = step[i];
    if (turn > 0) si = Math.min(si * 1.2, 50);
    else if (turn < 0) {
      si = Math.max(si * 0.5, 1e-6);
      gi = 0;
    }
    step[i] = si;
    prev[i] = gi;
    p[i] -= Math.sign(gi) * si;
  }
};

export const lion: Loop = (p, g, [m]) => {
  const lr = 1e-4;
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = m[i];
    p[i] -= lr * Math.sign(0.9 * mi + 0.1 * gi);
    m[i] = 0.99 * mi + 0.01 * gi;
  }
};

export const adabelief: Loop = (p, g, [m, v], t) => {
  const tiny = 1e-16;
  const stepSize = 1e-3 / (1 - Math.pow(beta1, t));
  const scale = 1 / Math.sqrt(1 - Math.pow(beta2, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + rest1 * gi;
    const d = gi - mi;
    const vi = beta2 * v[i] + rest2 * d * d + tiny;
    m[i] = mi;
    v[i] = vi;
    p[i] -= (stepSize * mi) / (Math.sqrt(vi) * scale + tiny);
  }
};

export const yogi: Loop = (p, g, [m, v], t) => {
  const stepSize = 1e-3 / (1 - Math.pow(beta1, t));
  const scale = 1 / Math.sqrt(1 - Math.pow(beta2, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + rest1 * gi;
    const square = gi * gi;
    const vi = v[i] - rest2 * Math.sign(v[i] - square) * square;
    m[i] = mi;
    v[i] = vi;
    p[i] -= (stepSize * mi) / (Math.sqrt(vi) * scale + 1e-3);
  }
};

export const adan: Loop = (p, g, [m, w, v, prev], t) => {
  const [lr, b1, b2, b3] = [1e-3, 0.98, 0.92, 0.99];
  const [s1, s2] = [lr / (1 - Math.pow(b1, t)), (lr * b2) / (1 - Math.pow(b2, t))];
  const scale = 1 / Math.sqrt(1 - Math.pow(b3, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const d = t > 1 ? gi - prev[i] : 0;
    const mi = b1 * m[i] + (1 - b1) * gi;
    const wi = b2 * w[i] + (1 - b2) * d;
    const z = gi + b2 * d;
    const vi = b3 * v[i] + (1 - b3) * z * z;
    prev[i] = gi;
    m[i] = mi;
    w[i] = wi;
    v[i] = vi;
    p[i] -= (s1 * mi + s2 * wi) / (Math.sqrt(vi) * scale + eps);
  }
};

export const adopt: Loop = (p, g, [m, v], t) => {
  const [lr, b2, floor] = [1e-3, 0.9999, 1e-6];
  const clip = t > 1 ? Math.pow(t - 1, 0.333) : 0;
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const u = Math.min(clip, Math.max(-clip, gi / Math.max(floor, Math.sqrt(v[i]))));
    const mi = beta1 * m[i] + rest1 * u;
    m[i] = mi;
    v[i] = t > 1 ? b2 * v[i] + (1 - b2) * gi * gi : gi * gi;
    p[i] -= lr * mi;
  }
};

export const ademamix: Loop = (p, g, [m, w, v], t) => {
  const [lr, slow, b3] = [1e-3, 5, 0.9999];
  const stepSize = lr / (1 - Math.pow(beta1, t));
  const scale = 1 / Math.sqrt(1 - Math.pow(beta2, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + rest1 * gi;
    const wi = b3 * w[i] + (1 - b3) * gi;
    const vi = beta2 * v[i] + rest2 * gi * gi;
    m[i] = mi;
    w[i] = wi;
    v[i] = vi;
    p[i] -= (stepSize * mi + lr * slow * wi) / (Math.sqrt(vi) * scale + eps);
  }
};

export const madgrad: Loop = (p, g, [S, s, x0], t) => {
  const floor = 1e-6;
  const rate = (1e-2 + floor) * Math.sqrt(t);
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const Si = S[i] + rate * gi * gi;
    const si = s[i] + rate * gi;
    S[i] = Si;
    s[i] = si;
    p[i] += 0.1 * (x0[i] - si / (Math.cbrt(Si) + floor) - p[i]);
  }
};

export const ftrl: Loop = (p, g, [n, z]) => {
  const lr = 1e-3;
  const l1 = 0;
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const before = Math.sqrt(n[i]);
    const ni = n[i] + gi * gi;
    const after = Math.sqrt(ni);
    const zi = z[i] + gi - ((after - before) / lr) * p[i];
    n[i] = ni;
    z[i] = zi;
    p[i] = Math.abs(zi) > l1 ? ((Math.sign(zi) * l1 - zi) * lr) / after : 0;
  }
};
