// Encodes a binary as text that src/wasm/text.ts decodes.

/** From % to ~, with a space for \ and ! for `, which are special in some kind of string. */
const ALPHABET = Array.from({ length: 90 }, (_, i) => String.fromCharCode(i === 55 ? 32 : i === 59 ? 33 : 37 + i));
const SINGLES = ALPHABET.length - 2;

/** Bytes as text: a hexadecimal bitmap of the most frequent values, then one character for each byte of these values and two for any other. */
export function encode(bytes) {
  const count = new Uint32Array(256);
  for (const byte of bytes) count[byte]++;
  const all = Array.from(count.keys());
  const common = new Set(all.toSorted((a, b) => count[b] - count[a]).slice(0, SINGLES));
  const bitmap = Array.from({ length: 64 }, (_, digit) =>
    [0, 1, 2, 3].reduce((sum, bit) => sum + (common.has(4 * digit + bit) ? 1 << bit : 0), 0).toString(16),
  );
  const [single, double] = [all.filter((byte) => common.has(byte)), all.filter((byte) => !common.has(byte))];
  const written = new Map(single.map((byte, i) => [byte, ALPHABET[i]]));
  double.forEach((byte, i) => written.set(byte, ALPHABET[SINGLES + Math.floor(i / SINGLES)] + ALPHABET[i % SINGLES]));
  return bitmap.join("") + Array.from(bytes, (byte) => written.get(byte)).join("");
}
