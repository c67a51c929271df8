// Powers, exponentials and logarithms in float64 from + − × ÷ alone: the same bits on every engine, where Math.exp,
// Math.log and Math.pow differ in their last digits. Relative error below 1e-13 where results are normal numbers.

const LN2_HIGH = 6.9314718036912381649e-1; // 33 bits of ln 2, so that k·LN2_HIGH is exact for |k| < 2^20
const LN2_LOW = 1.90821492927058770002e-10;
const SQRT_HALF = 0.7071067811865476;

/** 2ᵏ for a whole k in [−1074, 1023]. */
function powerOfTwo(k: number): number {
  return k < 0 ? wholePower(0.5, -k) : wholePower(2, k);
}

/** bⁿ for a whole n ≥ 0, by repeated squaring. */
export function wholePower(b: number, n: number): number {
  let result = 1;
  for (; n > 0; n = Math.floor(n / 2), b *= b) if (n % 2 === 1) result *= b;
  return result;
}

/** eˣ: x = k·ln 2 + r with |r| ≤ ½·ln 2, then the Taylor series of eʳ to r¹³. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  const k = Math.floor(x / (LN2_HIGH + LN2_LOW) + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let i = 13; i > 0; i--) sum = 1 + (sum * r) / i;
  const half = Math.floor(k / 2);
  return sum * powerOfTwo(half) * powerOfTwo(k - half);
}

/** ln x: x = 2ᵏ·y with y in [√½, √2), then 2·atanh((y − 1)/(y + 1)) as a series. */
export function log(x: number): number {
  if (Number.isNaN(x) || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return x;
  let k = 0;
  for (let step = 512; step >= 1; step /= 2) {
    const power = powerOfTwo(step);
    while (x >= power * SQRT_HALF) {
      x /= power;
      k += step;
    }
    while (x < (2 * SQRT_HALF) / power) {
      x *= power;
      k -= step;
    }
  }
  const z = (x - 1) / (x + 1);
  const z2 = z * z;
  let sum = 0;
  for (let i = 23; i > 0; i -= 2) sum = sum * z2 + 1 / i;
  return k * LN2_HIGH + (2 * z * sum + k * LN2_LOW);
}

/** bˣ for b > 0. */
export function pow(b: number, x: number): number {
  return Number.isSafeInteger(x) && x >= 0 ? wholePower(b, x) : exp(x * log(b));
}
