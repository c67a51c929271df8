// Plain loops, written from the headers in assembly/nn: Math.fround rounds every operation to float32, in the same order.
// The kernels must give the same bits.
const { fround, abs, max, min } = Math;

/** c[m, n] = Σ_k a(i, k)·b(k, j), in order of k. */
function product(
  m: number,
  n: number,
  k: number,
  a: (i: number, k: number) => number,
  b: (k: number, j: number) => number,
) {
  const c = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let s = 0; s < k; s++) sum = fround(sum + fround(a(i, s) * b(s, j)));
      c[i * n + j] = sum;
    }
  return c;
}

/** x·Wᵀ. */
export const dense = (rows: number, inputs: number, outputs: number, x: Float32Array, w: Float32Array): Float32Array =>
  product(
    rows,
    outputs,
    inputs,
    (i, k) => x[i * inputs + k],
    (k, j) => w[j * inputs + k],
  );

/** dy·W. */
export const denseInput = (
  rows: number,
  inputs: number,
  outputs: number,
  dy: Float32Array,
  w: Float32Array,
): Float32Array =>
  product(
    rows,
    inputs,
    outputs,
    (i, k) => dy[i * outputs + k],
    (k, j) => w[k * inputs + j],
  );

/** dyᵀ·x. */
export const denseWeight = (
  rows: number,
  inputs: number,
  outputs: number,
  dy: Float32Array,
  x: Float32Array,
): Float32Array =>
  product(
    outputs,
    inputs,
    rows,
    (i, k) => dy[k * outputs + i],
    (k, j) => x[k * inputs + j],
  );

export const addBias = (rows: number, outputs: number, b: Float32Array, y: Float32Array): Float32Array =>
  Float32Array.from({ length: rows * outputs }, (_, i) => y[i] + b[i % outputs]);

export function denseBias(rows: number, outputs: number, dy: Float32Array): Float32Array {
  const db = new Float32Array(outputs);
  for (let i = 0; i < rows * outputs; i++) db[i % outputs] += dy[i];
  return db;
}

const f = (x: number): number => fround(x);
const coefficients = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
];
const horner = (c: readonly number[], x: number): number => c.map(f).reduce((p, next) => f(f(p * x) + next));

export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  x = min(max(x, -104), 89);
  const n = f(f(f(x * f(1.44269504)) + 12582912) - 12582912); // nearest, ties to even
  const r = f(f(x - f(n * f(0.693359375))) - f(n * f(-2.1219444e-4)));
  const p = f(f(f(horner(coefficients, r) * f(r * r)) + r) + 1);
  const half = Math.floor(n / 2);
  return f(f(p * 2 ** half) * 2 ** (n - half));
}

const logistic = (x: number): number => {
  const e = exp(-abs(x));
  return f((x >= 0 ? 1 : e) / f(1 + e));
};

function tanh(x: number): number {
  const z = f(x * x);
  const p = horner([-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1], z);
  if (abs(x) < 0.625) return f(f(f(p * z) * x) + x);
  const far = f(1 - f(2 / f(exp(f(2 * abs(x))) + 1)));
  return x < 0 ? -far : far;
}

const [S, C, Q] = [1.5957691216057308, 0.07135481282553047, 0.2140644384765914].map(f);
const gate = (z: number): number => f(z * f(S + f(C * f(z * z))));

function geluGradient(z: number, dy: number): number {
  const e = exp(-abs(gate(z)));
  const r = f(1 / f(1 + e));
  const sigma = f((z >= 0 ? 1 : e) * r);
  const near = min(max(z, -16), 16);
  const bend = f(f(near * f(e * f(r * r))) * f(S + f(Q * f(near * near))));
  return f(dy * f(sigma + bend));
}

/** Each activation's value, and its gradient from the kernel's input: y, or z for gelu. */
export const activations = {
  relu: { value: (z: number) => (z < 0 ? 0 : z), gradient: (y: number, dy: number) => (y <= 0 ? 0 : dy) },
  tanh: { value: tanh, gradient: (y: number, dy: number) => f(dy * f(1 - f(y * y))) },
  sigmoid: { value: logistic, gradient: (y: number, dy: number) => f(dy * f(y * f(1 - y))) },
  gelu: { value: (z: number) => f(z * logistic(gate(z))), gradient: geluGradient },
};

/** ln x for x ≥ 1, as the header of `log` in assembly/nn/math.ts says. */
function log(x: number): number {
  if (!(x < Infinity)) return x;
  let k = 0;
  while (x >= Math.SQRT2) {
    x /= 2;
    k++;
  }
  const t = (x - 1) / (x + 1);
  let p = 0;
  for (let odd = 21; odd >= 1; odd -= 2) p = p * (t * t) + 1 / odd;
  return k * 0.6931471805599453 + 2 * t * p;
}

export function crossEntropy(rows: number, classes: number, z: Float32Array, labels: Int32Array) {
  const dz = new Float32Array(rows * classes);
  const losses = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const row = z.subarray(i * classes, (i + 1) * classes);
    const largest = row.reduce((m, x) => (x > m ? x : m));
    const e = row.map((x) => exp(f(x - largest)));
    const sum = e.reduce((total, x) => total + x, 0);
    losses[i] = log(sum) - f(row[labels[i]] - largest);
    dz.set(
      e.map((x) => x * f(1 / (sum * rows))),
      i * classes,
    );
    dz[i * classes + labels[i]] = (e[labels[i]] - sum) / (sum * rows);
  }
  return { dz, losses };
}

export function squaredError(rows: number, columns: number, z: Float32Array, t: Float32Array) {
  const losses = new Float64Array(rows);
  const dz = z.map((x, i) => {
    const d = f(x - t[i]);
    losses[Math.floor(i / columns)] += d * d;
    return d * f(2 / (rows * columns));
  });
  return { dz, losses };
}
