/** The engine's own decoder where there is one; bare shells and older browsers have none. */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  const { fromHex } = Uint8Array as { fromHex?: (text: string) => Uint8Array<ArrayBuffer> };
  if (fromHex) return fromHex.call(Uint8Array, text);
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: "hex"): Uint8Array<ArrayBuffer> } };
  return Buffer?.from(text, "hex") ?? decodeHex(text);
}

/** Pairs of digits, 0 to 9 and a to f, to bytes. */
export function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(text, 2 * i) << 4) | digit(text, 2 * i + 1);
  return bytes;
}

/** "0" is 48 and "a" is 97: the lower four bits are the digit, or from 64 on the digit less 9. */
function digit(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return (code & 15) + (code >> 6) * 9;
}
