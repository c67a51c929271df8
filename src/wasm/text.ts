// Decodes the inlined binary, which assembly/text.mjs encodes.

/** Characters that stand for a value; the two after them begin a pair. */
const SINGLES = 88;
const BITMAP = 64;

/**
 * Decodes bytes from a text that gzip compresses almost as well as the bytes (hexadecimal takes a sixth more, base64 more than
 * half). The most frequent values are one character, the others two; a hexadecimal bitmap at the start tells them apart.
 */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  /** 1 for a frequent value. */
  const bit = (byte: number): number => (parseInt(text[byte >> 2], 16) >> (byte & 3)) & 1;
  const values = Array.from({ length: 256 }, (_, byte) => byte).sort((a, b) => bit(b) - bit(a));
  /** The place of a character among those from % to ~, where a space stands for \ and ! for `, which strings may not hold. */
  const placeAt = (i: number): number => {
    const code = text.charCodeAt(i);
    return code < 34 ? 4 * code - 73 : code - 37;
  };
  const bytes = new Uint8Array(text.length - BITMAP);
  let length = 0;
  for (let i = BITMAP; i < text.length; i++) {
    let place = placeAt(i);
    if (place >= SINGLES) place = SINGLES * (place - SINGLES + 1) + placeAt(++i);
    bytes[length++] = values[place];
  }
  return bytes.subarray(0, length);
}
