// Plain loops for the kernels of distributed training (assembly/delta.ts), one Math.fround per operation.
const { fround } = Math;
const BLOCK = 256;

/** Rounds to the nearest whole number, ties to even. */
function nearest(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

/** Scales (as bits) and codes of y − x. */
export function quantize(x: Float32Array, y: Float32Array): { scales: Uint32Array; codes: Int8Array; bad: number } {
  const blocks = Math.ceil(x.length / BLOCK);
  const scales = new Float32Array(blocks);
  const bits = new Uint32Array(scales.buffer);
  const codes = new Int8Array(x.length);
  let bad = 0;
  for (let block = 0; block < blocks; block++) {
    const end = Math.min(x.length, (block + 1) * BLOCK);
    let most = 0;
    for (let i = block * BLOCK; i < end; i++) most = Math.max(most, Math.abs(fround(y[i] - x[i])));
    if (!Number.isFinite(most)) {
      bits[block] = 0x7fc00000;
      bad++;
    } else if (most >= 2 ** -100) {
      scales[block] = most / 127;
      const factor = fround(127 / most);
      for (let i = block * BLOCK; i < end; i++) codes[i] = nearest(fround(fround(y[i] - x[i]) * factor));
    }
  }
  return { scales: bits, codes, bad };
}

/** sum ← sum − s·q. */
export function subtract(scales: Float32Array, codes: Int8Array, sum: Float32Array): void {
  for (let i = 0; i < codes.length; i++) sum[i] = sum[i] - fround(scales[Math.floor(i / BLOCK)] * codes[i]);
}

/** float32 as bfloat16. */
export function toHalves(x: Float32Array): Uint16Array {
  const bits = new Uint32Array(x.slice().buffer);
  return Uint16Array.from(bits, (word, i) => {
    if (Number.isNaN(x[i])) return 0x7fc0;
    const low = word & 0xffff;
    const high = word >>> 16;
    return low > 0x8000 || (low === 0x8000 && high % 2 === 1) ? high + 1 : high;
  });
}

/** bfloat16 as float32. */
export function fromHalves(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half * 65536).buffer);
}

/** Of bytes whose number is a multiple of 64. */
export function checksum(bytes: Uint8Array, seed: number): number {
  const mix = (h: number, word: number): number => {
    const product = Math.imul(h ^ word, 0x9e3779b1);
    return product ^ (product >>> 15);
  };
  const words = new Int32Array(bytes.slice().buffer);
  const lanes = Int32Array.from({ length: 16 }, (_, i) => seed + i);
  words.forEach((word, i) => (lanes[i % 16] = mix(lanes[i % 16], word)));
  return lanes.reduce(mix, bytes.length);
}
