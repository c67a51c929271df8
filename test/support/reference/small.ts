// Small state formats in plain integer arithmetic, written from the header of assembly/state/small-formats.ts.

export type Kind = "signed" | "positive" | "exact";
export type SmallFormat = "bfloat16" | "8bit";

const A = [0xbb67ae85, 0x3c6ef373, 0xa54ff53b, 0x510e527f];
const B = [0x9e3779b9, 0x6a09e667, 0x9b05688d, 0x5be0cd19];
const NAN = 0x7fc00000;

const EXACT = ["ax", "accumulator", "linear", "gradSumSq", "s", "x0", "m2", "prev", "z", "gradAvg"];
const POSITIVE = ["expAvgSq", "maxExpAvgSq", "nu", "squareAvg", "accDelta", "sum", "expInf", "stepSize"];

export function kindOf(slot: string, centered: boolean): Kind {
  if (EXACT.includes(slot) || (centered && slot === "squareAvg")) return "exact";
  return POSITIVE.includes(slot) ? "positive" : "signed";
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);
function bitsOf(x: number): number {
  float[0] = x;
  return word[0];
}
function floatOf(bits: number): number {
  word[0] = bits;
  return float[0];
}

/** Rounds slot `k` of a tensor as it is stored after step `t`. */
export function kept(x: Float32Array, format: SmallFormat, kind: Kind, k: number, t: number): Float32Array {
  if (kind === "exact" || (format === "8bit" && x.length < 4096)) return x;
  const dither = (i: number): number => (Math.imul(i, A[k]) + Math.imul(t, B[k])) >>> 0;
  return format === "bfloat16" ? halves(x, dither) : codes(x, kind === "signed", dither);
}

function halves(x: Float32Array, dither: (i: number) => number): Float32Array {
  return x.map((value, i) => {
    if (Number.isNaN(value)) return value;
    return floatOf(Math.floor((bitsOf(value) + Math.floor(dither(i) / 2 ** 16)) / 2 ** 16) * 2 ** 16);
  });
}

function codes(x: Float32Array, signed: boolean, dither: (i: number) => number): Float32Array {
  const result = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += 256) {
    const block = x.subarray(from, from + 256);
    const magnitudes = Array.from(block, Math.abs);
    const largest = Math.max(0, ...magnitudes.filter(Number.isFinite));
    const special = !magnitudes.every(Number.isFinite);
    const last = (signed ? 127 : 255) - (special ? 2 : 0);
    const base = Math.max(7, Math.floor(bitsOf(largest) / 2 ** 20) - last + 1);
    block.forEach((value, j) => {
      const i = from + j;
      if (!Number.isFinite(value)) {
        result[i] = Number.isNaN(value) ? floatOf(NAN) : value;
        return;
      }
      const place = Math.floor((bitsOf(magnitudes[j]) + Math.floor(dither(i) / 2 ** 12)) / 2 ** 20);
      const code = Math.max(place - base, !signed && place > 7 ? 1 : 0);
      if (code > last) throw new Error(`code ${code} at ${i}`);
      const magnitude = code === 0 ? 0 : floatOf((base + code) * 2 ** 20);
      result[i] = signed && (value < 0 || Object.is(value, -0)) ? -magnitude : magnitude;
    });
  }
  return result;
}
