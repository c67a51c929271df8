// The rules that take norms of whole tensors, as a careful person writes them in JavaScript: see loops.ts.
import type { Loop } from "./loops.js";

const [beta1, beta2] = [0.9, 0.999];
const [rest1, rest2] = [1 - beta1, 1 - beta2];

function norm(x: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  return Math.sqrt(sum);
}

export const lamb: Loop = (p, g, [m, v, u], t) => {
  const [lr, decay, eps] = [1e-3, 0.01, 1e-6];
  const first = 1 / (1 - Math.pow(beta1, t));
  const scale = 1 / Math.sqrt(1 - Math.pow(beta2, t));
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = beta1 * m[i] + rest1 * gi;
    const vi = beta2 * v[i] + rest2 * gi * gi;
    m[i] = mi;
    v[i] = vi;
    u[i] = (first * mi) / (Math.sqrt(vi) * scale + eps) + decay * p[i];
  }
  const [weights, update] = [norm(p), norm(u)];
  const rate = weights > 0 && update > 0 ? (lr * weights) / update : lr;
  for (let i = 0; i < p.length; i++) p[i] -= rate * u[i];
};

export const lars: Loop = (p, g, [b]) => {
  const [momentum, decay] = [0.9, 1e-4];
  const [weights, gradient] = [norm(p), norm(g)];
  const ratio = weights > 0 && gradient > 0 ? (1e-3 * weights) / (gradient + decay * weights + 1e-8) : 1;
  for (let i = 0; i < p.length; i++) {
    const bi = momentum * b[i] + ratio * (g[i] + decay * p[i]);
    b[i] = bi;
    p[i] -= bi;
  }
};

const squares = new WeakMap<Float32Array, number>();

export const novograd: Loop = (p, g, [b], t) => {
  const square = norm(g) ** 2;
  const nu = t === 1 ? square : 0.25 * (squares.get(p) ?? 0) + 0.75 * square;
  squares.set(p, nu);
  const scale = 1 / (Math.sqrt(nu) + 1e-6);
  for (let i = 0; i < p.length; i++) {
    const bi = beta1 * b[i] + scale * g[i];
    b[i] = bi;
    p[i] -= 1e-3 * bi;
  }
};

/** Of a vector, which has no rows and columns. */
export const adafactor: Loop = (p, g, [v, u], t) => {
  const a = Math.pow(t, -0.8);
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const vi = (1 - a) * v[i] + a * gi * gi;
    v[i] = vi;
    u[i] = gi / Math.sqrt(Math.max(vi, 2 ** -46));
  }
  const root = Math.sqrt(p.length);
  const relative = Math.max(1e-3, norm(p) / root) * Math.min(1e-2, 1 / Math.sqrt(t));
  const rate = relative / Math.max(1, norm(u) / root);
  for (let i = 0; i < p.length; i++) p[i] -= rate * u[i];
};
