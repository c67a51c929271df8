// Powers, exponentials, logarithms, sine and cosine in float64 from + − × ÷ alone, for the same bits on every engine:
// Math.exp, Math.log, Math.pow and Math.cos differ between engines in their last digits. The relative error of normal
// results, for cos the absolute error, is below 1e-13.

const LN2_HIGH = 6.9314718036912381649e-1; // 33 bits of ln 2, so that k·LN2_HIGH is exact for |k| < 2^20
const LN2_LOW = 1.90821492927058770002e-10;
const SQRT_HALF = 0.7071067811865476;
const HALF_PI_HIGH = 1.57079632673412561417; // 33 bits of π/2, so that k·HALF_PI_HIGH is exact for |k| < 2^20; the next 33; the rest
const HALF_PI_MIDDLE = 6.0771005063039659766e-11;
const HALF_PI_LOW = 2.02226624879595063154e-21;

const scratch = /* @__PURE__ */ new Float64Array(1);
/** The factor for an exponent's bit of 0 or 1: an index instead of a branch, which would often be mispredicted. */
const factors = Float64Array.of(1, 1);

/** bⁿ for a whole n ≥ 0, by repeated squaring. */
export function wholePower(b: number, n: number): number {
  scratch[0] = b;
  raise(scratch, 0, n);
  return scratch[0];
}

/**
 * x[i] ← x[i]ⁿ for a whole n ≥ 0. In place because engines may box a float64 argument or result, and a step must not
 * allocate; likewise {@link exponentiate} and {@link logarithm}.
 */
export function raise(x: Float64Array, i: number, n: number): void {
  let b = x[i];
  let result = 1;
  for (; n > 0x7fffffff; n = Math.floor(n / 2), b *= b) if (n % 2 === 1) result *= b;
  for (let k = n | 0; k > 0; k >>= 1, b *= b) {
    factors[1] = b;
    result *= factors[k & 1];
  }
  x[i] = result;
}

/** eˣ. */
export function exp(x: number): number {
  scratch[0] = x;
  exponentiate(scratch, 0);
  return scratch[0];
}

/** x[i] ← e^x[i]: x = k·ln 2 + r with |r| ≤ ½·ln 2, then the Taylor series of eʳ to r¹³. */
export function exponentiate(x: Float64Array, i: number): void {
  const y = x[i];
  if (!(y >= -745.1332191019412 && y < 709.782712893384)) {
    x[i] = y < 0 ? 0 : y * Infinity; // NaN stays NaN
  } else {
    const k = Math.floor(y / (LN2_HIGH + LN2_LOW) + 0.5);
    const r = y - k * LN2_HIGH - k * LN2_LOW;
    let sum = 1;
    for (let n = 13; n > 0; n--) sum = 1 + (sum * r) / n;
    // Times 2ᵏ, with one factor taken out first: 2¹⁰²⁴ itself would overflow.
    let b = k < 0 ? 0.5 : 2;
    if (k !== 0) sum *= b;
    for (let n = Math.abs(k) - 1; n > 0; n >>= 1, b *= b) if (n & 1) sum *= b;
    x[i] = sum;
  }
}

/** ln x. */
export function log(x: number): number {
  scratch[0] = x;
  logarithm(scratch, 0);
  return scratch[0];
}

/** x[i] ← ln x[i]: x = 2ᵏ·y with y in [√½, √2), then 2·atanh((y − 1)/(y + 1)) as a series. */
export function logarithm(x: Float64Array, i: number): void {
  let y = x[i];
  if (!(y > 0 && y < Infinity)) {
    x[i] = y === 0 ? -Infinity : y < 0 ? NaN : y;
    return;
  }
  let k = 0;
  for (; y >= 2 * SQRT_HALF; k++) y /= 2;
  for (; y < SQRT_HALF; k--) y *= 2;
  const z = (y - 1) / (y + 1);
  const z2 = z * z;
  let sum = 0;
  for (let n = 23; n > 0; n -= 2) sum = sum * z2 + 1 / n;
  x[i] = k * LN2_HIGH + (2 * z * sum + k * LN2_LOW);
}

/** x[i] ← x[i] to the power y[j], for x[i] > 0 (or 0, with y[j] >= 0). */
export function raiseTo(x: Float64Array, i: number, y: Float64Array, j: number): void {
  if (Number.isSafeInteger(y[j]) && y[j] >= 0) {
    raise(x, i, y[j]);
  } else {
    logarithm(x, i);
    x[i] *= y[j];
    exponentiate(x, i);
  }
}

/** bˣ for b > 0. */
export function pow(b: number, x: number): number {
  return Number.isSafeInteger(x) && x >= 0 ? wholePower(b, x) : exp(x * log(b));
}

/** cos x within 1e-15 for |x| < 10⁶; cos π is −1. */
export function cos(x: number): number {
  return shiftedCos(Math.abs(x), 0);
}

/** sin x within 1e-15 for |x| < 10⁶, and within a relative 1e-15 near 0; sin π/2 is 1. */
export function sin(x: number): number {
  return x < 0 ? -shiftedCos(-x, 3) : shiftedCos(x, 3);
}

/** cos(x + quarters·π/2), x >= 0: x = k·π/2 + r with |r| ≤ π/4, then the Taylor series of ±cos r or ±sin r. */
function shiftedCos(x: number, quarters: number): number {
  const k = Math.floor(x / (HALF_PI_HIGH + HALF_PI_MIDDLE) + 0.5);
  const r = x - k * HALF_PI_HIGH - k * HALF_PI_MIDDLE - k * HALF_PI_LOW;
  const turns = k + quarters;
  const odd = turns % 2 === 1;
  let sum = 1;
  for (let n = odd ? 19 : 18; n > 1; n -= 2) sum = 1 - (sum * r * r) / (n * (n - 1));
  if (odd) sum *= r;
  return turns % 4 === 1 || turns % 4 === 2 ? -sum : sum;
}
