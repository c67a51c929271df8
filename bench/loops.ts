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
